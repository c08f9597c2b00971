"""The prefecture's monthly table, counted from its replicas, and the ranking of its counties.

A county that has no value in a column that ranks has no place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.errors import Invalid
from appliance.scoring.facts import COUNTS, count
from appliance.scoring.monthly_return import Row, column_list, columns, facts_in, row_of
from appliance.scoring.periods import Period
from appliance.scoring.return_files import csv_of, xlsx_of
from server.prefecture.counties import all_counties
from server.prefecture.views import live

TOTAL = "合计"
_THERE = text("SELECT to_regclass(:table) IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Place:
    """A county's place; None where it has no value. `tied` when others have the same place."""

    place: int | None
    tied: bool
    row: Row


def own_count(connection: Connection, county: str, name: str, month: Period) -> Row | None:
    """A county's row as we count it, None where it was never taken in."""
    if not connection.execute(_THERE, {"table": f"{live(county)}.case_action"}).scalar_one():
        return None
    return row_of(county, name, count(connection, month, live(county)))


def table(connection: Connection, month: Period) -> list[Row]:
    """A row for each county that was taken in, and a last one whose rates are those of the summed counts."""
    counted = (own_count(connection, county.code, county.name, month) for county in all_counties(connection))
    rows = [row for row in counted if row is not None]
    return [*rows, total(rows)]


def total(rows: Sequence[Row]) -> Row:
    """The row of the sums."""
    told = [facts_in(row.values) for row in rows]
    return row_of("", TOTAL, {fact: sum(facts[fact] for facts in told) for fact in COUNTS})


def ranking_columns() -> list[str]:
    """The columns that decide a place unless others are named, the first one first."""
    ranked = sorted((column.ranks, column.code) for column in columns() if column.ranks is not None)
    return [code for _, code in ranked]


def ranking(rows: Sequence[Row], by: Sequence[str] | None = None) -> list[Place]:
    """The counties in the order of some columns, best first; equal ones share a place and the next ones are left out.

    Args:
        rows: of `table`; the sums take no part. by: codes of columns; those that `ranks` names unless given.

    Raises:
        Invalid: there is no such column.
    """
    codes = list(by or ranking_columns())
    known = {column.code: column for column in columns()}
    if not set(codes) <= set(known):
        raise Invalid(
            f"没有列 {'、'.join(sorted(set(codes) - set(known)))};可用 {'、'.join(sorted(known))}。",
            f"There is no column {', '.join(sorted(set(codes) - set(known)))}; known are {', '.join(sorted(known))}.",
        )
    counties = [row for row in rows if row.county]
    keys: dict[str, tuple[float, ...]] = {}
    for row in counties:
        values = [row.values[code] for code in codes]
        if None not in values:
            signs = [-1 if known[code].low else 1 for code in codes]
            keys[row.county] = tuple(sign * (value or 0) for sign, value in zip(signs, values, strict=True))
    valued = [row for row in counties if row.county in keys]
    places = [
        Place(
            1 + sum(keys[other.county] > keys[row.county] for other in valued),
            sum(keys[other.county] == keys[row.county] for other in valued) > 1,
            row,
        )
        for row in valued
    ]
    none = [Place(None, False, row) for row in counties if row not in valued]
    return sorted(places, key=lambda each: (each.place or 0, each.row.county)) + none


def as_document(rows: Sequence[Row], month: Period) -> dict[str, Any]:
    """The table for a machine: rates are fractions."""
    return {
        "period": month.name, "as_of": rfc3339(month.as_of), "columns": column_list(),
        "rows": [{"county": row.county or None, "name": row.name, "values": row.values} for row in rows],
    }  # fmt: skip


def written(rows: Sequence[Row], month: Period, suffix: str) -> bytes:
    """The table as a file.

    Args:
        suffix: `.csv`, `.xlsx` or `.json`.

    Raises:
        Invalid: another one.
    """
    check_suffix(suffix)
    if suffix == ".json":
        return msgspec.json.format(msgspec.json.encode(as_document(rows, month)), indent=1)
    return csv_of(rows, month) if suffix == ".csv" else xlsx_of(rows, month)


def check_suffix(suffix: str) -> None:
    """Refuse a kind of file that nobody writes.

    Raises:
        Invalid: it is not `.csv`, `.xlsx` or `.json`.
    """
    if suffix not in (".csv", ".xlsx", ".json"):
        raise Invalid(
            f"不能写 {suffix or '没有后缀的'} 文件;用 .csv、.xlsx 或 .json。",
            f"Cannot write {suffix!r}; use .csv, .xlsx or .json.",
        )
