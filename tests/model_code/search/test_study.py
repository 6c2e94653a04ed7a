"""Studies end with as many finished networks as they were given, once each."""

import threading
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from model_code.config.model import BlockTable
from model_code.errors import ConfigError, PreemptedError
from model_code.search.leases import give_up, take_over_stale
from model_code.search.objective import Measured
from model_code.search.slots import REASON, SURPLUS, hours_spent
from model_code.search.study import Search
from model_code.search.worker import Evaluated, Report, work
from tests.model_code.search.recipes import (
    SAMPLINGS,
    by_formula,
    open_at,
    slowly,
)


def proposals(search: Search) -> list[dict[str, str | int]]:
    return [slot.parameters for slot in search.slots]


def _states(search: Search) -> list[TrialState]:
    return [slot.last.state for slot in search.slots]


@pytest.mark.parametrize("kind", SAMPLINGS)
def test_the_same_seed_proposes_the_same_networks(kind: str) -> None:
    found = []
    for seed in (3, 3, 4):
        changes = {"seed": seed, "sampling": SAMPLINGS[kind], "budget": {"trials": 10}}
        search = open_at(InMemoryStorage(), **changes)
        assert work(search, by_formula) == 10
        found.append(proposals(search))

    assert found[0] == found[1]
    assert found[0] != found[2]


@pytest.mark.parametrize("kind", SAMPLINGS)
def test_a_resumed_study_goes_on_as_it_would_have(kind: str, tmp_path: Path) -> None:
    sampling = SAMPLINGS[kind]
    whole = open_at(InMemoryStorage(), sampling=sampling, budget={"trials": 7})
    work(whole, by_formula)

    for trials in (2, 5, 7):
        part = open_at(tmp_path / "part", sampling=sampling, budget={"trials": trials})
        work(part, by_formula)

    assert proposals(part) == proposals(whole)
    assert [s.last.values for s in part.slots] == [s.last.values for s in whole.slots]


def test_parallel_workers_propose_what_one_would_have(tmp_path: Path) -> None:
    changes = {"budget": {"trials": 8}, "workers": {"count": 3}}
    alone = open_at(InMemoryStorage(), **changes)
    work(alone, by_formula)

    attempts = _work_in_threads(tmp_path / "shared", 3, **changes)

    shared = open_at(tmp_path / "shared", **changes)
    assert proposals(shared) == proposals(alone)
    assert _states(shared) == [TrialState.COMPLETE] * 8
    assert sum(attempts) == 8


