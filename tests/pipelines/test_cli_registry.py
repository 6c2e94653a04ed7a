"""`effnetv2 registry` and `effnetv2 predict`, as an operator types them."""

import io
import json
import sqlite3

import numpy as np
import pytest
from PIL import Image

from model_code import artifacts
from pipelines import cli
from tests.helpers.models import write_model

NAME = "elpv-defects"
CLASSES = ("defective", "functional")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Two versions of a tiny model; the first is champion."""
    from model_code.adapters.mlflow_store import MlflowStore
    from model_code.adapters.registration import register
    from model_code.adapters.registry import ModelRegistry

    root = tmp_path_factory.mktemp("workspace")
    model = tmp_path_factory.mktemp("models") / "model"
    write_model(model, CLASSES)
    store = MlflowStore(f"sqlite:///{root / 'mlflow.db'}")
    for run in ("run-1", "run-2"):
        version = register(
            store,
            NAME,
            files=[model / artifacts.SAVED_MODEL, model / artifacts.MODEL_CARD],
            class_names=CLASSES,
            tags={"run_key": run, "recipe": "elpv-quick"},
            metrics={},
            tracking_run_id=None,
        )
        if run == "run-1":
            ModelRegistry(store).promote(version, "the first")
    return root


@pytest.fixture
def effnetv2(workspace, monkeypatch, capsys):
    """Run the command; exit code, standard output, standard error."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(*arguments: str, place=workspace):
        line = ["effnetv2", *map(str, arguments), "--workspace", str(place)]
        monkeypatch.setattr("sys.argv", line)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "cell [bold].png"
    pixels = np.random.default_rng(0).integers(0, 256, (300, 200), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_the_champion_tells_what_made_it(effnetv2):
    code, out, _ = effnetv2("registry", "champion", NAME, "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["version"], found["aliases"]) == (1, ["champion"])
    assert found["tags"]["recipe"] == "elpv-quick"
    _, out, _ = effnetv2("registry", "champion", NAME)
    assert f"{NAME}/1  @champion" in out
    assert "the first" in out


def test_list_and_show_agree(effnetv2):
    _, out, _ = effnetv2("registry", "list", "--json")
    listed = json.loads(out)
    assert [row["version"] for row in listed] == [2, 1]
    _, out, _ = effnetv2("registry", "show", f"{NAME}/2", "--json")
    assert json.loads(out) == listed[0]
    _, out, _ = effnetv2("registry", "list", NAME)
    assert f"{NAME}/2" in out
    assert "@challenger" in out


def test_promote_and_rollback_move_the_champion(effnetv2):
    code, out, _ = effnetv2(
        "registry", "promote", f"{NAME}/2", "--reason", "as agreed", "--json"
    )
    promoted = json.loads(out)
    assert (code, promoted["version"], promoted["aliases"]) == (0, 2, ["champion"])
    assert promoted["tags"]["promotion_reason"] == "as agreed"
    code, out, _ = effnetv2("registry", "rollback", NAME, "--json")
    assert (code, json.loads(out)["version"]) == (0, 1)
    code, _, err = effnetv2("registry", "rollback", NAME)
    assert code == 5
    assert "no champion before version 1" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("registry", "champion", "elpv"), f"it holds: {NAME}"),
        (("registry", "show", f"{NAME}@best"), "no alias @best; it has: @"),
        (("registry", "show", f"{NAME}/9"), "no version 9; it has: 1, 2"),
        (("predict", "a.png", "--model", "elpv@champion"), f"it holds: {NAME}"),
        (("predict", "a.png", "--model", f"{NAME}@best"), "no alias @best"),
    ],
)
def test_what_is_not_there_is_one_paragraph_and_exit_code_5(effnetv2, arguments, words):
    code, out, err = effnetv2(*arguments)
    assert (code, out) == (5, "")
    assert words in err
    assert err.startswith("effnetv2: ")
    assert err.count("\n") == 1


def test_looking_into_an_empty_workspace_creates_nothing(effnetv2, tmp_path):
    code, _, err = effnetv2("registry", "list", place=tmp_path / "nowhere")
    assert code == 5
    assert "There is no tracking store" in err
    assert not list(tmp_path.iterdir())


def test_a_locked_database_is_one_paragraph_and_exit_code_5(effnetv2, workspace):
    blocker = sqlite3.connect(workspace / "mlflow.db")
    blocker.execute("BEGIN EXCLUSIVE")
    # Another spelling of the path: MLflow keeps an open store for each address.
    place = workspace / ".." / workspace.name
    code, _, err = effnetv2("registry", "list", place=place)
    blocker.close()
    assert code == 5
    assert "is locked by another process" in err
    assert err.count("\n") == 1


def test_predict_names_class_and_probability(effnetv2, picture, monkeypatch):
    monkeypatch.chdir(picture.parent)
    code, out, err = effnetv2("predict", picture.name, "--model", f"{NAME}@champion")
    assert (code, err) == (0, "")
    assert "cell [bold].png" in out
    assert any(name in out for name in CLASSES)
    assert "%" in out


def encoded(kind: str, mode: str, **options) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


GOOD = {
    "grey.jpg": encoded("JPEG", "L"),
    "cmyk.jpg": encoded("JPEG", "CMYK"),
    "palette.png": encoded("PNG", "P"),
    "alpha.png": encoded("PNG", "RGBA"),
    "still.gif": encoded("GIF", "P"),
    "bitmap.bmp": encoded("BMP", "RGB"),
    "scan.tiff": encoded("TIFF", "RGB"),
}
BAD = {
    "text.jpg": b"this is not an image, whatever its name says",
    "cut.jpg": encoded("JPEG", "RGB")[:500],
    "empty.png": b"",
    "missing.png": None,
}


def test_a_bad_file_is_named_and_the_others_are_still_classified(effnetv2, tmp_path):
    paths = []
    for name, content in {**BAD, **GOOD}.items():
        paths.append(tmp_path / name)
        if content is not None:
            paths[-1].write_bytes(content)
    code, out, err = effnetv2("predict", *paths, "--model", NAME, "--json")
    assert code == 3
    answer = json.loads(out)
    assert (answer["model"], answer["version"]) == (NAME, 1)
    rows = {row["image"]: row for row in answer["predictions"]}
    assert list(rows) == [str(path) for path in paths]
    for name in GOOD:
        row = rows[str(tmp_path / name)]
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert row["probability"] == max(row["probabilities"].values())
        assert row["class"] in CLASSES
    lines = err.splitlines()
    assert len(lines) == len(BAD)
    for name, line in zip(BAD, lines, strict=True):
        assert line == f"effnetv2: {rows[str(tmp_path / name)]['error']}"
        assert name in line


def test_an_image_is_turned_upright_as_an_ingest_does(effnetv2, tmp_path, picture):
    upright = Image.open(picture)
    turned = upright.rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored a quarter turn to the left
    turned.save(tmp_path / "turned.png", exif=exif)
    arguments = ("predict", picture, tmp_path / "turned.png", "--model", NAME)
    _, out, _ = effnetv2(*arguments, "--json")
    one, other = json.loads(out)["predictions"]
    assert other["probabilities"] == pytest.approx(one["probabilities"], abs=1e-6)
