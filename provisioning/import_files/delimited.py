"""CSV with comma, semicolon or tab, in any encoding a Chinese office writes."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from appliance.cells import unguarded
from provisioning.import_files.encodings import text_of
from provisioning.import_files.table import BrokenRow, Table, bad_file

SEPARATORS = (",", ";", "\t", "，")
csv.field_size_limit(16 * 1024 * 1024)  # a polygon as text in one cell


def read_delimited(name: str, data: bytes, encoding: str | None = None) -> Table:
    """The rows of a CSV, without what an export put before texts that look like formulas.

    Rows with too many or too few cells are `broken`.

    Raises:
        BadFile: empty, no header, a column twice, an open quotation mark, or an unknown encoding.
    """
    text, found = text_of(name, data, encoding)
    if not text.strip():
        raise bad_file(name, "文件是空的", "is empty")
    first_line = text.lstrip("\r\n").split("\n", 1)[0]
    separator = max(SEPARATORS, key=first_line.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] | None = None
    rows: list[list[str]] = []
    numbers: list[int] = []
    broken: list[BrokenRow] = []
    line = 0
    try:
        for cells in reader:
            line, started = reader.line_num, line + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = checked_header(name, cells)
            elif len(cells) != len(header):
                zh, en = (
                    f"有 {len(cells)} 个单元格，表头有 {len(header)} 个",
                    f"has {len(cells)} cells, not {len(header)}",
                )
                broken.append(BrokenRow(started, "row", zh, en))
            else:
                rows.append([unguarded(cell) for cell in cells])
                numbers.append(started)
    except csv.Error as problem:
        zh = f"引号没有闭合或位置不对（{problem}）"
        en = f"has a quotation mark that is open or misplaced ({problem})"
        raise bad_file(name, zh, en, row=line + 1) from problem
    if header is None:
        raise bad_file(name, "没有表头", "has no header")
    table = as_table(name, header, rows, numbers)
    table.broken = broken
    if found == "gb18030" and encoding is None:
        table.warnings.append(f"{name} 未声明编码，按 GBK/GB18030 读取 (read as GBK/GB18030)")
    return table


def checked_header(name: str, cells: list[str]) -> list[str]:
    """The column names, each once and none empty; trailing empty ones are allowed only when all are at the end."""
    header = [cell.strip().lstrip("\ufeff") for cell in cells]
    seen: set[str] = set()
    for position, column in enumerate(header, 1):
        if not column:
            raise bad_file(name, f"第 {position} 列没有列名", f"column {position} has no name", row=1)
        if column.lower() in seen:
            zh, en = f"列名“{column}”出现两次", f"has the column '{column}' twice"
            raise bad_file(name, zh, en, row=1, where=column)
        seen.add(column.lower())
    return header


def as_table(name: str, header: list[str], rows: list[list[Any]], numbers: list[int]) -> Table:
    """A table of cells; empty text becomes None."""
    columns = {column: [cleaned(row[position]) for row in rows] for position, column in enumerate(header)}
    return Table(name=name, columns=columns, numbers=numbers)


def cleaned(value: Any) -> Any:
    """A cell without outer blanks; None when nothing is left."""
    if isinstance(value, str):
        return value.strip() or None
    return value
