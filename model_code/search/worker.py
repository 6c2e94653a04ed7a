"""A worker: propose, evaluate, record, until the study's budget is used.

Any number of workers may run on the same store, at once or one after another;
each takes whatever is next. What evaluating means is the caller's business, so
that this file knows no training.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from optuna.exceptions import TrialPruned, UpdateFinishedTrialError
from optuna.trial import Trial, TrialState

from model_code.config.model import BlockTable
from model_code.errors import PreemptedError
from model_code.progress import logger
from model_code.search.leases import Heartbeat, give_up, take_over_stale
from model_code.search.objective import Measured, reward
from model_code.search.slots import FACTS, MEASURED, REASON, SURPLUS, slot_of
from model_code.search.space import decode, from_parameters
from model_code.search.study import Search

_STOPPED = "its worker was stopped"


@dataclass(frozen=True)
class Evaluated:
    """What became of one network; `facts` are plain JSON values to keep."""

    measured: Measured
    facts: Mapping[str, Any]


Report = Callable[[Measured], None]
"""Takes an intermediate result; raises where the trial is hopeless or lost."""

Evaluate = Callable[[BlockTable, Report], Evaluated]
"""Measures one network, reporting on the way; what it raises fails the trial."""


def work(search: Search, evaluate: Evaluate, poll_seconds: float = 1.0) -> int:
    """Run trials until the budget is used and every slot of it is finished.

    While other workers are on the last trials it waits, in case one dies.

    Returns:
        How many attempts this worker made.
    """
    attempts = 0
    while not search.is_over:
        take_over_stale(search)
        if not search.has_open_slot:
            time.sleep(poll_seconds)
            continue
        trial = search.study.ask()
        if _is_surplus(search, trial):
            continue
        _run(search, trial, evaluate)
        attempts += 1
    return attempts


def _is_surplus(search: Search, trial: Trial) -> bool:
    """Give the trial up if others took the last slots while it was asked for."""
    slot = slot_of(search.trials, trial.number)
    if slot.index < search.recipe.budget.trials:
        return False
    trial.set_user_attr(SURPLUS, True)
    search.study.tell(trial, state=TrialState.FAIL)
    return True


def _run(search: Search, trial: Trial, evaluate: Evaluate) -> None:
    """One attempt, from its network to its recorded outcome.

    A worker that is asked to stop leaves the network to another.
    """
    identity = search.trial_id(trial.number)
    seconds = search.recipe.workers.heartbeat_seconds
    with Heartbeat(search.storage, identity, seconds):
        try:
            _record(search, trial, _evaluate(search, trial, evaluate))
        except TrialPruned as pruned:
            _finish(search, trial, TrialState.PRUNED, str(pruned))
        except UpdateFinishedTrialError:
            logger.warning("Trial %d went to another worker; dropped.", trial.number)
        except PreemptedError:
            give_up(search, trial.number, _STOPPED)
            raise
        except Exception as error:  # noqa: BLE001  a failed trial is a result
            logger.warning("Trial %d failed.", trial.number, exc_info=error)
            reason = f"{type(error).__name__}: {error}"
            _finish(search, trial, TrialState.FAIL, reason)
        except BaseException:
            give_up(search, trial.number, _STOPPED)
            raise


def _evaluate(search: Search, trial: Trial, evaluate: Evaluate) -> Evaluated:
    for name, values in search.space.choices.items():
        trial.suggest_categorical(name, values)
    network = decode(search.space, from_parameters(search.space, trial.params))
    evaluations = 0

    def report(measured: Measured) -> None:
        nonlocal evaluations
        if search.recipe.pruning is not None:
            trial.report(reward(measured, search.recipe.objective), evaluations)
            if trial.should_prune():
                raise TrialPruned(f"below the median at evaluation {evaluations}")
        evaluations += 1

    return evaluate(network, report)


def _record(search: Search, trial: Trial, evaluated: Evaluated) -> None:
    measured = evaluated.measured
    trial.set_user_attr(MEASURED, asdict(measured))
    trial.set_user_attr(FACTS, dict(evaluated.facts))
    earned = reward(measured, search.recipe.objective)
    three = (measured.accuracy, measured.step_time, measured.parameters)
    pareto = search.recipe.sampling.kind == "pareto"
    search.study.tell(trial, three if pareto else earned)
    logger.info(
        "Trial %d of %d: reward %.4f, accuracy %.4f, step time and parameters "
        "%.3f and %.3f of the backbone's.",
        slot_of(search.trials, trial.number).index + 1,
        search.recipe.budget.trials,
        earned,
        *three,
    )


def _finish(search: Search, trial: Trial, state: TrialState, reason: str) -> None:
    try:
        trial.set_user_attr(REASON, reason)
        search.study.tell(trial, state=state)
    except UpdateFinishedTrialError:
        logger.warning("Trial %d went to another worker; dropped.", trial.number)
