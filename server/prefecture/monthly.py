"""The prefecture's monthly table and the ranking of its counties; which columns there are stands in `columns.csv`.

A rate of nothing has no value: a county without cases is neither at 0 % nor at 100 %, and has no place.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.errors import BadFile, Invalid
from server.prefecture.counties import all_counties
from server.prefecture.facts import COUNTS, Month, count
from server.prefecture.views import live

FILE = Path(__file__).with_name("columns.csv")
NOTHING = "—"
TOTAL = "合计"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: a count, or a rate where it has a denominator.

    Attributes:
        ranks: in which order columns decide a place, None where it does not. low: whether less is better.
    """

    code: str
    chinese: str
    english: str
    numerator: str
    denominator: str
    ranks: int | None
    low: bool

    def value(self, facts: Mapping[str, int]) -> float | int | None:
        """The value for a county's facts; None is a rate of nothing."""
        if not self.denominator:
            return facts[self.numerator]
        whole = facts[self.denominator]
        return facts[self.numerator] / whole if whole else None


@dataclass(frozen=True, slots=True)
class Row:
    """A county's row, or the last one with the sums; `values` by code of the column."""

    county: str
    name: str
    values: dict[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Place:
    """A county's place; None where it has no value. `tied` when others have the same place."""

    place: int | None
    tied: bool
    row: Row


@cache
def columns() -> tuple[Column, ...]:
    """The columns, checked.

    Raises:
        BadFile: a column is made of a fact that nobody counts.
    """
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows, start=2):
        for fact in (row["numerator"], row["denominator"] or COUNTS[0]):
            if fact not in COUNTS:
                raise BadFile(
                    f"{FILE.name} 第 {number} 行: 没有 {fact!r},可用 {'、'.join(COUNTS)}。",
                    f"{FILE.name} line {number}: there is no fact {fact!r}; known are {', '.join(COUNTS)}.",
                )
    return tuple(
        Column(
            row["code"], row["chinese"], row["english"], row["numerator"], row["denominator"],
            int(row["ranks"]) if row["ranks"] else None, row["better"] == "low",
        )
        for row in rows
    )  # fmt: skip


def table(connection: Connection, month: Month) -> list[Row]:
    """A row for each county that was taken in, and a last one whose rates are those of the summed counts."""
    there = text("SELECT to_regclass(:table) IS NOT NULL")
    rows, total = [], dict.fromkeys(COUNTS, 0)
    for county in all_counties(connection):
        if not connection.execute(there, {"table": f"{live(county.code)}.case_action"}).scalar_one():
            continue
        facts = count(connection, county.code, month)
        rows.append(_row(county.code, county.name, facts))
        total = {name: total[name] + facts[name] for name in COUNTS}
    return [*rows, _row("", TOTAL, total)]


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


def as_document(rows: Sequence[Row], month: Month) -> dict[str, Any]:
    """The table for a machine: rates are fractions."""
    return {
        "period": month.name, "as_of": rfc3339(month.as_of),
        "columns": [{"code": each.code, "name": each.chinese, "english": each.english} for each in columns()],
        "rows": [{"county": row.county or None, "name": row.name, "values": row.values} for row in rows],
    }  # fmt: skip


def written(rows: Sequence[Row], month: Month, suffix: str) -> bytes:
    """The table as a file.

    Args:
        suffix: `.csv` (UTF-8 with a mark for spreadsheets), `.xlsx` or `.json`.

    Raises:
        Invalid: another one.
    """
    if suffix == ".json":
        return msgspec.json.format(msgspec.json.encode(as_document(rows, month)), indent=1)
    if suffix == ".csv":
        text_ = StringIO()
        csv.writer(text_).writerows([_head(), *([*_names(row), *_shown(row)] for row in rows)])
        return text_.getvalue().encode("utf-8-sig")
    if suffix == ".xlsx":
        return _workbook(rows, month)
    raise Invalid(
        f"不能写 {suffix or '没有后缀的'} 文件;用 .csv、.xlsx 或 .json。",
        f"Cannot write {suffix!r}; use .csv, .xlsx or .json.",
    )


def shown(column: Column, value: float | int | None) -> str:
    """A value as people read it: rates in per cent with two decimals, half up."""
    if value is None:
        return NOTHING
    if not column.denominator:
        return str(value)
    return f"{int(value * 10_000 + 0.5) / 100:.2f}%"


def _workbook(rows: Sequence[Row], month: Month) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    sheet.title = month.name
    sheet.append(_head())
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in rows:
        sheet.append(
            [*_names(row), *(NOTHING if row.values[each.code] is None else row.values[each.code] for each in columns())]
        )
        for cell, column in zip(sheet[sheet.max_row][2:], columns(), strict=True):
            if column.denominator:
                cell.number_format = "0.00%"
    sheet.freeze_panes = "C2"
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def _head() -> list[str]:
    return ["代码", "县(市、区)", *(column.chinese for column in columns())]


def _names(row: Row) -> list[str]:
    return [row.county, row.name]


def _shown(row: Row) -> list[str]:
    return [shown(column, row.values[column.code]) for column in columns()]


def _row(county: str, name: str, facts: Mapping[str, int]) -> Row:
    return Row(county, name, {column.code: column.value(facts) for column in columns()})


def ranking_columns() -> list[str]:
    """The columns that decide a place unless others are named, the first one first."""
    ranked = sorted((column.ranks, column.code) for column in columns() if column.ranks is not None)
    return [code for _, code in ranked]
