"""A simulated year, and real processes that are killed."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import time_machine
import yaml
from apscheduler.schedulers.base import BaseScheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from model_code.errors import DataError
from pipelines.cron import parse_cron
from pipelines.ledger import Ledger
from pipelines.local_scheduler import Claim, Idle, Places, arrange, due_triggers
from pipelines.schedules import Schedule
from tests.helpers import scheduled_runner

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)


class SteppedScheduler(BaseScheduler):
    """Wakes when told to; APScheduler's own way to write another scheduler."""

    def wakeup(self) -> None:
        pass

    def shutdown(self, wait: bool = True) -> None:
        super().shutdown(wait)

    def step(self) -> float | None:
        """Process what is due; seconds until the next wake-up."""
        return self._process_jobs()


class Killed(BaseException):
    """Stands for SIGKILL inside a simulated run."""


@dataclass
class Simulation:
    """A machine with a fake clock that runs, dies, and is started again."""

    places: Places
    runs: list[tuple[str, datetime, datetime, datetime]] = field(default_factory=list)
    durations: dict[str, timedelta] = field(default_factory=dict)
    end: datetime = END
    kill_next: bool = False
    fail_next: bool = False
    scheduler: SteppedScheduler | None = None

    def __post_init__(self) -> None:
        scheduled_runner.behaviour[:] = [self.behave]

    def behave(self, schedule: Schedule, due: datetime) -> None:
        began = datetime.now(UTC)
        self.clock.shift(self.durations.get(schedule.name, timedelta(minutes=20)))
        if self.kill_next or datetime.now(UTC) >= self.end:
            self.kill_next = False
            self.scheduler = None
            raise Killed
        if self.fail_next:
            self.fail_next = False
            raise DataError("the new span cannot be read")
        self.runs.append((schedule.name, due, began, datetime.now(UTC)))

    def boot(self) -> None:
        self.scheduler = SteppedScheduler(timezone=UTC)
        arrange(self.scheduler, self.places)
        self.scheduler.start()

    def live(self, clock, until: datetime) -> None:
        """Run until then, booting again at once whenever it was killed."""
        self.clock = clock
        while datetime.now(UTC) < until:
            if self.scheduler is None:
                self.boot()
            current = self.scheduler
            wait = current.step()
            if self.scheduler is None:
                continue
            left = (until - datetime.now(UTC)).total_seconds()
            if left <= 0:
                break
            clock.shift(min(left, wait if wait is not None else left))

    def off(self, clock, until: datetime) -> None:
        """Nobody is there until then."""
        self.scheduler = None
        clock.move_to(until)

    def dues(self, name: str) -> list[datetime]:
        return [due for schedule, due, _, _ in self.runs if schedule == name]

    def no_overlap(self) -> bool:
        ordered = sorted(self.runs, key=lambda run: run[2])
        return all(before[3] <= after[2] for before, after in pairwise(ordered))


def write(directory: Path, name: str, **changes) -> None:
    directory.mkdir(exist_ok=True)
    schedule = {
        "name": name,
        "description": "A test.",
        "pipeline": "training",
        "recipe": "elpv-quick",
        "environments": ["local"],
        "cron": "0 0 9 * * *",
        "time_zone": "Europe/Berlin",
        "catch_up": False,
    }
    (directory / f"{name}.yaml").write_text(yaml.safe_dump(schedule | changes))


@pytest.fixture
def simulation(tmp_path) -> Simulation:
    (tmp_path / "workspace").mkdir()
    return Simulation(
        Places(
            schedules=tmp_path / "schedules",
            workspace=tmp_path / "workspace",
            runner="tests.helpers.scheduled_runner:simulate",
        )
    )


def expected(cron: str, zone: str, start=START, end=END) -> list[datetime]:
    return list(parse_cron(cron, zone, now=START).fire_times(start, end))


def test_a_year_of_days_across_daylight_saving(simulation):
    write(simulation.places.schedules, "daily")
    with time_machine.travel(START, tick=False) as clock:
        simulation.live(clock, END)
    assert simulation.dues("daily") == expected("0 0 9 * * *", "Europe/Berlin")
    assert len(simulation.runs) == 365
    assert simulation.no_overlap()


