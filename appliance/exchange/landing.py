"""The side above: a replica takes in a county's snapshot and then its changes, each page in one transaction.

Where it is stands in `replica`, written with the page itself; so whatever stops it, the next page is asked for where
the last one ended, and a page that comes twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.errors import Broken, Invalid
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.kinds.base import Kind
from appliance.records.writer import Unit

_READ = text("SELECT county, feed, cursor, type, key, items, pulled_at FROM replica WHERE id = 1")
_BEGIN = text(
    "INSERT INTO replica (id, county, feed, cursor, type, key, items) "
    "VALUES (1, :county, :feed, :cursor, :type, NULL, 0) ON CONFLICT (id) DO UPDATE SET county = excluded.county, "
    "feed = excluded.feed, cursor = excluded.cursor, type = excluded.type, key = NULL"
)
_SNAPSHOT_STEP = text(
    "UPDATE replica SET type = :type, key = :key, items = items + :items, pulled_at = :now WHERE id = 1"
)
_CHANGES_STEP = text("UPDATE replica SET cursor = :cursor, items = items + :items, pulled_at = :now WHERE id = 1")


class Item(msgspec.Struct):
    """A change as it comes from the county."""

    seq: int
    type: str
    id: str
    op: str
    at: str
    schema: int
    prev: int
    data: dict[str, Any] | None


class Line(msgspec.Struct):
    """A record of a snapshot as it comes from the county."""

    type: str
    id: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """How far a replica is; `type` and `key` while its snapshot is not whole yet."""

    county: str
    feed: str
    cursor: int
    type: str | None
    key: str | None
    items: int
    pulled_at: int | None

    @property
    def whole(self) -> bool:
        """Whether the snapshot is complete, so that changes may follow."""
        return self.type is None


def replica_state(connection: Connection) -> ReplicaState | None:
    """How far this replica is, None before the first snapshot began."""
    row = connection.execute(_READ).one_or_none()
    return None if row is None else ReplicaState(*row)


def begin_snapshot(unit: Unit, county: str, feed: str, cursor: int, types: Sequence[str]) -> None:
    """Empty the replica and note from which cursor changes will follow.

    Args:
        types: those that will come; the first one is asked for next.
    """
    for table in _TABLES:
        unit.connection.execute(text(f'DELETE FROM "{table}"'))  # noqa: S608  # names of our own tables
    values = {"county": county, "feed": feed, "cursor": cursor, "type": next(iter(types), None)}
    unit.connection.execute(_BEGIN, values)


_TABLES = (
    "supervision", "request", "case_action", "reporter", "case_record", "cases", "part", "place", "duty_grid",
    "unit_grid", "department",
)  # fmt: skip


def land_snapshot(unit: Unit, lines: Sequence[Line], type_: str | None, key: str | None) -> None:
    """Take in a slice of a snapshot.

    Args:
        type_, key: what is to be asked for next; `type_` None when the snapshot is whole.

    Raises:
        Invalid: a record that is none of its type.
    """
    for name, group in groupby(lines, key=lambda line: line.type):
        _put(unit.connection, KINDS[name], [line.data for line in group])
    unit.connection.execute(_SNAPSHOT_STEP, {"type": type_, "key": key, "items": len(lines), "now": unit.now})


def land_changes(unit: Unit, items: Sequence[Item], next_: int, types: Sequence[str]) -> int:
    """Take in a page of changes and move the cursor; returns how many records were written or forgotten.

    Args:
        types: the types this replica follows.

    Raises:
        Broken: a number is missing between two items. Invalid: a record that is none of its type.
    """
    state = replica_state(unit.connection)
    assert state is not None
    items = [item for item in items if item.seq > state.cursor]
    _prove_complete(items, state.cursor)
    latest: dict[tuple[str, str], Item] = {}
    for item in items:
        latest.pop((item.type, item.id), None)
        latest[item.type, item.id] = item
    order = {name: place for place, name in enumerate(KINDS)}
    known = sorted((item for item in latest.values() if item.type in order), key=lambda item: order[item.type])
    for name, group in groupby(known, key=lambda item: item.type):
        same = list(group)
        _put(unit.connection, KINDS[name], [item.data for item in same if item.op == "put" and item.data is not None])
        KINDS[name].delete(unit.connection, [item.id for item in same if item.op == "delete"])
    unit.connection.execute(_CHANGES_STEP, {"cursor": next_, "items": len(items), "now": unit.now})
    return len(known)


def _prove_complete(items: Sequence[Item], cursor: int) -> None:
    """Each item names the one before it; what the first one names must not lie behind the cursor."""
    for index, item in enumerate(items):
        missing = item.prev != items[index - 1].seq if index else item.prev > cursor
        if missing:
            raise Broken(
                f"数据流在 {item.seq} 之前缺少 {item.prev} (游标 {cursor});请重新取快照。",
                f"The feed lacks {item.prev} before {item.seq} (cursor {cursor}). Take a snapshot.",
            )


def _put(connection: Connection, kind: Kind, records: list[dict[str, Any]]) -> None:
    try:
        kind.put(connection, records)
    except (KeyError, TypeError, AttributeError) as error:
        raise Invalid(
            f"{kind.name} 的记录缺少或写错字段: {error}。", f"A record of type {kind.name} has a wrong member: {error}."
        ) from error
