"""How schedules, plans and their outcomes look on a terminal."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.local_scheduler import ENVIRONMENT, Places
from pipelines.records import RecurringRun
from pipelines.schedule_apply import Outcome
from pipelines.schedule_plan import Action, is_ours
from pipelines.schedules import load_schedules

_SIGNS = {
    "create": "[green]+[/]",
    "replace": "[yellow]±[/]",
    "switch": "[yellow]~[/]",
    "delete": "[red]-[/]",
    "keep": " ",
}
_LONGEST_VALUE = 60
_YEAR = timedelta(days=366)


def print_plan(actions: Sequence[Action]) -> None:
    """One line a schedule, one more for every field that changes."""
    console = Console(highlight=False)
    for action in actions:
        console.print(f"{_SIGNS[action.kind]} {action.name}  [dim]{action.kind}[/]")
        for change in action.changes:
            console.print(
                f"    {change.field}: {_short(change.now)} → {_short(change.wanted)}",
                soft_wrap=True,
            )
        if action.kind == "create" and action.wanted is not None:
            console.print(f"    {_timing(action.wanted)}")
    changes = sum(action.kind != "keep" for action in actions)
    console.print(f"{changes} of {len(actions)} schedules change.")


def print_outcomes(outcomes: Iterable[Outcome]) -> None:
    """What was done, and what was put off because of which runs."""
    console = Console(highlight=False)
    for outcome in outcomes:
        if outcome.done and outcome.action.kind != "keep":
            console.print(f"{outcome.action.name}: {outcome.action.kind} done")
        elif not outcome.done:
            console.print(
                f"{outcome.action.name}: {outcome.action.kind} put off, "
                f"{', '.join(outcome.running)} in progress; repeat, or use --wait"
            )


def print_recurring(found: Iterable[RecurringRun]) -> None:
    """What a backend has, ours and others'."""
    table = Table("schedule", "cron", "state", "catch-up", "at once", "managed")
    for each in sorted(found, key=lambda each: each.name):
        table.add_row(
            each.name,
            each.cron,
            "enabled" if each.enabled else "paused",
            "every missed run" if each.catch_up else "the next only",
            str(each.max_concurrency),
            "here" if is_ours(each) else "elsewhere",
        )
    Console().print(table)


def print_local(places: Places) -> None:
    """The local scheduler's schedules with the next and the last trigger."""
    ledger = places.ledger()
    now = datetime.now(UTC)
    table = Table("schedule", "cron", "time zone", "next", "last", "state")
    for schedule in load_schedules(ENVIRONMENT, places.schedules):
        upcoming = next(schedule.timing.fire_times(now, now + _YEAR), None)
        past = ledger.triggers(schedule.name)
        off = not schedule.enabled or ledger.is_paused(schedule.name)
        table.add_row(
            schedule.name,
            schedule.cron,
            schedule.time_zone,
            "paused" if off or upcoming is None else f"{upcoming:%Y-%m-%d %H:%M} UTC",
            f"{past[-1].due:%Y-%m-%d %H:%M} UTC" if past else "",
            past[-1].state if past else "",
        )
    ledger.close()
    Console().print(table)


def _timing(wanted: RecurringRun) -> str:
    missed = "every missed run" if wanted.catch_up else "the next run only"
    return (
        f"cron {wanted.cron}, after an outage {missed}, "
        f"{wanted.max_concurrency} at once"
    )


def _short(value: Any) -> str:
    text = str(value)
    cut = text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
    return escape(cut)
