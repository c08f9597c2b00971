"""The change feed: every change of a shared record in one gapless row of numbers, written with the change itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from appliance.records.sql import Sql

TYPES = (
    "case", "case_action", "request", "supervision", "part", "grid", "duty_grid", "place", "department", "score",
)  # fmt: skip
"""Every type of record that is in the feed; within one unit of work they are numbered in this order."""

_ORDER = {name: place for place, name in enumerate(TYPES)}

_ADVANCE = Sql("UPDATE feed SET last = last + :count WHERE id = 1 RETURNING last")
_INSERT = Sql("INSERT INTO change (seq, type, id, op, at) VALUES (:seq, :type, :id, :op, :at)")


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One row of the feed; `at` in microseconds."""

    seq: int
    type: str
    id: str
    op: str
    at: int


def append(connection: Connection, changes: Sequence[tuple[str, str, str]], at: int) -> int:
    """Write `(type, id, op)` changes with the next numbers and return the last one.

    The number comes from the table, never from memory: a command in another process may have written since. A case
    comes before what hangs on it, so that whoever takes in change after change knows the case first.
    """
    changes = sorted(changes, key=lambda change: _ORDER[change[0]])
    last: int = _ADVANCE.value(connection, {"count": len(changes)})
    first = last - len(changes) + 1
    _INSERT.many(
        connection,
        [
            {"seq": first + offset, "type": type_, "id": id_, "op": op, "at": at}
            for offset, (type_, id_, op) in enumerate(changes)
        ],
    )
    return last


def last_seq(connection: Connection) -> int:
    """The number of the newest change, 0 in an empty feed."""
    return int(connection.execute(text("SELECT last FROM feed WHERE id = 1")).scalar_one())


def feed_name(connection: Connection) -> str:
    """The name of the numbering; it changes when the county is restored from a backup."""
    return str(connection.execute(text("SELECT name FROM feed WHERE id = 1")).scalar_one())


def changes_after(
    connection: Connection, after: int, limit: int = 1000, types: Iterable[str] | None = None
) -> list[FeedRow]:
    """The changes with a number greater than `after`, oldest first; only of `types` if given."""
    if types is None:
        statement = text("SELECT seq, type, id, op, at FROM change WHERE seq > :after ORDER BY seq LIMIT :limit")
        rows = connection.execute(statement, {"after": after, "limit": limit})
    else:
        statement = text(
            "SELECT seq, type, id, op, at FROM change WHERE seq > :after AND type IN :types ORDER BY seq LIMIT :limit"
        ).bindparams(bindparam("types", expanding=True))
        rows = connection.execute(statement, {"after": after, "limit": limit, "types": list(types)})
    return [FeedRow(*row) for row in rows]
