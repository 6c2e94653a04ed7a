"""The verbs `effnetv2 data ...` as an operator calls them."""

import json
import os
from pathlib import Path

import pytest

from pipelines.cli import main
from tests.helpers.corpora import class_folder

RECIPE = """
name: tiny
description: A folder.
model_name: tiny
finetune:
  data:
    name: pets
    source: {{kind: folder, path: {path}}}
    splits: {{test: 0.2, validation: 0.2, minimum_per_class: 0}}
  train:
    seed: 1
    epochs: 1
    global_batch_size: 8
    progressive:
      image_size: {{start: 32, end: 32}}
    evaluation_image_size: 32
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("cli")
    images = class_folder(root / "images", {"cat": 12, "dog": 8})
    file = root / "tiny.yaml"
    file.write_text(RECIPE.format(path=images))
    return file


def _run(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["effnetv2", "data", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    printed = capsys.readouterr()
    return stopped.value.code or 0, printed.out, printed.err


@pytest.fixture
def dataset(recipe, tmp_path, monkeypatch, capsys) -> str:
    code, out, _ = _run(
        monkeypatch,
        capsys,
        *("ingest", "--recipe", str(recipe), "--data-root", str(tmp_path), "--json"),
    )
    assert code == 0
    return json.loads(out)["location"]


def test_a_dataset_is_built_shown_verified_and_measured(dataset, monkeypatch, capsys):
    code, out, _ = _run(monkeypatch, capsys, "show", dataset)
    assert code == 0
    assert "pets, 2 classes, 20 images" in out
    assert dataset in out
    code, out, _ = _run(monkeypatch, capsys, "show", dataset, "--json")
    assert json.loads(out)["class_names"] == ["cat", "dog"]
    code, out, _ = _run(monkeypatch, capsys, "verify", dataset)
    assert "20 examples in 3 shards" in out
    code, out, _ = _run(monkeypatch, capsys, "stats", dataset, "--json")
    assert json.loads(out)["labels_an_example"] == {"1": 20}
    code, out, _ = _run(monkeypatch, capsys, "stats", dataset)
    assert "aspect ratio" in out


def test_a_second_ingest_says_that_it_reuses(
    recipe, dataset, tmp_path, monkeypatch, capsys
):
    _, out, _ = _run(
        monkeypatch,
        capsys,
        *("ingest", "--recipe", str(recipe), "--data-root", str(tmp_path)),
    )
    assert "20 images, reused" in out


def test_a_damaged_dataset_is_an_error_with_the_code_of_data(
    dataset, monkeypatch, capsys
):
    shard = next(Path(dataset).glob("pets-train*"))
    os.truncate(shard, 10)
    code, _, err = _run(monkeypatch, capsys, "verify", dataset)
    assert code == 3
    assert err.count("\n") == 1
    assert "is not what its manifest says" in err


def test_a_path_without_dataset_is_one_paragraph(tmp_path, monkeypatch, capsys):
    code, _, err = _run(monkeypatch, capsys, "show", str(tmp_path))
    assert code == 3
    assert err.startswith("effnetv2: No manifest at ")
    assert err.count("\n") == 1
