"""Saved states of a training run: one file each, whole, checked, the last k kept.

A checkpoint is one NumPy archive (.npz). One file, because a file is replaced
atomically both on a disk and in a bucket, while the two or three files of a
TensorFlow checkpoint are not. Every array in it carries a CRC-32 that reading
verifies. Arrays are copied to the host before `save` returns and written by a
thread, so training goes on meanwhile; at most one write is under way.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_code.adapters import storage
from model_code.errors import TrainingError
from model_code.progress import logger

Arrays = Mapping[str, NDArray[Any]]

_NAME = re.compile(r"step-(\d{9})\.npz")
_NOTES = "notes"
_PARTIAL = ".partial"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A state of training after `step` steps.

    `arrays` are all variables by name; `notes` are plain JSON values.
    """

    step: int
    arrays: Arrays
    notes: Mapping[str, Any]


class CheckpointStore:
    """The checkpoints in one directory or `gs://` prefix; one writer at a time."""

    def __init__(self, directory: str, keep: int) -> None:
        """Checkpoints of `directory`, of which saving leaves the last `keep`."""
        self.directory = directory
        self._keep = keep
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="save")
        self._writing: Future[None] | None = None

    def save(self, checkpoint: Checkpoint) -> None:
        """Write `checkpoint` in the background; its arrays must not change.

        Raises:
            TrainingError: the checkpoint holds NaN or infinity, or the one
                before could not be written.
        """
        self.wait()
        self._refuse_non_finite(checkpoint)
        self._writing = self._thread.submit(self._write, checkpoint)

    def wait(self) -> None:
        """Return when everything saved is there.

        Raises:
            TrainingError: it could not be written.
        """
        writing, self._writing = self._writing, None
        if writing is None:
            return
        try:
            writing.result()
        except OSError as error:
            raise TrainingError(
                f"A checkpoint cannot be written to {self.directory} ({error}); "
                f"{self.last_good()}. Make room or repair the place, then run again: "
                "training resumes there."
            ) from error

    def newest(self) -> Checkpoint | None:
        """The newest sound checkpoint; damaged newer ones are removed, with a warning.

        Raises:
            TrainingError: there are checkpoints, and none of them is sound.
        """
        damaged = []
        for step in reversed(self.steps()):
            try:
                checkpoint = _read(self._uri(step), step)
            except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
                logger.warning(
                    "checkpoint %s is damaged (%s); falling back to the one before",
                    self._uri(step),
                    error,
                )
                damaged.append(step)
                continue
            for each in damaged:
                storage.delete(self._uri(each))
            return checkpoint
        if damaged:
            raise TrainingError(
                f"All checkpoints in {self.directory} are damaged (steps "
                f"{', '.join(map(str, damaged))}); expected a sound one to resume "
                "from. Restore the directory from a copy, or delete it to start anew."
            )
        return None

    def steps(self) -> list[int]:
        """Steps of the checkpoints that are there, in order."""
        matches = map(_NAME.fullmatch, storage.list_names(self.directory))
        return sorted(int(match[1]) for match in matches if match)

    def last_good(self) -> str:
        """Half a sentence for errors: where a run would resume."""
        steps = self.steps()
        if not steps:
            return f"there is no checkpoint in {self.directory} yet"
        return f"the last good checkpoint is {self._uri(steps[-1])}"

    def remove_partial_files(self) -> None:
        """Remove what killed writers left; only the sole writer may."""
        for name in storage.list_names(self.directory):
            if name.endswith(_PARTIAL):
                storage.delete(storage.join(self.directory, name))

    def _write(self, checkpoint: Checkpoint) -> None:
        notes = np.array(json.dumps(dict(checkpoint.notes)))
        with storage.open_writer(self._uri(checkpoint.step)) as stream:
            np.savez(stream, **{_NOTES: notes}, **checkpoint.arrays)  # type: ignore[arg-type]
        for step in self.steps()[: -self._keep]:
            storage.delete(self._uri(step))

    def _uri(self, step: int) -> str:
        return storage.join(self.directory, f"step-{step:09d}.npz")

    def _refuse_non_finite(self, checkpoint: Checkpoint) -> None:
        bad = [
            name for name, array in _floats(checkpoint) if not np.isfinite(array).all()
        ]
        if bad:
            raise TrainingError(
                f"After step {checkpoint.step} {len(bad)} variables hold NaN or "
                f"infinity, the first {bad[0]}; {self.last_good()}. Lower the learning "
                "rate, warm up longer or set optimizer.clip_norm, then run again."
            )


def _floats(checkpoint: Checkpoint) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, array in checkpoint.arrays.items():
        if np.issubdtype(array.dtype, np.floating):
            yield name, array


def _read(uri: str, step: int) -> Checkpoint:
    """Read everything at once, so that nothing damaged is half used."""
    with np.load(io.BytesIO(storage.read_bytes(uri)), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    notes = json.loads(str(arrays.pop(_NOTES)))
    return Checkpoint(step=step, arrays=arrays, notes=notes)
