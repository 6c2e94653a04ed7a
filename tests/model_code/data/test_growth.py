"""A dataset that grows: what has not changed is not decoded again."""

import json
from pathlib import Path

import pytest

from model_code.config.dataset import FolderSource, SplitConfig
from model_code.data import verification
from model_code.data.ingest import ingest
from model_code.data.ingestion import examine
from tests.helpers.corpora import class_folder, folder_config
from tests.helpers.datasets_read import read_examples


@pytest.fixture
def decoded(monkeypatch) -> list[int]:
    """Sizes of the images that were decoded since it was last cleared."""
    sizes: list[int] = []
    check = examine.check_image

    def note(data: bytes, maximum_pixels: int):
        sizes.append(len(data))
        return check(data, maximum_pixels)

    monkeypatch.setattr(examine, "check_image", note)
    return sizes


def _names(dataset) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {
        example.filename: (split, example.texts)
        for split, examples in read_examples(dataset).items()
        for example in examples
    }


def _files(dataset, split: str) -> list[Path]:
    return [Path(uri) for uri in dataset.shard_uris(split)]


def _from_scratch(config, tmp_path: Path):
    fresh = ingest(config, str(tmp_path / "fresh"))
    assert fresh.span == 0
    return fresh


def test_new_images_come_in_new_shards_and_only_they_are_decoded(tmp_path, decoded):
    root = class_folder(tmp_path / "in", {"cat": 20, "dog": 20})
    first = ingest(folder_config(root), str(tmp_path / "out"))
    decoded.clear()
    class_folder(root, {"cat": 4, "dog": 4}, first_seed=500)
    second = ingest(folder_config(root), str(tmp_path / "out"))
    assert len(decoded) == 8
    assert (second.span, second.carried_examples, second.examples) == (1, 40, 48)
    for split in first.splits:
        old, new = _files(first, split), _files(second, split)
        assert new[0].samefile(old[0])
        assert new[0].name.endswith(f"-00000-of-{len(new):05d}")
    assert verification.verify(second, threads=1).problems == ()
    assert verification.verify(first, threads=1).problems == ()


def test_the_fingerprint_is_that_of_an_ingest_from_scratch(tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 15, "dog": 15})
    ingest(folder_config(root), str(tmp_path / "out"))
    class_folder(root, {"cat": 3, "dog": 2}, first_seed=500)
    (root / "cat" / "0003.jpg").unlink()
    (root / "dog" / "0004.jpg").rename(root / "cat" / "moved.jpg")
    second = ingest(folder_config(root), str(tmp_path / "out"))
    fresh = _from_scratch(folder_config(root), tmp_path)
    assert second.carried_examples == 28
    assert second.fingerprint == fresh.fingerprint
    assert _names(second) == _names(fresh)
    assert second.splits["train"].class_counts == fresh.splits["train"].class_counts


def test_a_removed_image_is_gone_and_nothing_is_decoded(tmp_path, decoded):
    root = class_folder(tmp_path / "in", {"cat": 12, "dog": 12})
    ingest(folder_config(root), str(tmp_path / "out"))
    decoded.clear()
    (root / "dog" / "0007.jpg").unlink()
    second = ingest(folder_config(root), str(tmp_path / "out"))
    assert decoded == []
    assert "dog/0007.jpg" not in _names(second)
    assert second.examples == 23
    assert verification.verify(second, threads=1).problems == ()


def test_a_changed_image_is_read_again(tmp_path, decoded):
    root = class_folder(tmp_path / "in", {"cat": 6, "dog": 6})
    first = ingest(folder_config(root), str(tmp_path / "out"))
    decoded.clear()
    other = class_folder(tmp_path / "other", {"cat": 1}, first_seed=77)
    changed = next((other / "cat").iterdir()).read_bytes()
    (root / "cat" / "0002.jpg").write_bytes(changed)
    second = ingest(folder_config(root), str(tmp_path / "out"))
    assert decoded == [len(changed)]
    assert second.fingerprint != first.fingerprint


def _table(root: Path, name: str, label: str = "dog", camera: str = "left") -> None:
    lines = [
        {"path": f"{kind}/{path.name}", "label": kind, "camera": "left"}
        for kind in ("cat", "dog")
        for path in sorted((root / kind).iterdir())
    ]
    lines[-1] |= {"label": label, "camera": camera}
    (root / name).write_text("\n".join(map(json.dumps, lines)))


@pytest.mark.parametrize(
    "change", [{"label": "cat"}, {"camera": "right"}, {"label": "wolf"}], ids=str
)
def test_a_relabelled_image_is_seen_without_decoding(tmp_path, decoded, change):
    root = class_folder(tmp_path / "in", {"cat": 8, "dog": 8})
    _table(root, "one.jsonl")
    _table(root, "two.jsonl", **change)

    def config(name: str):
        source = FolderSource(kind="folder", path=str(root), manifest=name)
        return folder_config(root, source=source)

    first = ingest(config("one.jsonl"), str(tmp_path / "out"))
    decoded.clear()
    second = ingest(config("two.jsonl"), str(tmp_path / "out"))
    assert decoded == []
    assert second.carried_examples == 16
    assert second.fingerprint != first.fingerprint
    assert (
        second.fingerprint == _from_scratch(config("two.jsonl"), tmp_path).fingerprint
    )
    assert verification.verify(second, threads=1).problems == ()


def test_a_class_that_is_renamed_is_renamed_in_the_records(tmp_path, decoded):
    root = class_folder(tmp_path / "in", {"cat": 5, "dog": 5})
    names = [f"cat/{path.name}" for path in sorted((root / "cat").iterdir())]
    datasets = []
    for number, label in enumerate(("cat", "cot")):
        table = "\n".join(["path,label", *(f"{name},{label}" for name in names), ""])
        (root / f"{number}.csv").write_text(table)
        source = FolderSource(kind="folder", path=str(root), manifest=f"{number}.csv")
        config = folder_config(root, source=source)
        datasets.append(ingest(config, str(tmp_path / "out")))
    assert datasets[1].carried_examples == 5
    assert {texts for _, texts in _names(datasets[1]).values()} == {("cot",)}


def test_other_splits_or_checks_begin_a_series_of_their_own(tmp_path, decoded):
    root = class_folder(tmp_path / "in", {"cat": 6, "dog": 6})
    ingest(folder_config(root), str(tmp_path / "out"))
    decoded.clear()
    splits = SplitConfig(test=0.5, validation=0.0, minimum_per_class=0)
    other = ingest(folder_config(root, splits=splits), str(tmp_path / "out"))
    assert len(decoded) == 12
    assert (other.span, other.carried_examples) == (0, 0)


def test_a_number_is_held_out_exactly_and_stays_held_out(tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 30, "dog": 30})
    splits = SplitConfig(test=0.0, validation_examples=11, minimum_per_class=0)
    config = folder_config(root, splits=splits)
    first = ingest(config, str(tmp_path / "out"))
    assert first.splits["validation"].examples == 11
    class_folder(root, {"cat": 20, "dog": 20}, first_seed=900)
    before, after = _names(first), _names(ingest(config, str(tmp_path / "out")))
    assert before.items() <= after.items()
    held = [name for name, (split, _) in after.items() if split == "validation"]
    assert len(held) > 11
