"""The local scheduler's memory: which trigger became which run.

One row a trigger, written before its run starts, so that a scheduler killed at
any moment knows what it was doing. SQLite beside APScheduler's own job store.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sql

State = Literal["running", "succeeded", "failed", "missed"]

_METADATA = sql.MetaData()
_TRIGGERS = sql.Table(
    "scheduled_triggers",
    _METADATA,
    sql.Column("schedule", sql.String, primary_key=True),
    sql.Column("due", sql.String, primary_key=True),
    sql.Column("state", sql.String, nullable=False),
    sql.Column("attempts", sql.Integer, nullable=False),
    sql.Column("started", sql.String),
    sql.Column("finished", sql.String),
    sql.Column("detail", sql.String, nullable=False),
)
_SCHEDULES = sql.Table(
    "scheduled_watermarks",
    _METADATA,
    sql.Column("schedule", sql.String, primary_key=True),
    sql.Column("handled_until", sql.String, nullable=False),
    sql.Column("paused", sql.Boolean, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """What became of one trigger; all times in UTC."""

    schedule: str
    due: datetime
    state: State
    attempts: int
    started: datetime | None
    finished: datetime | None
    detail: str


class Ledger:
    """Every method is one transaction; `now` is always given by the caller."""

    def __init__(self, database: str) -> None:
        self._engine = sql.create_engine(database)
        _METADATA.create_all(self._engine)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def register(self, schedule: str, now: datetime) -> None:
        """Start counting a schedule's triggers now, unless it is known."""
        with self._engine.begin() as connection:
            if self._watermark(connection, schedule) is None:
                connection.execute(
                    _SCHEDULES.insert().values(
                        schedule=schedule, handled_until=_text(now), paused=False
                    )
                )

    def handled_until(self, schedule: str) -> datetime:
        """Triggers up to this moment have a row or were passed over."""
        with self._engine.begin() as connection:
            row = self._watermark(connection, schedule)
        if row is None:
            raise KeyError(schedule)
        return _moment(row.handled_until)

    def is_paused(self, schedule: str) -> bool:
        """Whether an operator paused it."""
        with self._engine.begin() as connection:
            row = self._watermark(connection, schedule)
        return row is not None and bool(row.paused)

    def set_paused(self, schedule: str, paused: bool, now: datetime) -> None:
        """Pause, or resume with the next trigger after `now`."""
        with self._engine.begin() as connection:
            connection.execute(
                _SCHEDULES.update()
                .where(_SCHEDULES.c.schedule == schedule)
                .values(paused=paused, handled_until=_text(now))
            )

    def pass_over(self, schedule: str, now: datetime) -> None:
        """Forget the triggers up to `now`, as while a schedule is off."""
        with self._engine.begin() as connection:
            self._advance(connection, schedule, now)

    def claim(
        self, schedule: str, due: datetime, missed: tuple[datetime, ...], now: datetime
    ) -> None:
        """Start the run of `due`; `missed` are the triggers it stands for."""
        with self._engine.begin() as connection:
            for moment in missed:
                row = _row(schedule, moment, "missed", "a later trigger was run")
                connection.execute(_TRIGGERS.insert().values(**row))
            row = _row(schedule, due, "running", "") | {"started": _text(now)}
            connection.execute(_TRIGGERS.insert().values(**row | {"attempts": 1}))
            self._advance(connection, schedule, due)

    def miss(
        self, schedule: str, missed: tuple[datetime, ...], now: datetime, why: str
    ) -> None:
        """Record triggers that will not be run."""
        with self._engine.begin() as connection:
            for moment in missed:
                row = _row(schedule, moment, "missed", why)
                connection.execute(_TRIGGERS.insert().values(**row))
            self._advance(connection, schedule, now)

    def restart(self, schedule: str, due: datetime) -> None:
        """Count another attempt at a run that a kill interrupted."""
        with self._engine.begin() as connection:
            connection.execute(
                _TRIGGERS.update()
                .where(_TRIGGERS.c.schedule == schedule, _TRIGGERS.c.due == _text(due))
                .values(attempts=_TRIGGERS.c.attempts + 1)
            )

    def finish(
        self, schedule: str, due: datetime, state: State, detail: str, now: datetime
    ) -> None:
        """Record how a run ended."""
        with self._engine.begin() as connection:
            connection.execute(
                _TRIGGERS.update()
                .where(_TRIGGERS.c.schedule == schedule, _TRIGGERS.c.due == _text(due))
                .values(state=state, detail=detail, finished=_text(now))
            )

    def interrupted(self, schedule: str) -> tuple[Trigger, ...]:
        """Runs that started and whose end nobody recorded."""
        query = _TRIGGERS.select().where(
            _TRIGGERS.c.schedule == schedule, _TRIGGERS.c.state == "running"
        )
        with self._engine.begin() as connection:
            return tuple(_trigger(row) for row in connection.execute(query))

    def triggers(self, schedule: str | None = None) -> tuple[Trigger, ...]:
        """Every recorded trigger, oldest first."""
        query = _TRIGGERS.select().order_by(_TRIGGERS.c.due, _TRIGGERS.c.schedule)
        if schedule is not None:
            query = query.where(_TRIGGERS.c.schedule == schedule)
        with self._engine.begin() as connection:
            return tuple(_trigger(row) for row in connection.execute(query))

    def _watermark(
        self, connection: sql.Connection, schedule: str
    ) -> sql.Row[Any] | None:
        query = _SCHEDULES.select().where(_SCHEDULES.c.schedule == schedule)
        return connection.execute(query).one_or_none()

    def _advance(
        self, connection: sql.Connection, schedule: str, until: datetime
    ) -> None:
        connection.execute(
            _SCHEDULES.update()
            .where(
                _SCHEDULES.c.schedule == schedule,
                _SCHEDULES.c.handled_until < _text(until),
            )
            .values(handled_until=_text(until))
        )


def _row(
    schedule: str, due: datetime, state: State, detail: str
) -> dict[str, str | int]:
    return {
        "schedule": schedule,
        "due": _text(due),
        "state": state,
        "attempts": 0,
        "detail": detail,
    }


def _trigger(row: sql.Row[Any]) -> Trigger:
    return Trigger(
        schedule=row.schedule,
        due=_moment(row.due),
        state=row.state,
        attempts=row.attempts,
        started=_moment(row.started) if row.started else None,
        finished=_moment(row.finished) if row.finished else None,
        detail=row.detail,
    )


def _text(moment: datetime) -> str:
    """Sorts as text in the order of time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
