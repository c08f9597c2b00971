"""Scores in the feed: those of closed periods, each with the pack that made it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from appliance.exchange.kinds.base import Kind, Line, Page, Record, Sight, by_keys, chunks, encode, json_value
from appliance.scoring.sight import OPEN_SCOPES

COLUMNS = (
    "key", "period", "pack", "pack_sha256", "scope", "subject", "name", "duty_group", "figures", "score", "grade",
    "place", "place_in_group", "revision",
)  # fmt: skip
REGION = "region"

_READ = f"SELECT {', '.join(COLUMNS)} FROM score"  # noqa: S608  # our own columns
_BY_KEYS = by_keys(f"{_READ} WHERE key IN :keys")
_PAGE = text(f"{_READ} WHERE key > :after ORDER BY key LIMIT :limit")
_PUT = text(
    f"INSERT INTO score ({', '.join(COLUMNS)}) VALUES ({', '.join(f':{name}' for name in COLUMNS)}) "  # noqa: S608
    f"ON CONFLICT (key) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[1:])}"
)
_DELETE = text("DELETE FROM score WHERE key = :key")


class ScoreKind(Kind):
    """Frozen scores of periods, by the key `period/pack/scope/subject`."""

    name = "score"
    scope = "reports.read"

    def records(self, connection: Connection, ids: Sequence[str], sight: Sight) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for keys in chunks(ids):
            found.update(_lines(connection.execute(_BY_KEYS, {"keys": keys}).all(), sight))
        return found

    def page(self, connection: Connection, after: str | None, limit: int, sight: Sight) -> Page:
        rows = connection.execute(_PAGE, {"after": after or "", "limit": limit}).all()
        return Page(_lines(rows, sight), rows[-1].key if len(rows) == limit else None)

    def put(self, connection: Connection, records: Sequence[Record]) -> None:
        if records:
            connection.execute(_PUT, [_bound(record) for record in records])

    def delete(self, connection: Connection, ids: Sequence[str]) -> None:
        if ids:
            connection.execute(_DELETE, [{"key": key} for key in ids])


def _lines(rows: Sequence[Any], sight: Sight) -> list[Line]:
    """The scores that are published; those of persons stay in the county.

    Who may read some streets only is shown the scores of these streets, and nobody else's.
    """
    open_ = [row for row in rows if row.scope in OPEN_SCOPES]
    shown = [row for row in open_ if not sight.areas or (row.scope == REGION and sight.holds(row.subject))]
    return [(row.key, encode(_record(row))) for row in shown]


def _record(row: Any) -> Record:
    told = {name: getattr(row, name) for name in COLUMNS[1:]}
    told["group"], told["values"] = told.pop("duty_group"), json_value(told.pop("figures"))
    return told | {"id": row.key}


def _bound(record: Record) -> dict[str, Any]:
    told = {name: record.get(name) for name in COLUMNS}
    return told | {
        "key": record["id"], "duty_group": record.get("group"), "figures": encode(record["values"]).decode(),
    }  # fmt: skip
