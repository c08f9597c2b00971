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

_READ = "SELECT county, feed, cursor, type, key, items, pulled_at, coalesce(seen, cursor) FROM {} WHERE id = 1"
_BEGIN = text(
    "INSERT INTO replica (id, county, feed, cursor, type, key, items, seen) "
    "VALUES (1, :county, :feed, :cursor, :type, NULL, 0, :cursor) ON CONFLICT (id) DO UPDATE SET "
    "county = excluded.county, feed = excluded.feed, cursor = excluded.cursor, type = excluded.type, key = NULL, "
    "seen = excluded.seen"
)
_SNAPSHOT_STEP = text(
    "UPDATE replica SET type = :type, key = :key, items = items + :items, pulled_at = :now WHERE id = 1"
)
_CHANGES_STEP = text(
    "UPDATE replica SET cursor = :cursor, seen = :seen, items = items + :items, pulled_at = :now WHERE id = 1"
)


class TooNew(Broken):
    """Records have a newer shape than this software knows; no snapshot mends that."""


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
    """How far a replica is; `type` and `key` while its snapshot is not whole yet.

    `cursor` is where the next page begins; `seen` the last change that was taken in, or the snapshot's cursor.
    """

    county: str
    feed: str
    cursor: int
    type: str | None
    key: str | None
    items: int
    pulled_at: int | None
    seen: int

    @property
    def whole(self) -> bool:
        """Whether the snapshot is complete, so that changes may follow."""
        return self.type is None


def replica_state(connection: Connection, table: str = "replica") -> ReplicaState | None:
    """How far this replica is, None before the first snapshot began.

    Args:
        table: where it stands, one of our own names, for who sees several replicas.
    """
    row = connection.execute(text(_READ.format(table))).one_or_none()
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
    "unit_grid", "department", "score",
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

    A page that was taken in already, or an older one, changes nothing.

    Args:
        types: the types this replica follows.

    Raises:
        Broken: a change is missing. TooNew: records have a newer shape than this software knows. Invalid: a record that
            is none of its type.
    """
    state = replica_state(unit.connection)
    assert state is not None
    if next_ < state.cursor:
        return 0
    items = [item for item in items if item.seq > state.seen]
    _prove_complete(items, state.seen, next_)
    _prove_readable(items)
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
    seen = items[-1].seq if items else state.seen
    unit.connection.execute(_CHANGES_STEP, {"cursor": next_, "seen": seen, "items": len(items), "now": unit.now})
    return len(known)


def _prove_complete(items: Sequence[Item], seen: int, next_: int) -> None:
    """Each item names the one before it; the first one must name none that is newer than the last that was taken in.

    That is more than a cursor proves: a page may move the cursor past a change which it left out.
    """
    for index, item in enumerate(items):
        if item.prev != items[index - 1].seq if index else item.prev > seen:
            raise Broken(
                f"数据流在 {item.seq} 之前缺少 {item.prev} (收到的最后一条是 {seen});请重新取快照。",
                f"The feed lacks {item.prev} before {item.seq} (the last that came is {seen}). Take a snapshot.",
            )
    if items and items[-1].seq > next_:
        raise Broken(
            f"这一页到 {items[-1].seq},游标却是 {next_};请重新取快照。",
            f"The page ends at {items[-1].seq} and its cursor is {next_}. Take a snapshot.",
        )


def _prove_readable(items: Sequence[Item]) -> None:
    """Members may come without a new schema; a new one means that a member changed its meaning."""
    for item in items:
        known = KINDS[item.type].schema if item.type in KINDS else item.schema
        if item.schema > known:
            raise TooNew(
                f"{item.type} 的记录是第 {item.schema} 版,本软件只认到第 {known} 版;请先升级本平台。",
                f"Records of type {item.type} have schema {item.schema}, this software knows {known}; upgrade this "
                "platform first.",
            )


def _put(connection: Connection, kind: Kind, records: list[dict[str, Any]]) -> None:
    try:
        kind.put(connection, records)
    except (KeyError, TypeError, AttributeError) as error:
        raise Invalid(
            f"{kind.name} 的记录缺少或写错字段: {error}。", f"A record of type {kind.name} has a wrong member: {error}."
        ) from error
