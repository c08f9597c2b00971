"""XLSX: the first sheet, or the one named by `--layer`."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from provisioning.import_files.delimited import as_table, checked_header
from provisioning.import_files.table import BrokenRow, Table, bad_file


def read_sheet(name: str, path: Path, layer: str | None = None) -> Table:
    """The rows of a sheet; the first row that is not empty is the header.

    Raises:
        BadFile: no workbook, no such sheet, no header, a column twice.
    """
    from openpyxl import load_workbook  # 0.15 s
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, ParseError, OSError) as problem:
        zh, en = "不是完好的 XLSX 工作簿", "is no intact XLSX workbook"
        raise bad_file(name, zh, en) from problem
    try:
        if layer is not None and layer not in book.sheetnames:
            sheets = "、".join(book.sheetnames)
            raise bad_file(name, f"没有工作表“{layer}”，有：{sheets}", f"has no sheet '{layer}', only {sheets}")
        sheet = book[layer] if layer else book.worksheets[0]
        return read_rows(name, sheet)
    finally:
        book.close()


def read_rows(name: str, sheet: Any) -> Table:
    header: list[str] | None = None
    rows: list[list[Any]] = []
    numbers: list[int] = []
    broken: list[BrokenRow] = []
    for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        values = list(cells)
        while values and values[-1] in (None, ""):
            values.pop()
        if not values:
            continue
        if header is None:
            header = checked_header(name, ["" if value is None else str(value) for value in values])
        elif len(values) > len(header):
            zh, en = (
                f"有 {len(values)} 个单元格，表头有 {len(header)} 个",
                f"has {len(values)} cells, not {len(header)}",
            )
            broken.append(BrokenRow(number, "row", zh, en))
        else:
            rows.append(values + [None] * (len(header) - len(values)))
            numbers.append(number)
    if header is None:
        raise bad_file(name, "工作表是空的", "has an empty sheet")
    table = as_table(name, header, rows, numbers)
    table.broken = broken
    return table
