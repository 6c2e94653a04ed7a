"""Bad input through the command line: a paragraph, an exit code, nothing left.

What each source and decoder makes of it is tested in their rooms; here is the
way from there, out of a task's process, to the person who typed the command.
"""

import io
import random
from pathlib import Path

import pytest
from PIL import Image

from tests.helpers.cli import Answer, effnetv2
from tests.helpers.recipes import TINY

CLASSES = ("cat", "dog")
IMAGES = 6


@pytest.fixture
def pictures(tmp_path) -> Path:
    """A folder source with two classes of a few noisy pictures."""
    root = tmp_path / "pictures"
    noise = random.Random(0)
    for name in CLASSES:
        (root / name).mkdir(parents=True)
        for index in range(IMAGES):
            image = Image.frombytes("RGB", (16, 16), noise.randbytes(16 * 16 * 3))
            image.save(root / name / f"{index}.png")
    return root


def run(tmp_path: Path, *options: str) -> Answer:
    workspace = tmp_path / "ws"
    return effnetv2(
        "run",
        f"--recipe={TINY}",
        f"--workspace={workspace}",
        "--set=pretrain=null",
        *options,
    )


def run_folder(tmp_path: Path, path: Path, *options: str) -> Answer:
    source = f"--set=finetune.data.source={{kind: folder, path: {path}}}"
    return run(tmp_path, source, *options)


def assert_one_paragraph(answer: Answer, exit_code: int) -> None:
    assert answer.exit_code == exit_code, answer.err
    (line,) = answer.err.splitlines()
    assert line.startswith("effnetv2: ")


@pytest.mark.parametrize(
    ("change", "explanation"),
    [
        ("finetune.train.epoch=3", "unknown key 'finetune.train.epoch'"),
        ("finetune.train.epoch=3", "did you mean 'epochs'?"),
        ("finetune.train.epochs=many", "'finetune.train.epochs' is 'many'"),
        ("finetune.train.epochs=-1", "greater than 0"),
        ("finetune.data.splits.test=1.5", "less than or equal to 1"),
        ("finetune", "not of the form path.to.key=value"),
        ("model.variant=efficientnetv2-b9", "efficientnetv2-b9"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_written(
    change, explanation, tmp_path
):
    answer = run(tmp_path, f"--set={change}")

    assert_one_paragraph(answer, 2)
    assert explanation in answer.err
    assert not (tmp_path / "ws").exists()


def test_wrong_beam_flags_are_named_before_anything_is_written(tmp_path):
    answer = run(tmp_path, "--beam-options=--workers=0")

    assert_one_paragraph(answer, 2)
    assert "--workers=0" in answer.err
    assert not (tmp_path / "ws").exists()


def test_an_unknown_recipe_names_the_nearest(tmp_path):
    answer = effnetv2("run", "--recipe=elpv-quik", f"--workspace={tmp_path / 'ws'}")

    assert_one_paragraph(answer, 2)
    assert "did you mean 'elpv-quick'?" in answer.err


def test_pictures_that_cannot_be_used_stop_the_run(tmp_path, pictures):
    whole = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(whole, "JPEG")
    (pictures / "cat" / "cut.jpg").write_bytes(whole.getvalue()[:300])
    (pictures / "dog" / "text.jpg").write_text("this is no picture")

    answer = run_folder(tmp_path, pictures)

    assert_one_paragraph(answer, 3)
    assert "2 of 14" in answer.err
    assert "ingest target set" in answer.err
    assert list((tmp_path / "ws" / "data").rglob("*.tfrecord*")) == []


def test_an_empty_folder_is_no_source(tmp_path):
    (tmp_path / "empty").mkdir()

    answer = run_folder(tmp_path, tmp_path / "empty")

    assert_one_paragraph(answer, 3)
    assert str(tmp_path / "empty") in answer.err


def test_a_class_with_too_few_images_stops_the_run(tmp_path, pictures):
    answer = run_folder(
        tmp_path, pictures, "--set=finetune.data.splits.minimum_per_class=5"
    )

    assert_one_paragraph(answer, 3)
    assert "too few images" in answer.err


def test_the_same_error_again_says_the_same(tmp_path):
    (tmp_path / "empty").mkdir()

    first = run_folder(tmp_path, tmp_path / "empty")
    second = run_folder(tmp_path, tmp_path / "empty")

    assert "Resuming run" in second.out
    assert second.err == first.err
