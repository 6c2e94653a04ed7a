"""Which trials count: a study has slots, and a slot may take several attempts.

A trial whose worker died is failed and tried again as a new Optuna trial. Both
are attempts at one slot, and a slot counts once. Slots number the networks
that the search proposes; the budget limits slots, not attempts. Workers that
ask at the same moment may start one trial too many: it gives itself up as
surplus and belongs to no slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

RETRY_OF = "retry_of"
"""Attribute: number of the slot's first attempt."""

SURPLUS = "surplus"
"""Attribute: asked for when every slot of the budget was taken."""

REASON = "reason"
"""Attribute: why the attempt failed or was pruned."""

MEASURED = "measured"
"""Attribute: the fields of `Measured` of a completed attempt."""

FACTS = "facts"
"""Attribute: what else the evaluation of a completed attempt kept."""


@dataclass(frozen=True)
class Slot:
    """One proposed network and its attempts, in order; the last one counts."""

    index: int
    attempts: tuple[FrozenTrial, ...]

    @property
    def last(self) -> FrozenTrial:
        """The attempt whose outcome is the slot's."""
        return self.attempts[-1]

    @property
    def is_finished(self) -> bool:
        """Complete, pruned or failed for good."""
        return self.last.state.is_finished()

    @property
    def parameters(self) -> dict[str, str | int]:
        """What the slot proposes; empty until its first attempt chose."""
        return dict(self.last.params or self.attempts[0].params)


def slots(trials: Sequence[FrozenTrial]) -> tuple[Slot, ...]:
    """The slots of all trials, in the order in which they were proposed."""
    attempts: dict[int, list[FrozenTrial]] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        if SURPLUS not in trial.user_attrs:
            first = trial.user_attrs.get(RETRY_OF, trial.number)
            attempts.setdefault(first, []).append(trial)
    return tuple(
        Slot(index, tuple(of_one)) for index, of_one in enumerate(attempts.values())
    )


def slot_of(trials: Sequence[FrozenTrial], number: int) -> Slot:
    """The slot to which the trial of that number belongs.

    Raises:
        KeyError: the trial is surplus, or not there.
    """
    for slot in slots(trials):
        if any(attempt.number == number for attempt in slot.attempts):
            return slot
    raise KeyError(number)


def completed(trials: Sequence[FrozenTrial]) -> tuple[Slot, ...]:
    """Slots that ended with a result."""
    return tuple(s for s in slots(trials) if s.last.state == TrialState.COMPLETE)


def hours_spent(trials: Sequence[FrozenTrial]) -> float:
    """Sum of the durations of finished attempts, over all workers."""
    return sum(
        (trial.datetime_complete - trial.datetime_start).total_seconds() / 3600
        for trial in trials
        if trial.datetime_complete and trial.datetime_start
    )
