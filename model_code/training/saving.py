"""When a run saves itself; only the chief writes, every worker resumes."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from model_code.config.training import CheckpointConfig
from model_code.training.checkpoints import Checkpoint, CheckpointStore
from model_code.training.journal import Row
from model_code.training.state import TrainingState


class Saver:
    """Saves every so many steps and every so many seconds, whichever is first.

    Under a strategy every replica holds the same state, so one worker can save
    for all, whenever it likes, without the others taking part.
    """

    def __init__(
        self,
        store: CheckpointStore,
        config: CheckpointConfig,
        settings: Mapping[str, Any],
        *,
        writes: bool,
    ) -> None:
        """Save into `store`, beside `settings`; `writes` is false in other workers."""
        self.store = store
        self._config = config
        self._settings = dict(settings)
        self._writes = writes
        self._saved_at = time.monotonic()
        if writes:
            store.remove_partial_files()

    def next_due(self, step: int) -> int:
        """The next step after which to save, not counting time."""
        every = self._config.every_steps
        return (step // every + 1) * every

    def is_due(self, step: int) -> bool:
        """Whether to save after `step`."""
        waited = time.monotonic() - self._saved_at
        return (
            step % self._config.every_steps == 0 or waited >= self._config.every_seconds
        )

    def save(self, state: TrainingState, step: int, history: Sequence[Row]) -> None:
        """Save the state after `step` steps, in the background.

        Raises:
            TrainingError: the state is broken, or the one before was not written.
        """
        self._saved_at = time.monotonic()
        if self._writes:
            notes = {"settings": self._settings, "history": list(history)}
            self.store.save(Checkpoint(step=step, arrays=state.snapshot(), notes=notes))

    def finish(self) -> None:
        """Return when everything is written.

        Raises:
            TrainingError: it could not be written.
        """
        self.store.wait()
