"""Checkpoints: whole or absent, verified, the last few kept, never silent."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model_code.adapters import storage
from model_code.errors import TrainingError
from model_code.training.checkpoints import Checkpoint, CheckpointStore


def checkpoint(step: int, value: float = 0.0) -> Checkpoint:
    arrays = {
        "model/0000": np.full((40, 25), value or step, np.float32),
        "model/0001": np.array([step, 3], np.uint32),
    }
    return Checkpoint(step=step, arrays=arrays, notes={"history": [{"step": step}]})


def store(directory: Path, keep: int = 2) -> CheckpointStore:
    return CheckpointStore(str(directory), keep)


def saved(directory: Path, *steps: int) -> CheckpointStore:
    made = store(directory, keep=len(steps))
    for step in steps:
        made.save(checkpoint(step))
    made.wait()
    return made


def newest_file(directory: Path) -> Path:
    return max(directory.glob("step-*.npz"))


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    saved(tmp_path, 5)
    found = store(tmp_path).newest()
    assert found is not None
    assert found.step == 5
    assert found.notes == {"history": [{"step": 5}]}
    for name, array in checkpoint(5).arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)


def test_an_empty_directory_has_none(tmp_path: Path) -> None:
    assert store(tmp_path / "absent").newest() is None


def test_the_last_k_are_kept(tmp_path: Path) -> None:
    made = store(tmp_path, keep=2)
    for step in (1, 2, 3):
        made.save(checkpoint(step))
    made.wait()
    assert made.steps() == [2, 3]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def flip_a_bit_of_a_weight(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(np.float32(9).tobytes() * 3)] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [truncate, empty, overwrite, flip_a_bit_of_a_weight])
def test_a_damaged_newest_falls_back_with_a_warning(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    made = saved(tmp_path, 7, 9)
    damage(newest_file(tmp_path))
    with caplog.at_level(logging.WARNING, "effnetv2.progress"):
        found = made.newest()
    assert found is not None
    assert found.step == 7
    assert "step-000000009.npz is damaged" in caplog.text
    assert made.steps() == [7]


def test_every_flipped_byte_of_the_arrays_is_noticed(tmp_path: Path) -> None:
    """Or changes nothing: what is read is what was saved, or an error."""
    made = saved(tmp_path, 9)
    path = newest_file(tmp_path)
    sound = path.read_bytes()
    for position in np.random.default_rng(0).integers(0, len(sound), 150):
        content = bytearray(sound)
        content[position] ^= 0x10
        path.write_bytes(content)
        try:
            found = made.newest()
        except TrainingError as error:
            assert "All checkpoints" in str(error)  # noqa: PT017
            continue
        assert found is not None
        for name, array in checkpoint(9).arrays.items():
            np.testing.assert_array_equal(found.arrays[name], array)


def test_only_damaged_checkpoints_stop_the_run(tmp_path: Path) -> None:
    made = saved(tmp_path, 7, 9)
    for path in tmp_path.glob("step-*.npz"):
        truncate(path)
    with pytest.raises(TrainingError, match=r"are damaged \(steps 9, 7\)"):
        made.newest()
    assert made.steps() == [7, 9]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_broken_state_is_never_saved(tmp_path: Path, value: float) -> None:
    made = saved(tmp_path, 7)
    with pytest.raises(TrainingError, match=r"hold NaN .*step-000000007\.npz"):
        made.save(checkpoint(9, value))
    assert made.steps() == [7]


def test_a_full_disk_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = saved(tmp_path, 7)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "open_writer", full)
    made.save(checkpoint(9))
    with pytest.raises(TrainingError, match=r"No space left .*step-000000007\.npz"):
        made.wait()
    assert made.steps() == [7]


def test_saving_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store(tmp_path)
    write = storage.open_writer

    def slow(uri: str) -> object:
        time.sleep(0.5)
        return write(uri)

    monkeypatch.setattr(storage, "open_writer", slow)
    started = time.monotonic()
    made.save(checkpoint(3))
    assert time.monotonic() - started < 0.4
    assert made.steps() == []
    made.wait()
    assert made.steps() == [3]


KILLED_WHILE_WRITING = """
import sys
import numpy as np
from model_code.training.checkpoints import Checkpoint, CheckpointStore

made = CheckpointStore(sys.argv[1], 2)
for step in range(10_000):
    arrays = {"model/0000": np.full((512, 1024), step, np.float32)}
    made.save(Checkpoint(step=step, arrays=arrays, notes={}))
    print(step, flush=True)
"""


def test_a_kill_while_writing_leaves_whole_checkpoints(tmp_path: Path) -> None:
    for moment in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", KILLED_WHILE_WRITING, str(tmp_path)],
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 4 + moment:
            pass
        time.sleep(0.003 * moment)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        found = store(tmp_path).newest()
        assert found is not None
        assert found.step >= 3
        assert (found.arrays["model/0000"] == found.step).all()
    store(tmp_path).remove_partial_files()
    assert all(path.suffix == ".npz" for path in tmp_path.iterdir())
