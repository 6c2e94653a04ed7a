"""Six-field cron as Kubeflow reads it, and exactly when it fires.

The backend parses with robfig/cron v1.2: second, minute, hour, day of month,
month, day of week. Five fields are accepted there and mean something else
(kfp-facts section 5), so they are refused here. Fire times come from
APScheduler; what the two read differently is refused or translated:
weekdays by number (0 is Sunday in cron, Monday in APScheduler), a day of month
together with a weekday (either in cron, both in APScheduler), and wall-clock
times that a change to or from daylight saving skips or repeats.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

from pipelines.failures import ScheduleError

_FIELDS = ("second", "minute", "hour", "day", "month", "day_of_week")
_ATOM = r"(\*|\?|[0-9]+(-[0-9]+)?)(/[0-9]+)?"
_NUMERIC = re.compile(rf"{_ATOM}(,{_ATOM})*")
_MONTHS = re.compile(rf"(?i)({_ATOM}|[a-z]{{3}}(-[a-z]{{3}})?)(,({_ATOM}|[a-z]{{3}}))*")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_HORIZON = timedelta(days=2 * 366)
_DAY = timedelta(days=1)
_QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Cron:
    """A checked expression in a time zone."""

    expression: str
    time_zone: str

    def fire_times(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Moments in (after, until], oldest first; both bounds with a zone."""
        trigger = _trigger(self.expression, ZoneInfo(self.time_zone))
        moment = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
        while moment is not None and moment <= until:
            yield moment.astimezone(UTC)
            moment = trigger.get_next_fire_time(moment, moment)

    def trigger(self) -> CronTrigger:
        """The same as a trigger of APScheduler."""
        return _trigger(self.expression, ZoneInfo(self.time_zone))


def parse_cron(expression: str, time_zone: str, *, now: datetime) -> Cron:
    """Check an expression; `now` starts the two years it must be unambiguous in.

    Raises:
        ScheduleError: not six fields, not a time zone, a field out of range,
            or fire times that daylight saving skips or repeats.
    """
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ScheduleError(
            f"Cron {expression!r} has {len(fields)} fields; expected six: second, "
            "minute, hour, day of month, month, day of week (Kubeflow reads five as "
            f"something else); {'0 ' + expression!r} if only the seconds are missing."
        )
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScheduleError(
            f"Time zone {time_zone!r} is not known; expected an IANA name such as "
            "UTC or Europe/Berlin."
        ) from error
    _check_fields(expression, fields)
    cron = Cron(expression, time_zone)
    if next(cron.fire_times(now, now + _HORIZON), None) is None:
        raise ScheduleError(
            f"Cron {expression!r} does not fire within two years; expected a date "
            "that exists; check day of month and month."
        )
    _refuse_ambiguity(expression, zone, now)
    return cron


def _check_fields(expression: str, fields: list[str]) -> None:
    patterns = (_NUMERIC,) * 4 + (_MONTHS, re.compile(r"(?i)[a-z0-9,?*-]+"))
    for name, field, pattern in zip(_FIELDS, fields, patterns, strict=True):
        if not pattern.fullmatch(field):
            raise ScheduleError(
                f"Cron {expression!r}: {name} is {field!r}; expected numbers, ranges, "
                "lists, steps or *, and names only for months and weekdays."
            )
    if _restricted(fields[3]) and _restricted(fields[5]):
        raise ScheduleError(
            f"Cron {expression!r} names a day of month and a weekday; cron means "
            "either, most readers expect both; give one of them and * for the other."
        )
    try:
        _trigger(expression, UTC)
    except ValueError as error:
        raise ScheduleError(f"Cron {expression!r}: {error}; correct it.") from error


def _restricted(field: str) -> bool:
    return field not in {"*", "?"}


def _trigger(expression: str, zone: ZoneInfo | timezone) -> CronTrigger:
    fields = [field.replace("?", "*") for field in expression.split()]
    fields[5] = ",".join(_weekdays(part) for part in fields[5].split(","))
    return CronTrigger(**dict(zip(_FIELDS, fields, strict=True)), timezone=zone)


def _weekdays(part: str) -> str:
    """Names for one element of the weekday field; a range wraps past Saturday."""
    if part == "*":
        return part
    first, _, last = part.partition("-")
    start, end = _weekday(first), _weekday(last or first)
    span = (end - start) % 7 + 1
    return ",".join(_WEEKDAYS[(start + offset) % 7] for offset in range(span))


def _weekday(word: str) -> int:
    names = {name: index for index, name in enumerate(_WEEKDAYS)}
    numbers = {str(index): index for index in range(7)}
    try:
        return (names | numbers)[word.lower()]
    except KeyError:
        raise ValueError(
            f"weekday {word!r} is not one of 0 (Sunday) to 6 or SUN to SAT"
        ) from None


def _refuse_ambiguity(expression: str, zone: ZoneInfo, now: datetime) -> None:
    wall_clock = _trigger(expression, UTC)
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for start, end in _irregular_hours(zone, today):
        moment = wall_clock.get_next_fire_time(None, start)
        if moment is not None and moment < end:
            raise ScheduleError(
                f"Cron {expression!r} in {zone.key} fires at {moment:%Y-%m-%d %H:%M}, "
                "which daylight saving skips or repeats that day; expected every time "
                "to exist once; use UTC or an hour outside the change."
            )


@lru_cache
def _irregular_hours(
    zone: ZoneInfo, today: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """Wall-clock intervals that exist twice or never, written as if in UTC.

    A change is found by the day and placed by the quarter of an hour, on which
    today's zones change.
    """
    found = []
    for day in (today + number * _DAY for number in range(_HORIZON.days)):
        before, after = _offset(zone, day), _offset(zone, day + _DAY)
        if before != after:
            moment = day
            while _offset(zone, moment) == before:
                moment += _QUARTER
            found.append((moment + min(before, after), moment + max(before, after)))
    return tuple(found)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
