"""The open cases of the county in memory: what the map and the wall are drawn from.

There are some thousands at a time. They are read in one walk of the index of open cases when the feed went on, at most
once a second, and shared by everybody who looks. No description, address or reporter is among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, text

from appliance.cases.deadlines import light
from appliance.cases.sight import sees_all
from appliance.cases.walks import seen_ids
from appliance.records.feed import last_seq

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

FRESH = 1_000_000
"""Microseconds for which they are believed although the feed went on; five times as long when it did not."""

_OPEN = text(
    "SELECT id, number, kind, edition, code, name, state, department, street, community, lon, lat, reported_at, "
    "clock_started_at, due_at FROM cases INDEXED BY ix_cases_open WHERE is_open ORDER BY id"
)
_SUPERVISED = text(
    "SELECT DISTINCT s.case_id FROM cases c INDEXED BY ix_cases_open "
    "CROSS JOIN supervision s ON s.case_id = c.id WHERE c.is_open AND s.cleared_at IS NULL"
)


class OpenCase(msgspec.Struct, frozen=True):
    """An open case: where it is, what it is, and how urgent. Times are microseconds."""

    id: int
    number: str
    kind: str
    edition: str
    code: str
    name: str
    state: str
    department: str | None
    street: str | None
    community: str | None
    lon: float
    lat: float
    reported_at: int
    due_at: int | None
    light: str | None
    supervised: bool


def open_cases(connection: Connection, office: Office, *, newest: bool = False) -> list[OpenCase]:
    """All open cases in the order in which they came; with `newest` as they are now, though the feed just went on."""
    seq, now = last_seq(connection), office.records.clock.now()
    known = office.last_open
    if known is not None:
        age = now - known[1]
        if (not newest and 0 <= age < FRESH) or (known[0] == seq and 0 <= age < 5 * FRESH):
            return known[2]
    found = _read(connection, now, office.settings.desk.yellow_at)
    office.last_open = (seq, now, found)
    return found


def seen_open_cases(connection: Connection, office: Office, actor: Actor) -> list[OpenCase]:
    """The open cases that this person may see."""
    found = open_cases(connection, office)
    if sees_all(actor) or "wall" in actor.roles:
        return found
    seen = set(seen_ids(connection, actor, office.workflow.open_states))
    return [case for case in found if case.id in seen]


def _read(connection: Connection, now: int, yellow_at: float) -> list[OpenCase]:
    supervised = set(connection.execute(_SUPERVISED).scalars())
    return [
        OpenCase(
            row.id, row.number, row.kind, row.edition, row.code, row.name, row.state, row.department, row.street,
            row.community, row.lon, row.lat, row.reported_at, row.due_at,
            light(now, row.clock_started_at, row.due_at, yellow_at), row.id in supervised,
        )
        for row in connection.execute(_OPEN)
    ]  # fmt: skip
