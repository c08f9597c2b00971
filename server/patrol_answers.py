"""The shapes of the walked patrols on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec


class Walker(msgspec.Struct):
    """An account that passed unit grids, and how many; `own` where the duty grid is this account's."""

    who: str
    name: str
    grids: int
    own: bool


class RoundOut(msgspec.Struct):
    """A round: `done_at` is null while the share is not reached; `grids` counts what was passed in it."""

    began_at: datetime
    done_at: datetime | None
    grids: int


class DutyGridOut(msgspec.Struct):
    """A duty grid on a day.

    `rounds_due` are due on the whole day, `rounds_due_now` by this moment; `needed` unit grids of `grids` make a round;
    `share` of them was passed at all.
    """

    duty_grid: str
    name: str
    collector: str | None
    collector_name: str | None
    rounds_due: int
    rounds_due_now: int
    rounds_done: int
    grids: int
    needed: int
    passed: int
    share: float
    last_at: datetime | None
    last_by: str | None
    last_by_name: str | None
    behind: bool
    behind_since: datetime | None
    walkers: list[Walker]
    rounds: list[RoundOut]
    counted_at: datetime | None


class Patrols(msgspec.Struct):
    """A page of duty grids by code."""

    day: str
    items: list[DutyGridOut]
    next: str | None


class WorstOut(msgspec.Struct):
    """A duty grid that is far behind."""

    duty_grid: str
    name: str
    collector_name: str | None
    rounds_done: int
    rounds_due_now: int
    rounds_due: int
    share: float


class AlarmNumbers(msgspec.Struct):
    """How many alarms there are now: duty grids, collectors, cameras."""

    behind: int
    silent: int
    camera: int


class Summary(msgspec.Struct):
    """The sum of all duty grids that are walked; extra rounds do not make up for missing ones elsewhere."""

    day: str
    counted_at: datetime | None
    duty_grids: int
    behind: int
    rounds_due: int
    rounds_due_now: int
    rounds_done: int
    grids: int
    passed: int
    share: float | None
    worst: list[WorstOut]
    alarms: AlarmNumbers


class Alarm(msgspec.Struct):
    """What is not patrolled: a duty grid (`missing` rounds since `since`), a collector last heard of, a camera due."""

    kind: Literal["behind", "silent", "camera"]
    code: str
    name: str
    account: str | None
    account_name: str | None
    since: datetime | None
    missing: int | None


class Alarms(msgspec.Struct):
    """A page of alarms by kind and code, and how many there are."""

    at: datetime
    numbers: AlarmNumbers
    items: list[Alarm]
    next: str | None


class PeriodRow(msgspec.Struct):
    """A collector or duty grid: `rate` is rounds done by rounds due, `share` unit grids passed, day by day."""

    code: str
    name: str
    days: int
    rounds_due: int
    rounds_done: int
    rate: float
    grids: int
    passed: int
    share: float | None


class Period(msgspec.Struct, rename={"first": "from", "last": "to"}):
    """A page of a period by code."""

    first: str
    last: str
    by: str
    items: list[PeriodRow]
    next: str | None


class Odd(msgspec.Struct):
    """A position that cannot be; `speed` in metres a second would have been needed to get there."""

    who: str
    name: str
    at: datetime
    lon: float
    lat: float
    speed: float


class OddPositions(msgspec.Struct):
    """A page of odd positions by person and time."""

    day: str
    items: list[Odd]
    next: str | None


class Stay(msgspec.Struct):
    """Somebody in a unit grid."""

    who: str
    name: str
    own: bool
    entered_at: datetime
    left_at: datetime


class UnitGridOut(msgspec.Struct):
    """A unit grid on a day; `level` 0 not passed, 1 passed, 2 in as many rounds as the plan asks for."""

    grid: str
    name: str
    lon: float
    lat: float
    walks: int
    rounds: int
    level: int
    last_at: datetime | None
    stays: list[Stay]


class OneDutyGrid(msgspec.Struct):
    """A duty grid and a page of its unit grids by code."""

    day: str
    of: DutyGridOut
    items: list[UnitGridOut]
    next: str | None