@pytest.mark.full
def test_a_year_of_two_schedules_with_kills_restarts_and_a_pause(simulation):
    generator = random.Random(7)
    write(simulation.places.schedules, "daily", catch_up=True)
    write(
        simulation.places.schedules,
        "weekly",
        cron="0 30 9 * * MON",
        catch_up=True,
        time_zone="UTC",
    )
    # The weekly run takes longer than the time to the next daily trigger.
    simulation.durations["weekly"] = timedelta(hours=30)
    pause, resume = START + timedelta(days=100, hours=1), START + timedelta(days=110)
    with time_machine.travel(START, tick=False) as clock:
        moment = START
        while moment < pause:
            moment += timedelta(hours=generator.randint(5, 200))
            simulation.live(clock, min(moment, pause))
            simulation.kill_next = generator.random() < 0.5
            if generator.random() < 0.4 and moment < pause - timedelta(days=3):
                simulation.off(clock, moment + timedelta(hours=40))
        simulation.kill_next = False
        # A run in progress may end later than planned; what counts is the switch.
        paused = set_paused(simulation, "daily", True)
        simulation.live(clock, resume)
        resumed = set_paused(simulation, "daily", False)
        simulation.scheduler = None
        simulation.live(clock, END)

    daily = expected("0 0 9 * * *", "Europe/Berlin")
    wanted = [due for due in daily if not paused < due <= resumed]
    assert len(wanted) in range(350, 360)
    assert simulation.dues("daily") == wanted
    assert simulation.dues("weekly") == expected("0 30 9 * * MON", "UTC")
    assert simulation.no_overlap()


def set_paused(simulation: Simulation, name: str, paused: bool) -> datetime:
    ledger, now = simulation.places.ledger(), datetime.now(UTC)
    ledger.set_paused(name, paused, now)
    ledger.close()
    return now


def triggers(simulation: Simulation):
    ledger = simulation.places.ledger()
    found = ledger.triggers()
    ledger.close()
    return found


def test_without_catch_up_a_long_absence_costs_the_missed_runs_only(simulation):
    write(simulation.places.schedules, "daily", misfire_grace_seconds=3600)
    with time_machine.travel(START, tick=False) as clock:
        simulation.live(clock, START + timedelta(days=10))
        simulation.off(clock, START + timedelta(days=20))
        simulation.live(clock, START + timedelta(days=30))
    states = Counter(trigger.state for trigger in triggers(simulation))
    assert states == {"succeeded": 20, "missed": 10}


def test_a_run_longer_than_the_interval_is_not_overtaken(simulation):
    write(simulation.places.schedules, "daily", misfire_grace_seconds=86_400)
    simulation.durations["daily"] = timedelta(hours=36)
    simulation.end = START + timedelta(days=30)
    with time_machine.travel(START, tick=False) as clock:
        simulation.live(clock, simulation.end)
    assert simulation.no_overlap()
    states = Counter(trigger.state for trigger in triggers(simulation))
    # 30 days hold 20 runs of 36 hours; the last is cut off by the end.
    assert states == {"succeeded": 19, "missed": 9, "running": 1}


def test_a_failure_is_recorded_and_the_next_trigger_runs(simulation):
    write(simulation.places.schedules, "daily")
    simulation.fail_next = True
    with time_machine.travel(START, tick=False) as clock:
        simulation.live(clock, START + timedelta(days=3))
    first, *rest = triggers(simulation)
    assert (first.state, first.detail) == ("failed", "the new span cannot be read")
    assert [trigger.state for trigger in rest] == ["succeeded"] * 2


def test_a_disabled_schedule_does_not_run(simulation):
    write(simulation.places.schedules, "daily", enabled=False)
    with time_machine.travel(START, tick=False) as clock:
        simulation.live(clock, START + timedelta(days=5))
    assert simulation.runs == []


