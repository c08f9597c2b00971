"""The shapes of the shift desk on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", description="A county day")]
Note = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class SignOnBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which turn (the rostered or running one where it is left out) and at which seat."""

    shift: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    seat: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class SignOffBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the next shift has to know."""

    note: Note


class EntryBody(msgspec.Struct, forbid_unknown_fields=True):
    """A line of the log by hand; kinds: entry, order, visit, fault, weather."""

    text: Note
    kind: Annotated[str, msgspec.Meta(max_length=20)] = "entry"


class RosterEntry(msgspec.Struct, forbid_unknown_fields=True):
    """An account's turn on a day; `shift` null takes it off."""

    day: Day
    account: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    shift: Annotated[str, msgspec.Meta(max_length=20)] | None = None


class RosterBody(msgspec.Struct, forbid_unknown_fields=True):
    """Entries, all or none."""

    entries: Annotated[list[RosterEntry], msgspec.Meta(min_length=1, max_length=2000)]


class CopyBody(msgspec.Struct, forbid_unknown_fields=True, rename={"source": "from", "target": "to"}):
    """The first days of two weeks; the second one is replaced."""

    source: Day
    target: Day


class TurnOut(msgspec.Struct):
    """A turn of the county; `ends` at or before `begins` is on the next day."""

    turn: str
    name: str
    english: str
    begins: str
    ends: str


class TurnSpan(msgspec.Struct):
    """A turn on a day."""

    turn: str
    turn_name: str
    turn_english: str
    day: str
    starts_at: datetime
    ends_at: datetime


class Missing(TurnSpan):
    """Somebody who is rostered now and not signed on."""

    account: str
    name: str


class ShiftOut(msgspec.Struct):
    """Somebody's shift; `ended_at` null while it runs."""

    id: int
    account: str
    name: str
    turn: str
    turn_name: str
    turn_english: str
    day: str
    seat: str
    started_at: datetime
    ended_at: datetime | None


class ShiftDetail(ShiftOut):
    """A shift with the counts of its actions on cases by action, and of its lines in the log by kind."""

    actions: dict[str, int]
    logged: dict[str, int]


class Shifts(msgspec.Struct):
    """A page of shifts, newest first."""

    items: list[ShiftOut]
    next: str | None


class NowOut(msgspec.Struct):
    """The desk at this moment; `suggested` is the turn one would sign on to."""

    at: datetime
    running: list[TurnSpan]
    mine: ShiftOut | None
    on_duty: list[ShiftOut]
    missing: list[Missing]
    turns: list[TurnOut]
    suggested: str | None


class OpenItem(msgspec.Struct):
    """How many there are (1000 means so many or more), and the first case numbers."""

    count: int
    numbers: list[str]


class OpenItems(msgspec.Struct):
    """What is open at the desk: by state, and overdue cases, waiting requests, supervisions, missing call-backs."""

    states: dict[str, OpenItem]
    overdue: OpenItem
    requests: OpenItem
    supervisions: OpenItem
    callbacks: OpenItem


class HandoverOut(msgspec.Struct):
    """What a shift left behind; `confirmed_at` null until the next shift took it over."""

    id: int
    shift: int
    account: str
    name: str
    turn: str
    turn_name: str
    turn_english: str
    day: str
    seat: str
    at: datetime
    note: str
    items: OpenItems
    confirmed_by: str | None
    confirmed_name: str | None
    confirmed_at: datetime | None


class Handovers(msgspec.Struct):
    """A page of handovers, newest first."""

    items: list[HandoverOut]
    next: str | None


class LogLine(msgspec.Struct):
    """A line of the log; `subject` is a camera's code, a call's or handover's key, a turn."""

    id: int
    at: datetime
    account: str
    name: str
    shift_id: int | None
    kind: str
    subject: str
    text: str


class LogPage(msgspec.Struct):
    """A page of the log, newest first."""

    items: list[LogLine]
    next: str | None


class Rostered(msgspec.Struct):
    """An account of the desk."""

    account: str
    name: str


class RosterCell(msgspec.Struct):
    """An account's turn on a day."""

    day: str
    account: str
    turn: str


class RosterOut(msgspec.Struct):
    """Some days of the roster."""

    days: list[str]
    turns: list[TurnOut]
    staff: list[Rostered]
    entries: list[RosterCell]


class Saved(msgspec.Struct):
    """How many entries were written."""

    entries: int
