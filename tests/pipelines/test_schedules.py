"""Schedules as data, reconciled with recurring runs that are never killed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.client import KfpClient
from pipelines.connection import Connection, Patience
from pipelines.failures import ScheduleError
from pipelines.records import RecurringRun, VersionRecord
from pipelines.schedule_apply import apply
from pipelines.schedule_plan import is_ours, marked, plan
from pipelines.schedules import check_parameters, load_schedules
from tests.helpers.kfp_server import KfpServer, kfp_server
from tests.pipelines.test_submit import package
from tests.pipelines.test_wait import FakeClock

SCHEDULE = {
    "name": "weekly",
    "description": "Retrain every week.",
    "pipeline": "retraining",
    "recipe": "elpv-quick",
    "environments": ["dev", "local"],
    "cron": "0 0 3 * * MON",
    "time_zone": "UTC",
    "catch_up": False,
}
QUICK = Patience(
    connect=2.0, read=1.0, attempts=5, first_retry=0.001, slowest_retry=0.01
)


def write(directory, **changes):
    path = directory / f"{changes.get('name', 'weekly')}.yaml"
    path.write_text(yaml.safe_dump(SCHEDULE | changes))
    return directory


def test_a_schedule_is_read_for_its_environments(tmp_path):
    write(tmp_path)
    write(tmp_path, name="nightly", environments=["prod"], cron="0 0 2 * * *")
    assert [each.name for each in load_schedules("dev", tmp_path)] == ["weekly"]
    assert [each.name for each in load_schedules(None, tmp_path)] == [
        "nightly",
        "weekly",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cron": "0 3 * * 1"}, "has 5 fields"),
        ({"time_zone": None}, "time_zone"),
        ({"catch_up": "no"}, "catch_up"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"pipeline": "nonsense"}, "pipeline"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_wrong_schedule_is_refused_with_its_file(tmp_path, changes, message):
    with pytest.raises(ScheduleError, match=message):
        load_schedules("dev", write(tmp_path, **changes))


def test_time_zone_catch_up_and_cron_must_be_stated(tmp_path):
    for key in ("time_zone", "catch_up", "cron"):
        (tmp_path / "weekly.yaml").write_text(
            yaml.safe_dump({k: v for k, v in SCHEDULE.items() if k != key})
        )
        with pytest.raises(ScheduleError, match=key):
            load_schedules("dev", tmp_path)


def test_parameters_are_checked_against_the_compiled_pipeline(tmp_path):
    (schedule,) = load_schedules("dev", write(tmp_path))
    compiled = package(tmp_path)
    check_parameters(schedule, {"recipe": "{}", "image": "i"}, compiled)
    with pytest.raises(ScheduleError, match="gives span; pipeline retraining takes"):
        check_parameters(schedule, {"recipe": "{}", "image": "i", "span": 1}, compiled)
    with pytest.raises(ScheduleError, match="lacks image"):
        check_parameters(schedule, {"recipe": "{}"}, compiled)


def recurring(name="weekly", **changes) -> RecurringRun:
    base = RecurringRun(
        name=name,
        cron="0 0 3 * * 1",
        enabled=True,
        catch_up=False,
        max_concurrency=1,
        experiment_id="e1",
        pipeline_id="p1",
        version_id="v1",
        parameters={"recipe": "{}"},
    )
    return marked(replace(base, **changes), "Retrain.")


def stored(wanted: RecurringRun, identity: str = "r1") -> RecurringRun:
    created = datetime(2026, 1, 1, tzinfo=UTC)
    return replace(wanted, recurring_run_id=identity, created=created)


def kinds(wanted, existing) -> list[tuple[str, str]]:
    return [(action.kind, action.name) for action in plan(wanted, existing)]


def test_what_is_as_it_should_be_is_kept():
    assert kinds([recurring()], [stored(recurring())]) == [("keep", "weekly")]


def test_the_difference_is_named_field_by_field():
    old = stored(recurring(parameters={"recipe": "{}", "epochs": 3}))
    (action,) = plan([recurring(cron="0 0 4 * * 1")], [old])
    assert action.kind == "replace"
    assert {change.field for change in action.changes} == {"cron", "parameters"}


def test_only_enabled_switches_in_place():
    assert kinds([recurring(enabled=False)], [stored(recurring())]) == [
        ("switch", "weekly")
    ]


def test_numbers_that_come_back_as_floats_are_the_same():
    old = stored(recurring(parameters={"epochs": 3.0}))
    assert kinds([recurring(parameters={"epochs": 3})], [old]) == [("keep", "weekly")]


def test_what_others_made_is_left_alone():
    foreign = replace(stored(recurring("theirs")), description="made by hand")
    assert not is_ours(foreign)
    assert kinds([], [foreign]) == []


def test_of_two_with_one_name_the_fitting_one_stays():
    wrong = stored(recurring(cron="0 0 9 * * 1"), "r1")
    right = stored(recurring(), "r2")
    actions = plan([recurring()], [wrong, right])
    assert [(a.kind, a.existing.recurring_run_id) for a in actions] == [
        ("keep", "r2"),
        ("delete", "r1"),
    ]


NAMES = st.sampled_from(["a", "b", "c"])
CRONS = st.sampled_from(["0 0 3 * * 1", "0 0 4 * * 1"])
RUNS = st.lists(
    st.builds(recurring, NAMES, cron=CRONS, enabled=st.booleans()), max_size=5
)


@settings(max_examples=80, deadline=None)
@given(wanted=RUNS, existing=RUNS)
def test_carrying_out_a_plan_leaves_nothing_to_do(wanted, existing):
    wanted = list({each.name: each for each in wanted}.values())
    world = [stored(each, f"r{index}") for index, each in enumerate(existing)]
    for number, action in enumerate(plan(wanted, world)):
        if action.kind in {"replace", "delete"}:
            world.remove(action.existing)
        if action.kind in {"replace", "create"}:
            world.append(stored(action.wanted, f"new{number}"))
        if action.kind == "switch":
            index = world.index(action.existing)
            world[index] = replace(action.existing, enabled=action.wanted.enabled)
    assert {action.kind for action in plan(wanted, world)} <= {"keep"}
    assert sorted(each.name for each in world) == sorted(each.name for each in wanted)


@pytest.fixture
def server():
    with kfp_server() as running:
        yield running


@pytest.fixture
def client(server: KfpServer) -> KfpClient:
    return KfpClient(Connection(host=server.url, patience=QUICK), {})


@pytest.fixture
def wanted(client: KfpClient, tmp_path) -> RecurringRun:
    version, _ = client.ensure_version("training", "v1", package(tmp_path), "")
    return remade(recurring(), version, client.ensure_experiment("elpv"))


def remade(run: RecurringRun, version: VersionRecord, experiment: str) -> RecurringRun:
    fields = {
        "pipeline_id": version.pipeline_id,
        "version_id": version.version_id,
        "experiment_id": experiment,
        "parameters": {"recipe": "{}", "image": "i"},
    }
    return marked(replace(run, **fields), "Retrain.")


def reconcile(client, wanted, **patience):
    return apply(client, plan(wanted, client.list_recurring_runs()), **patience)


def test_apply_creates_and_a_second_apply_keeps(server, client, wanted):
    reconcile(client, [wanted])
    (outcome,) = reconcile(client, [wanted])
    assert outcome.action.kind == "keep"
    (row,) = server.state.recurring.values()
    assert row["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * 1"}}
    assert (row["no_catchup"], row["max_concurrency"]) == (True, "1")


def test_a_change_replaces_an_idle_one(server, client, wanted):
    reconcile(client, [wanted])
    changed = marked(replace(wanted, cron="0 0 5 * * 1"), "Retrain.")
    (outcome,) = reconcile(client, [changed])
    assert outcome.done
    (row,) = server.state.recurring.values()
    assert row["trigger"]["cron_schedule"]["cron"] == "0 0 5 * * 1"
    assert server.state.killed == []


def test_a_run_in_progress_puts_the_change_off_and_loses_nothing(
    server, client, wanted
):
    reconcile(client, [wanted])
    (identity,) = server.state.recurring
    run_id = server.state.fire(identity)
    changed = marked(replace(wanted, cron="0 0 5 * * 1"), "Retrain.")

    (outcome,) = reconcile(client, [changed])
    assert (outcome.done, outcome.running) == (False, (run_id,))
    assert server.state.recurring[identity]["status"] == "ENABLED"

    server.state.move_run(run_id, "SUCCEEDED")
    (outcome,) = reconcile(client, [changed])
    assert outcome.done
    assert server.state.killed == []


def test_a_deletion_waits_as_long_as_it_is_told(server, client, wanted):
    reconcile(client, [wanted])
    (identity,) = server.state.recurring
    run_id = server.state.fire(identity)
    clock = FakeClock()
    clock_sleep = clock.sleep

    def sleep(seconds: float) -> None:
        clock_sleep(seconds)
        if clock.now >= 60:
            server.state.move_run(run_id, "SUCCEEDED")

    clock.sleep = sleep
    (outcome,) = reconcile(client, [], patience_seconds=300, clock=clock)
    assert outcome.done
    assert clock.now == 60
    assert server.state.recurring == {}
    assert server.state.killed == []


@pytest.mark.parametrize("number", range(6))
def test_faults_in_the_middle_leave_one_recurring_run(server, client, wanted, number):
    reconcile(client, [wanted])
    changed = marked(replace(wanted, cron="0 0 5 * * 1"), "Retrain.")
    faults = [
        ("POST", "/recurringruns$", {"kind": "cut", "acted": True}),
        ("POST", "/recurringruns$", {"kind": "status", "status": 500, "acted": True}),
        ("POST", ":disable", {"kind": "cut", "acted": True}),
        ("DELETE", "/", {"kind": "cut", "acted": True}),
        ("DELETE", "/", {"kind": "status", "status": 503}),
        ("GET", "/recurringruns", {"kind": "status", "status": 429}),
    ]
    method, path, fault = faults[number]
    server.fail(method, path, **fault)

    reconcile(client, [changed])

    (row,) = server.state.recurring.values()
    assert row["trigger"]["cron_schedule"]["cron"] == "0 0 5 * * 1"
    assert row["status"] == "ENABLED"
    assert server.faults[0].times == 0
