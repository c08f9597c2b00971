"""A puller without a network: reads pages and slices as the exchange port does, and lands them in a replica."""

from __future__ import annotations

import random

import msgspec
from sqlalchemy import Connection

from appliance.exchange.kinds.all import KINDS
from appliance.exchange.kinds.base import Sight
from appliance.exchange.landing import Item, Line, begin_snapshot, land_changes, land_snapshot, replica_state
from appliance.exchange.reading import feed_state, read_changes, read_snapshot
from appliance.records.store import Records

EVERYTHING = tuple(KINDS)
PLAIN = Sight()
"""Without lights, as a replica keeps its cases."""


def sights(sight: Sight = PLAIN) -> dict[str, Sight]:
    """The same sight of everything."""
    return {kind.scope: sight for kind in KINDS.values()}


def lines(records: Records, sight: Sight = PLAIN) -> dict[str, list[tuple[str, bytes]]]:
    """Every record of every type, by type, in the order of the keys."""
    with records.read() as connection:
        return lines_of(connection, sight)


def lines_of(connection: Connection, sight: Sight = PLAIN) -> dict[str, list[tuple[str, bytes]]]:
    """The same over a connection."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    for name, kind in KINDS.items():
        after: str | None = ""
        while after is not None:
            page = kind.page(connection, after or None, 7, sight)
            found.setdefault(name, []).extend(page.lines)
            after = page.next
    return found


def take_snapshot(county: Records, replica: Records, sight: Sight = PLAIN) -> None:
    """A whole snapshot, slice by slice."""
    with county.read() as connection:
        state = feed_state(connection)
    replica.write(lambda unit: begin_snapshot(unit, "411081", state.name, state.last, EVERYTHING))
    while snapshot_slice(county, replica, sight):
        continue


def snapshot_slice(county: Records, replica: Records, sight: Sight = PLAIN) -> bool:
    """The next slice of a snapshot; False when it is whole."""
    with replica.read() as connection:
        at = replica_state(connection)
    assert at is not None
    if at.type is None:
        return False
    with county.read() as connection:
        told, page = read_snapshot(connection, KINDS[at.type], at.key, sight)
    type_: str | None = at.type
    if page.next is None:
        after = EVERYTHING.index(at.type) + 1
        type_ = EVERYTHING[after] if after < len(EVERYTHING) else None
    taken = [msgspec.json.decode(line, type=Line) for line in told]
    replica.write(lambda unit: land_snapshot(unit, taken, type_, page.next))
    return True


def pull(county: Records, replica: Records, sight: Sight = PLAIN, limits: random.Random | None = None) -> int:
    """Changes until none are left; returns how many pages it took."""
    pages, more = 0, True
    while more:
        with replica.read() as connection:
            at = replica_state(connection)
        assert at is not None
        limit = limits.randint(1, 9) if limits else 1000
        with county.read() as connection:
            page = read_changes(connection, at.cursor, limit, EVERYTHING, sights(sight), at.feed)
        items = [msgspec.json.decode(item, type=Item) for item in page.items]
        replica.write(lambda unit, items=items, page=page: land_changes(unit, items, page.next, EVERYTHING))
        pages, more = pages + 1, page.more
    return pages
