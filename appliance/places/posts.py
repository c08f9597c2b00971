"""Who had a duty grid when: its collectors over time, so that a later change moves no score of an ended period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, text

from appliance.records.writer import Unit

_NOW = text("SELECT code, collector FROM duty_grid WHERE code IN :codes").bindparams(bindparam("codes", expanding=True))
_KNOWN = text("SELECT DISTINCT duty_grid FROM duty_post WHERE duty_grid IN :codes").bindparams(
    bindparam("codes", expanding=True)
)
_NOTE = text("INSERT INTO duty_post (duty_grid, collector, since) VALUES (:code, :collector, :since)")
AT_ONCE = 500


def collectors_of(connection: Connection, codes: Sequence[str]) -> dict[str, str | None]:
    """Who has some duty grids now, by code."""
    found: dict[str, str | None] = {}
    for at in range(0, len(codes), AT_ONCE):
        rows = connection.execute(_NOW, {"codes": list(codes[at : at + AT_ONCE])})
        found.update((row.code, row.collector) for row in rows)
    return found


def note_posts(unit: Unit, before: Mapping[str, str | None], codes: Sequence[str]) -> None:
    """Note from now on who has duty grids that changed hands; who had one until now had it from the beginning.

    Args:
        before: who had them before the change.
    """
    after = collectors_of(unit.connection, codes)
    moved = [code for code in before if code in after and before[code] != after[code]]
    known: set[str] = set()
    for at in range(0, len(moved), AT_ONCE):
        known.update(unit.connection.execute(_KNOWN, {"codes": moved[at : at + AT_ONCE]}).scalars())
    first = [{"code": code, "collector": before[code], "since": 0} for code in moved if code not in known]
    rows = first + [{"code": code, "collector": after[code], "since": unit.now} for code in moved]
    if rows:
        unit.connection.execute(_NOTE, rows)
