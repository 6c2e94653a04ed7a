"""Six-field cron: what it accepts, and that it fires when cron would."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.cron import parse_cron
from pipelines.failures import ScheduleError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def fires(expression: str, zone: str = "UTC", until: datetime = YEAR) -> list[datetime]:
    return list(parse_cron(expression, zone, now=NOW).fire_times(NOW, until))


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("0 0 3 * * *", 365),
        ("0 0 3 * * 0", 52),
        ("0 0 3 * * SUN", 52),
        ("0 0 3 ? * MON-FRI", 261),
        ("0 0 3 * * 5-0", 156),
        ("0 30 */6 * * *", 1460),
        ("0 0 3 1 * *", 12),
        ("0 0 3 31 * *", 7),
        ("15 0 0 1 JAN,JUL *", 2),
    ],
)
def test_runs_in_2026(expression, count):
    assert len(fires(expression)) == count


def test_zero_is_sunday_as_in_cron_and_not_monday():
    assert {moment.weekday() for moment in fires("0 0 3 * * 0")} == {6}


def test_a_local_hour_stays_put_across_daylight_saving():
    moments = fires("0 0 9 * * *", "Europe/Berlin")
    local = [moment.astimezone(ZoneInfo("Europe/Berlin")) for moment in moments]
    assert len(local) == 365
    assert {moment.hour for moment in local} == {9}
    assert {moment.hour for moment in moments} == {7, 8}


@pytest.mark.parametrize(
    ("expression", "zone", "message"),
    [
        ("0 2 * * *", "UTC", "has 5 fields; expected six"),
        ("@daily", "UTC", "has 1 fields"),
        ("0 0 3 * * * 2026", "UTC", "has 7 fields"),
        ("0 0 25 * * *", "UTC", "25"),
        ("0 0 3 * * 7", "UTC", r"weekday '7' is not one of 0 \(Sunday\)"),
        ("0 0 3 L * *", "UTC", "day is 'L'"),
        ("0 0 3 1 * MON", "UTC", "day of month and a weekday"),
        ("0 0 3 30 FEB *", "UTC", "does not fire"),
        ("0 0 3 * * *", "Mars/Olympus", "is not known"),
        ("0 30 2 * * *", "Europe/Berlin", "skips or repeats"),
        ("0 30 1 * * *", "America/New_York", "skips or repeats"),
        ("0 0 * * * *", "Europe/Berlin", "skips or repeats"),
    ],
)
def test_what_would_not_do_what_it_says_is_refused(expression, zone, message):
    with pytest.raises(ScheduleError, match=message):
        parse_cron(expression, zone, now=NOW)


def test_the_hours_beside_the_change_are_fine():
    assert len(fires("0 30 1 * * *", "Europe/Berlin")) == 365
    assert len(fires("0 0 3 * * *", "Europe/Berlin")) == 365
    assert len(fires("0 0 * * * *", "Asia/Kolkata")) == 8760


@settings(max_examples=20, deadline=None)
@given(
    minute=st.sampled_from(["0", "30", "*/20", "10-12"]),
    hour=st.sampled_from(["*", "3", "9-17/4", "0,12"]),
    month=st.sampled_from(["*", "1", "JAN-MAR", "2"]),
    weekday=st.one_of(st.just("*"), st.sampled_from(["0", "1-5", "6-1", "TUE,SAT"])),
)
def test_it_agrees_with_reading_the_clock_minute_by_minute(
    minute, hour, month, weekday
):
    days = 12
    found = fires(
        f"0 {minute} {hour} * {month} {weekday}", until=NOW + timedelta(days=days)
    )
    minutes, hours = values(minute, 60), values(hour, 24)
    months, weekdays = values(month, 13), values(weekday, 7)
    moments = (NOW + timedelta(minutes=n) for n in range(1, days * 24 * 60 + 1))
    expected = [
        moment
        for moment in moments
        if moment.minute in minutes
        and moment.hour in hours
        and moment.month in months
        and (moment.weekday() + 1) % 7 in weekdays
    ]
    assert found == expected


def values(text: str, limit: int) -> set[int]:
    """A second reading of a cron field, for the comparison only."""
    names = {"TUE": 2, "SAT": 6, "JAN": 1, "MAR": 3}
    found: set[int] = set()
    for part in text.split(","):
        body, _, step = part.partition("/")
        first, _, last = body.partition("-")
        if body == "*":
            span = range(limit)
        else:
            start = names[first] if first in names else int(first)
            end = names.get(last, int(last) if last.isdigit() else start)
            end += limit if end < start else 0
            span = range(start, end + 1)
        found |= {value % limit for value in span[:: int(step or 1)]}
    return found
