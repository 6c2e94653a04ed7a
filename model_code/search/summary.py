"""What a study found: every trial, the winner, the front, what mattered.

The winner is the completed trial of the highest reward; in Pareto mode too,
where the reward chooses from the front.
"""

import statistics
from typing import Any, Literal

from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState
from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT
from model_code.config.model import BlockTable
from model_code.config.search import study_digest
from model_code.errors import TrainingError
from model_code.search.objective import Measured, pareto_front, reward
from model_code.search.slots import FACTS, MEASURED, REASON, Slot, hours_spent
from model_code.search.space import decode, from_parameters
from model_code.search.study import Search

_STATES: dict[TrialState, Literal["complete", "pruned", "failed", "unfinished"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "unfinished",
    TrialState.WAITING: "unfinished",
}
# Below this a forest explains noise.
_FEWEST_FOR_IMPORTANCE = 8


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Result:
    """What a completed trial earned; `facts` is what its evaluation kept."""

    reward: float
    measured: Measured
    facts: dict[str, Any]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TrialSummary:
    """One proposed network; its times are those of the attempt that counts.

    `finished` is in seconds since the epoch.
    """

    index: int
    state: Literal["complete", "pruned", "failed", "unfinished"]
    attempts: int
    choices: dict[str, str | int]
    reason: str | None
    seconds: float | None
    finished: float | None
    result: Result | None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class StudySummary:
    """A study as it stands; indices are those of `trials`.

    `importance` is each choice's share of the variance of the reward (fANOVA,
    Hutter et al. 2014); empty where fewer than 8 trials completed.
    """

    name: str
    digest: str
    sampling: str
    seed: int
    hours: float
    trials: tuple[TrialSummary, ...]
    winner: int
    network: BlockTable
    backbone: BlockTable
    front: tuple[int, ...]
    importance: dict[str, float]

    @property
    def results(self) -> dict[int, Result]:
        """What the completed trials earned, by index."""
        return {t.index: t.result for t in self.trials if t.result is not None}

    @property
    def best(self) -> Result:
        """What the winner earned."""
        return self.results[self.winner]

    @property
    def median_reward(self) -> float:
        """Of the completed trials."""
        return statistics.median(result.reward for result in self.results.values())

    def count(self, state: str) -> int:
        """How many trials ended so."""
        return sum(trial.state == state for trial in self.trials)


_ADAPTER = TypeAdapter(StudySummary)


def to_plain(summary: StudySummary) -> dict[str, Any]:
    """The summary as plain JSON values."""
    plain: dict[str, Any] = _ADAPTER.dump_python(summary, mode="json")
    return plain


def from_plain(plain: dict[str, Any]) -> StudySummary:
    """The inverse of `to_plain`."""
    return _ADAPTER.validate_python(plain)


def summarise(search: Search) -> StudySummary:
    """The study as the store has it now.

    Raises:
        TrainingError: no trial has completed; the message gives the reasons.
    """
    trials = tuple(_trial(search, slot) for slot in search.slots)
    results = {t.index: t.result for t in trials if t.result is not None}
    if not results:
        raise TrainingError(_nothing_completed(search.recipe.name, trials))
    winner = max(results, key=lambda index: results[index].reward)
    point = from_parameters(search.space, trials[winner].choices)
    front = pareto_front([result.measured for result in results.values()])
    return StudySummary(
        name=search.recipe.name,
        digest=study_digest(search.recipe),
        sampling=search.recipe.sampling.kind,
        seed=search.recipe.seed,
        hours=hours_spent(search.trials),
        trials=trials,
        winner=winner,
        network=decode(search.space, point),
        backbone=search.space.backbone,
        front=tuple(list(results)[position] for position in front),
        importance=_importance(search),
    )


def _trial(search: Search, slot: Slot) -> TrialSummary:
    last = slot.last
    result = None
    if last.state == TrialState.COMPLETE:
        measured = Measured(**last.user_attrs[MEASURED])
        result = Result(
            reward=reward(measured, search.recipe.objective),
            measured=measured,
            facts=last.user_attrs[FACTS],
        )
    return TrialSummary(
        index=slot.index,
        state=_STATES[last.state],
        attempts=len(slot.attempts),
        choices=slot.parameters,
        reason=last.user_attrs.get(REASON),
        seconds=last.duration.total_seconds() if last.duration else None,
        finished=last.datetime_complete.timestamp() if last.datetime_complete else None,
        result=result,
    )


def _importance(search: Search) -> dict[str, float]:
    def target(trial: FrozenTrial) -> float:
        return reward(Measured(**trial.user_attrs[MEASURED]), search.recipe.objective)

    finished = search.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    rewards = {target(trial) for trial in finished}
    if len(finished) < _FEWEST_FOR_IMPORTANCE or len(rewards) == 1:
        return {}
    found = get_param_importances(
        search.study,
        evaluator=FanovaImportanceEvaluator(seed=search.recipe.seed),
        target=target,
    )
    return {name: float(share) for name, share in found.items()}


def _nothing_completed(name: str, trials: tuple[TrialSummary, ...]) -> str:
    reasons = sorted({trial.reason or trial.state for trial in trials})
    return (
        f"Search {name} completed none of {len(trials)} trials; expected one at "
        f"least. Reasons: {'; '.join(reasons) or 'none was started'}. Correct what "
        "they name, or give a larger budget, and run the search again."
    )
