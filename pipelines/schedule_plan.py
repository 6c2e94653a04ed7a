"""From the recurring runs that should be to the steps that make them so; pure.

Only recurring runs with our mark in their description are ours to change.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipelines.records import RecurringRun

_MARK = "[effnetv2 "
_COMPARED = (
    "cron",
    "catch_up",
    "max_concurrency",
    "pipeline_id",
    "version_id",
    "experiment_id",
    "parameters",
    "pipeline_root",
    "service_account",
)


@dataclass(frozen=True)
class Change:
    """One field that differs."""

    field: str
    now: Any
    wanted: Any


@dataclass(frozen=True, kw_only=True)
class Action:
    """One step: `existing` is what is there, `wanted` what should be.

    `replace` is delete and create, since the API has no update; `switch` only
    enables or disables in place.
    """

    kind: Literal["create", "replace", "switch", "delete", "keep"]
    name: str
    existing: RecurringRun | None = None
    wanted: RecurringRun | None = None
    changes: tuple[Change, ...] = ()


def marked(wanted: RecurringRun, text: str) -> RecurringRun:
    """The recurring run with a description that says it is ours, and which.

    The digest in it makes a create request recognisable after a cut connection.
    """
    content = {name: asdict(wanted)[name] for name in (*_COMPARED, "enabled")}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    fields = {**wanted.__dict__, "description": f"{text} {_MARK}{digest[:12]}]"}
    return RecurringRun(**fields)


def is_ours(existing: RecurringRun) -> bool:
    """Whether this program created it."""
    return _MARK in existing.description


def plan(
    wanted: Iterable[RecurringRun], existing: Iterable[RecurringRun]
) -> tuple[Action, ...]:
    """Steps by name; what is not ours is not mentioned.

    Of several recurring runs with one name (a repeat after a lost answer) the
    one that fits best stays and the others are deleted.
    """
    ours: dict[str, list[RecurringRun]] = {}
    for found in existing:
        if is_ours(found):
            ours.setdefault(found.name, []).append(found)
    actions: list[Action] = []
    for one in sorted(wanted, key=lambda one: one.name):
        candidates = sorted(ours.pop(one.name, []), key=lambda each: _misfit(each, one))
        actions.append(_reconcile(one, candidates[0] if candidates else None))
        actions += [_deletion(extra) for extra in candidates[1:]]
    for leftovers in ours.values():
        actions += [_deletion(found) for found in leftovers]
    return tuple(actions)


def _reconcile(wanted: RecurringRun, existing: RecurringRun | None) -> Action:
    if existing is None:
        return Action(kind="create", name=wanted.name, wanted=wanted)
    changes = _changes(existing, wanted)
    switch = Change("enabled", existing.enabled, wanted.enabled)
    if changes:
        both = changes if existing.enabled == wanted.enabled else (*changes, switch)
        return Action(
            kind="replace",
            name=wanted.name,
            existing=existing,
            wanted=wanted,
            changes=both,
        )
    kind: Literal["keep", "switch"] = (
        "keep" if existing.enabled == wanted.enabled else "switch"
    )
    return Action(
        kind=kind,
        name=wanted.name,
        existing=existing,
        wanted=wanted,
        changes=() if kind == "keep" else (switch,),
    )


def _changes(existing: RecurringRun, wanted: RecurringRun) -> tuple[Change, ...]:
    pairs = (
        (name, getattr(existing, name), getattr(wanted, name)) for name in _COMPARED
    )
    return tuple(
        Change(name, now, then)
        for name, now, then in pairs
        # The backend answers with "" where nothing was given.
        if (now or None) != (then or None)
    )


def _misfit(existing: RecurringRun, wanted: RecurringRun) -> tuple[int, str]:
    return len(_changes(existing, wanted)), str(existing.created)


def _deletion(existing: RecurringRun) -> Action:
    return Action(kind="delete", name=existing.name, existing=existing)
