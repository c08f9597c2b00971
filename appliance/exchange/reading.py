"""What a reader above gets: pages of changes that prove themselves complete, and snapshots (CONTRACT.md "Exchange").

An item carries the record as it is when it is read, and `prev`, the number of the change before it that the same filter
shows. So a reader sees by itself that nothing is missing, whatever its filter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from appliance.clock import rfc3339
from appliance.errors import Gone
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.kinds.base import Kind, Page, Sight, encode
from appliance.records.feed import FeedRow, changes_after

ITEMS_AT_MOST = 10_000
Sights = Mapping[str, Sight]
SNAPSHOT_SLICE = 2_000

_STATE = text("SELECT name, first, last FROM feed WHERE id = 1")
_LAST_BEFORE = text("SELECT max(seq) FROM change WHERE type = :type AND seq <= :after")
_FORGOTTEN = text("SELECT max(seq) FROM forgotten_change WHERE type IN :types").bindparams(
    bindparam("types", expanding=True)
)
_MORE = text("SELECT EXISTS (SELECT 1 FROM change WHERE seq > :after AND type IN :types)").bindparams(
    bindparam("types", expanding=True)
)


@dataclass(frozen=True, slots=True)
class FeedState:
    """The feed's name, and the numbers of the first and last change that are kept; `last` is 0 in an empty feed."""

    name: str
    first: int
    last: int

    def check(self, cursor: int, name: str | None = None) -> None:
        """Refuse a cursor that cannot be gone on from.

        Raises:
            Gone: older than what is kept, newer than the last change, or of another feed.
        """
        if name is not None and name != self.name:
            raise Gone(
                "这不是原来的数据流(县里从备份恢复过,或游标属于另一个县);请重新取快照。",
                "This is another feed: the county was restored from a backup, or the cursor is of another county. Take "
                "a snapshot.",
                feed=self.name,
            )
        if cursor < self.first - 1 or cursor > self.last:
            raise Gone(
                f"游标 {cursor} 不在保留范围 {self.first - 1}–{self.last} 内;请重新取快照。",
                f"The cursor {cursor} is outside of what is kept, {self.first - 1} to {self.last}. Take a snapshot.",
                first=self.first,
                last=self.last,
                feed=self.name,
            )


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of changes.

    Attributes:
        items: each a change as JSON.
        next: the cursor of the next call. more: whether the next page is there already.
    """

    items: list[bytes]
    next: int
    more: bool
    state: FeedState


def feed_state(connection: Connection) -> FeedState:
    """What is kept of the feed now."""
    return FeedState(*connection.execute(_STATE).one())


def read_changes(
    connection: Connection, after: int, limit: int, types: Sequence[str], sights: Sights, feed: str | None = None
) -> Changes:
    """The changes after a cursor, of these types; `limit` at most.

    A record that is gone, or out of this reader's sight, is told as deleted.

    Args:
        sights: how records are shown, by the scope that a reader needs for them.
        feed: the name of the feed which the cursor is of, where the reader knows it.

    Raises:
        Gone: see `FeedState.check`.
    """
    state = feed_state(connection)
    state.check(after, feed)
    whole = set(types) >= set(KINDS)
    rows = changes_after(connection, after, limit, None if whole else types)
    items = list(_items(connection, rows, _seen_before(connection, after, types), sights))
    if len(rows) < limit:
        return Changes(items, state.last, False, state)
    last = rows[-1].seq
    more = bool(connection.execute(_MORE, {"after": last, "types": list(types)}).scalar_one())
    return Changes(items, last if more else state.last, more, state)


def read_snapshot(connection: Connection, kind: Kind, after: str | None, sight: Sight) -> tuple[list[bytes], Page]:
    """A slice of a snapshot: its lines of NDJSON, and the page they came from."""
    page = kind.page(connection, after, SNAPSHOT_SLICE, sight)
    head = b'{"type":"' + kind.name.encode() + b'","id":'
    return [b"".join((head, encode(id_), b',"data":', data, b"}\n")) for id_, data in page.lines], page


def _seen_before(connection: Connection, after: int, types: Sequence[str]) -> int:
    """The last change up to a cursor that is of these types, 0 if there was none; also where it was forgotten since."""
    kept = [connection.execute(_LAST_BEFORE, {"type": name, "after": after}).scalar_one() or 0 for name in types]
    found = max(kept, default=0)
    return found or int(connection.execute(_FORGOTTEN, {"types": list(types)}).scalar_one() or 0)


def _items(connection: Connection, rows: Sequence[FeedRow], before: int, sights: Sights) -> Iterator[bytes]:
    wanted: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.op == "put":
            wanted.setdefault(row.type, {})[row.id] = None
    data = {
        kind.name: kind.records(connection, list(wanted[kind.name]), sights[kind.scope])
        for kind in KINDS.values()
        if kind.name in wanted
    }
    for row in rows:
        there = data.get(row.type, {}).get(row.id) if row.op == "put" else None
        schema = KINDS[row.type].schema if row.type in KINDS else 1
        yield b'{"seq":%d,"type":"%s","id":%s,"op":"%s","at":"%s","schema":%d,"prev":%d,"data":%s}' % (
            row.seq, row.type.encode(), encode(row.id), b"delete" if there is None else b"put",
            (rfc3339(row.at) or "").encode(), schema, before, there or b"null",
        )  # fmt: skip
        before = row.seq
