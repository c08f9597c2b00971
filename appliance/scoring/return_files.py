"""Rows of monthly returns as files for people: CSV and XLSX. The same rows of an ended month give the same bytes."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from io import BytesIO, StringIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from appliance.cells import keep_text, safe_cell
from appliance.clock import moment, rfc3339
from appliance.scoring.monthly_return import Column, Row, Value, columns, rule
from appliance.scoring.periods import Period

CSV, XLSX = "text/csv; charset=utf-8", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NOTHING = "—"
MARKED = "FFFFC7CE"
"""The ground of a cell that differs, as spreadsheets colour what is bad."""

_PROPERTIES, _EARLIEST = "docProps/core.xml", (1980, 1, 1, 0, 0, 0)
_BEFORE, _AFTER = ("代码", "县(市、区)"), ("月份", "统计截至", "栏目文件", "SHA-256")


def shown(column: Column, value: Value) -> str:
    """A value as people read it: rates in per cent with two decimals, half up."""
    if value is None:
        return NOTHING
    if not column.denominator:
        return str(value)
    return f"{int(value * 10_000 + 0.5) / 100:.2f}%"


def head() -> list[str]:
    """The names of code, county and columns."""
    return [*_BEFORE, *(column.chinese for column in columns())]


def csv_of(rows: Sequence[Row], month: Period) -> bytes:
    """The rows as CSV, UTF-8 with a mark for spreadsheets; behind the columns stands by which rule they were made."""
    written = StringIO()
    lines = [[*head(), *_AFTER]]
    for row in rows:
        values = (shown(column, row.values.get(column.code)) for column in columns())
        lines.append([row.county, row.name, *values, *_origin(month)])
    csv.writer(written).writerows(map(safe_cell, line) for line in lines)
    return written.getvalue().encode("utf-8-sig")


def xlsx_of(rows: Sequence[Row], month: Period, marked: Collection[tuple[int, str]] = ()) -> bytes:
    """The rows as a workbook; rates are numbers shown in per cent.

    Args:
        marked: cells to colour, by the row's place and the column's code.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Font, PatternFill

    book = Workbook()
    sheet = book.active
    sheet.title = month.name
    sheet.append([*head(), *_AFTER])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for place, row in enumerate(rows):
        values = [row.values.get(column.code) for column in columns()]
        cells = (NOTHING if value is None else value for value in values)
        sheet.append([row.county, row.name, *cells, *_origin(month)])
        for cell in sheet[sheet.max_row]:
            keep_text(cell)
        for cell, column in zip(sheet[sheet.max_row][len(_BEFORE) :], columns(), strict=False):
            if column.denominator:
                cell.number_format = "0.00%"
            if (place, column.code) in marked:
                cell.fill = PatternFill("solid", MARKED)
    sheet.freeze_panes = "C2"
    return packed(book, month.as_of)


def _origin(month: Period) -> list[str]:
    made_by = rule()
    return [month.name, rfc3339(month.as_of) or "", made_by.id, made_by.sha256]


def packed(book: Any, as_of: int) -> bytes:
    """The workbook without the moment of writing, which it would tell in its properties and in every entry."""
    from openpyxl.xml.functions import tostring

    raw, packed = BytesIO(), BytesIO()
    book.save(raw)
    book.properties.created = book.properties.modified = moment(as_of).replace(microsecond=0, tzinfo=None)
    with ZipFile(raw) as source, ZipFile(packed, "w") as target:
        for entry in source.namelist():
            content = tostring(book.properties.to_tree()) if entry == _PROPERTIES else source.read(entry)
            target.writestr(ZipInfo(entry, _EARLIEST), content, ZIP_DEFLATED)
    return packed.getvalue()
