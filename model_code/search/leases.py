"""A trial belongs to a worker only as long as the worker gives signs of life.

A worker that is killed leaves its trial running for ever. Optuna's own
heartbeat exists for its SQL storage alone, so both stores use this one: the
worker writes the time to an attribute of its trial, and any worker that finds
it too old fails the trial and queues another attempt. Failing is what only one
can do: the store refuses to finish a trial twice, so nobody counts it twice,
and a worker that was merely slow finds its result refused.
"""

import threading
import time
from types import TracebackType
from typing import Self

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from model_code.progress import logger
from model_code.search.slots import REASON, RETRY_OF, slot_of
from model_code.search.study import Search

_HEARTBEAT = "heartbeat"
_DEAD = "its worker gave no sign of life"


class Heartbeat:
    """While entered, a thread of its own gives a trial's signs of life."""

    def __init__(self, storage: BaseStorage, trial_id: int, seconds: float) -> None:
        self._storage = storage
        self._trial_id = trial_id
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_stopped, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _beat_until_stopped(self) -> None:
        while not self._stop.is_set() and self._beat():
            self._stop.wait(self._seconds)
        self._storage.remove_session()

    def _beat(self) -> bool:
        """Whether the trial is unfinished, as far as one knows."""
        now = time.time()
        try:
            self._storage.set_trial_user_attr(self._trial_id, _HEARTBEAT, now)
        except UpdateFinishedTrialError:
            return False  # by this worker a moment ago, or by one that took it over
        except (OSError, StorageInternalError) as error:
            # The store may be back before the grace is over.
            logger.warning("The study store does not take a sign of life: %s", error)
        return True


def take_over_stale(search: Search) -> int:
    """Queue again what dead workers left; returns how many trials that were."""
    oldest = time.time() - search.recipe.workers.grace_seconds
    running = search.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    stale = [trial.number for trial in running if _last_sign(trial) < oldest]
    return sum(give_up(search, number, _DEAD) for number in stale)


def give_up(search: Search, number: int, reason: str) -> bool:
    """Fail a running trial and queue its next attempt, if it may have one.

    Returns:
        False where another worker finished or failed it first.
    """
    slot = slot_of(search.trials, number)
    identity = search.trial_id(number)
    try:
        search.storage.set_trial_user_attr(identity, REASON, reason)
        search.storage.set_trial_state_values(identity, TrialState.FAIL)
    except UpdateFinishedTrialError:
        return False
    retries = len(slot.attempts) - 1
    if (
        retries < search.recipe.workers.retries
        and slot.index < search.recipe.budget.trials
    ):
        # A proposal cut off half-way is made anew, from the slot's own seed.
        whole = slot.parameters.keys() == search.space.choices.keys()
        first = slot.attempts[0].number
        search.study.enqueue_trial(
            slot.parameters if whole else {}, user_attrs={RETRY_OF: first}
        )
    logger.warning("Trial %d failed after %d retries: %s.", number, retries, reason)
    return True


def _last_sign(trial: FrozenTrial) -> float:
    """Seconds since the epoch; the start counts until the first heartbeat."""
    started = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
    return float(trial.user_attrs.get(_HEARTBEAT, started))
