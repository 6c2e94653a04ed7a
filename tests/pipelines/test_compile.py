import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from model_code.errors import ConfigError
from pipelines.compile import PIPELINES, compile_pipeline
from tests.pipelines.regenerate import GOLDEN

IMAGE = "europe-docker.test/team/effnetv2@sha256:" + "ab" * 32


def package(name: str, image: str | None = None) -> dict:
    return next(yaml.safe_load_all(compile_pipeline(name, image)))


@pytest.mark.parametrize("name", PIPELINES)
def test_the_package_is_the_golden_one(name):
    golden = (GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")

    # After a change that was meant: python -m tests.pipelines.regenerate
    assert compile_pipeline(name) == golden


def test_there_is_a_golden_package_for_each_pipeline():
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(PIPELINES)


@pytest.mark.parametrize("name", PIPELINES)
def test_directory_and_hash_seed_do_not_matter(name, tmp_path):
    effnetv2 = Path(sys.executable).with_name("effnetv2")
    subprocess.run(
        [effnetv2, "compile", name, "-o", "package.yaml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        check=True,
        capture_output=True,
    )

    assert (tmp_path / "package.yaml").read_text() == compile_pipeline(name)


def test_the_image_is_the_default_of_a_parameter():
    parameters = package("training", IMAGE)["root"]["inputDefinitions"]["parameters"]

    assert parameters["image"]["defaultValue"] == IMAGE


def test_compiling_with_an_image_leaves_the_graph_as_it_was():
    before = compile_pipeline("training")
    compile_pipeline("training", IMAGE)

    assert compile_pipeline("training") == before


@pytest.mark.parametrize(
    "image",
    [
        "effnetv2",
        "effnetv2:latest",
        "effnetv2@sha256:abc",
        "effnetv2@sha256:" + "AB" * 32,
        "@sha256:" + "ab" * 32,
        "effnetv2@sha256:" + "ab" * 32 + " ",
    ],
)
def test_an_image_that_can_move_is_refused(image):
    with pytest.raises(ConfigError, match="not pinned"):
        compile_pipeline("training", image)


def test_an_unknown_pipeline_lists_the_known():
    with pytest.raises(ConfigError, match="training-from-scratch"):
        compile_pipeline("train")