def _work_in_threads(store: Path, count: int, **changes: Any) -> list[int]:
    attempts: list[int] = []

    def worker() -> None:
        attempts.append(work(open_at(store, **changes), slowly, poll_seconds=0.01))

    open_at(store, **changes)
    threads = [threading.Thread(target=worker) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return attempts


def test_a_failed_trial_is_recorded_with_its_reason() -> None:
    calls = 0

    def sometimes(network: BlockTable, report: Report) -> Evaluated:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise MemoryError("no room for the batch")
        return by_formula(network, report)

    search = open_at(InMemoryStorage())
    work(search, sometimes)

    failed = search.slots[1]
    assert _states(search).count(TrialState.COMPLETE) == 5
    assert failed.last.state == TrialState.FAIL
    assert failed.last.user_attrs[REASON] == "MemoryError: no room for the batch"
    assert len(failed.attempts) == 1


def test_a_hopeless_trial_is_pruned() -> None:
    calls = 0

    def worse_and_worse(network: BlockTable, report: Report) -> Evaluated:
        nonlocal calls
        calls += 1
        measured = Measured(1 / calls, 1.0, 1.0)
        for _ in range(3):
            report(measured)
        return Evaluated(measured, {})

    pruning = {"startup_trials": 2, "warmup_evaluations": 1}
    search = open_at(InMemoryStorage(), pruning=pruning, budget={"trials": 4})
    work(search, worse_and_worse)

    pruned = search.slots[3].last
    assert _states(search)[:2] == [TrialState.COMPLETE] * 2
    assert pruned.state == TrialState.PRUNED
    assert "evaluation 1" in pruned.user_attrs[REASON]


def test_what_a_dead_worker_left_is_tried_again(tmp_path: Path) -> None:
    search = open_at(tmp_path / "study")
    left = search.study.ask()
    network = {
        name: left.suggest_categorical(name, values)
        for name, values in search.space.choices.items()
    }

    work(search, slowly, poll_seconds=0.05)

    slot = search.slots[0]
    assert _states(search) == [TrialState.COMPLETE] * 6
    assert [attempt.state for attempt in slot.attempts] == [
        TrialState.FAIL,
        TrialState.COMPLETE,
    ]
    assert slot.attempts[0].user_attrs[REASON] == "its worker gave no sign of life"
    assert slot.parameters == slot.attempts[0].params == network


@pytest.mark.parametrize("kind", SAMPLINGS)
def test_a_trial_left_while_it_chose_proposes_what_it_would_have(
    kind: str,
) -> None:
    changes = {"sampling": SAMPLINGS[kind], "budget": {"trials": 1}}
    whole = open_at(InMemoryStorage(), **changes)
    work(whole, by_formula)

    search = open_at(InMemoryStorage(), **changes)
    first, *_ = search.space.choices.items()
    search.study.ask().suggest_categorical(*first)
    work(search, by_formula, poll_seconds=0.05)

    assert proposals(search) == proposals(whole)


@pytest.mark.parametrize(
    "stop",
    [SystemExit(137), KeyboardInterrupt(), PreemptedError("asked to stop")],
    ids=lambda stop: type(stop).__name__,
)
def test_a_trial_that_stops_every_worker_is_given_up(stop: BaseException) -> None:
    search = open_at(InMemoryStorage(), budget={"trials": 2})

    def deadly(network: BlockTable, report: Report) -> Evaluated:
        if network.name == deadly_name:
            raise stop
        return by_formula(network, report)

    probe = open_at(InMemoryStorage(), budget={"trials": 1})
    work(probe, by_formula)
    deadly_name = probe.slots[0].last.user_attrs["facts"]["network"]
    deaths = 0
    while not search.is_over:
        try:
            work(search, deadly)
        except type(stop):
            deaths += 1

    # Once, and two retries.
    assert deaths == len(search.slots[0].attempts) == 3
    assert _states(search) == [TrialState.FAIL, TrialState.COMPLETE]
    assert search.slots[0].last.user_attrs[REASON] == "its worker was stopped"


def test_a_slow_worker_does_not_count_what_was_taken_from_it(tmp_path: Path) -> None:
    search = open_at(tmp_path / "study", budget={"trials": 2})

    def taken_over(network: BlockTable, report: Report) -> Evaluated:
        if not search.slots[0].is_finished and len(search.slots[0].attempts) == 1:
            other = open_at(tmp_path / "study", budget={"trials": 2})
            number = search.slots[0].last.number
            assert give_up(other, number, "slow")
        return by_formula(network, report)

    attempts = work(search, taken_over)

    assert attempts == 3
    assert [len(slot.attempts) for slot in search.slots] == [2, 1]
    assert _states(search) == [TrialState.COMPLETE] * 2


def test_only_one_worker_takes_a_trial_over(tmp_path: Path) -> None:
    search = open_at(tmp_path / "study")
    number = search.study.ask().number
    others = [open_at(tmp_path / "study") for _ in range(2)]

    taken = [give_up(other, number, "dead") for other in others]

    assert taken == [True, False]
    assert len(search.slots[0].attempts) == 2


def test_a_live_trial_is_left_alone() -> None:
    search = open_at(InMemoryStorage(), budget={"trials": 1})
    taken = []

    def long(network: BlockTable, report: Report) -> Evaluated:
        # Longer than the grace of 1 s, which signs of life keep renewing.
        deadline = threading.Event()
        for _ in range(15):
            deadline.wait(0.1)
            taken.append(take_over_stale(search))
        return by_formula(network, report)

    assert work(search, long) == 1
    assert sum(taken) == 0


def test_a_trial_too_many_is_surplus_and_counts_nowhere(tmp_path: Path) -> None:
    slow = open_at(tmp_path / "study", budget={"trials": 1})
    fast = open_at(tmp_path / "study", budget={"trials": 1})
    ask = slow.study.ask
    slow.study.ask = lambda: (work(fast, by_formula), ask())[1]  # type: ignore

    assert work(slow, by_formula) == 0

    surplus = slow.trials[1]
    assert surplus.user_attrs[SURPLUS]
    assert surplus.state == TrialState.FAIL
    assert len(slow.slots) == 1
    more = open_at(tmp_path / "study", budget={"trials": 2})
    work(more, by_formula)
    assert _states(more) == [TrialState.COMPLETE] * 2


def test_hours_end_a_study() -> None:
    budget = {"trials": 1000, "hours": 0.1 / 3600}

    search = open_at(InMemoryStorage(), budget=budget)
    work(search, slowly)

    assert 1 <= len(search.slots) < 20
    assert hours_spent(search.trials) >= 0.1 / 3600
    assert search.is_over


def test_a_store_refuses_another_recipes_study(tmp_path: Path) -> None:
    work(open_at(tmp_path / "study"), by_formula)

    with pytest.raises(ConfigError, match="of another recipe"):
        open_at(tmp_path / "study", seed=8)


def test_pareto_keeps_three_objectives() -> None:
    search = open_at(InMemoryStorage(), sampling=SAMPLINGS["pareto"])
    work(search, by_formula)

    assert {len(slot.last.values) for slot in search.slots} == {3}
    assert search.study.directions == [
        optuna.study.StudyDirection.MAXIMIZE,
        optuna.study.StudyDirection.MINIMIZE,
        optuna.study.StudyDirection.MINIMIZE,
    ]