def test_a_removed_file_ends_its_schedule(simulation):
    write(simulation.places.schedules, "daily")
    with time_machine.travel(START, tick=False) as clock:
        simulation.live(clock, START + timedelta(days=2, hours=12))
        (simulation.places.schedules / "daily.yaml").unlink()
        simulation.live(clock, START + timedelta(days=6))
    assert len(simulation.runs) == 3


HOURLY = Schedule(
    name="hourly",
    description="",
    pipeline="training",
    recipe="r",
    environments=("local",),
    cron="0 0 * * * *",
    time_zone="UTC",
    catch_up=False,
    misfire_grace_seconds=600,
)


@settings(max_examples=100, deadline=None)
@given(behind=st.integers(0, 100), late=st.integers(0, 3599), catch_up=st.booleans())
def test_every_trigger_is_run_or_missed_never_both(behind, late, catch_up):
    schedule = Schedule(**HOURLY.__dict__ | {"catch_up": catch_up})
    now = START + timedelta(hours=behind, seconds=late)
    due = due_triggers(schedule, START, now)
    if behind == 0:
        assert due == Idle()
    elif catch_up:
        assert due == Claim(START + timedelta(hours=1))
    else:
        assert isinstance(due, Claim if late <= 600 else Idle)
        assert len(due.missed) + isinstance(due, Claim) == behind


def boot_process(places: Places) -> subprocess.Popen:
    code = (
        "import sys; from pathlib import Path; "
        "from pipelines.local_scheduler import Places, serve; "
        "serve(Places(schedules=Path(sys.argv[1]), workspace=Path(sys.argv[2]), "
        "runner='tests.helpers.scheduled_runner:trace'))"
    )
    arguments = [str(places.schedules), str(places.workspace)]
    root = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=root)


def wait_for(trace: Path, lines: int) -> None:
    deadline = time.monotonic() + 60
    while not trace.exists() or len(trace.read_text().splitlines()) < lines:
        if time.monotonic() > deadline:
            raise AssertionError(f"{trace} did not reach {lines} lines")
        time.sleep(0.02)


@pytest.mark.parametrize(
    "kills", [2, pytest.param(15, marks=pytest.mark.full)], ids=str
)
def test_sigkill_loses_no_trigger_and_runs_none_beside_another(tmp_path, kills):
    generator = random.Random(kills)
    places = Places(schedules=tmp_path / "s", workspace=tmp_path / "w")
    places.workspace.mkdir()
    write(places.schedules, "often", cron="* * * * * *", catch_up=True, time_zone="UTC")
    trace = places.workspace / "trace.txt"
    for round_number in range(kills + 1):
        process = boot_process(places)
        seen = len(trace.read_text().splitlines()) if trace.exists() else 0
        wait_for(trace, seen + 3)
        time.sleep(generator.random())
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert round_number >= 0

    ledger = Ledger(places.database)
    recorded = ledger.triggers("often")
    ledger.close()
    dues = [trigger.due for trigger in recorded]
    assert dues == expected_seconds(dues[0], len(dues))
    assert {trigger.state for trigger in recorded[:-1]} == {"succeeded"}
    check_trace(trace.read_text().splitlines())


def expected_seconds(first: datetime, count: int) -> list[datetime]:
    return [first + timedelta(seconds=number) for number in range(count)]


def check_trace(lines: list[str]) -> None:
    """A start is followed by its end, or, after a kill, by the same start again."""
    for before, after in pairwise(lines):
        verb, what = before.split(" ", 1)
        if verb == "start":
            assert after in {f"end {what}", f"start {what}"}
        else:
            assert after.startswith("start")


def test_a_second_scheduler_in_the_workspace_is_refused(tmp_path):
    places = Places(schedules=tmp_path / "s", workspace=tmp_path / "w")
    places.workspace.mkdir()
    write(places.schedules, "often", cron="* * * * * *", time_zone="UTC")
    first = boot_process(places)
    try:
        wait_for(places.workspace / "trace.txt", 1)
        second = boot_process(places)
        assert second.wait(60) != 0
    finally:
        first.kill()
        first.wait()
