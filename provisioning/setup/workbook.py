"""The workbook of departments, people and duties: written with headings that the imports know, read sheet by sheet."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from appliance.people.roles import ROLE_NAMES
from provisioning.import_files.opening import open_table
from provisioning.import_files.table import Table

COLUMNS = Path(__file__).with_name("workbook.csv")
EXAMPLE = "例"
"""A row whose first cell begins with it is an example and is not imported."""
LISTS = "说明"
ROWS = 2000
"""How many rows the lists to choose from are laid under."""
TEXT_ROWS = 300
"""How many rows hold texts, so that a spreadsheet takes no zero away."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `workbook.csv`; `offered` names what is offered in its cells: 角色 or the codes of 部门."""

    sheet: str
    kind: str
    heading: str
    example: str
    offered: str
    width: float
    note: str


@cache
def columns() -> tuple[Column, ...]:
    """All columns, in order."""
    rows = csv.DictReader(COLUMNS.read_text(encoding="utf-8").splitlines())
    return tuple(
        Column(
            row["sheet"], row["kind"], row["heading"], row["example"], row["offered"], float(row["width"]), row["note"]
        )
        for row in rows
    )


def sheets() -> dict[str, str]:
    """The sheets in the order of their import, with the kind of each."""
    return {column.sheet: column.kind for column in columns()}


def write_template(file: Path) -> None:
    """Write the empty workbook, with one example row in each sheet and the roles to choose from.

    Raises:
        OSError: the file cannot be written.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, group in groupby(columns(), key=lambda column: column.sheet):
        _write_sheet(book.create_sheet(name), list(group))
    _write_lists(book.create_sheet(LISTS))
    book.save(file)


def _write_sheet(sheet: Any, shown: list[Column]) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    for number, column in enumerate(shown, 1):
        heading, example = sheet.cell(1, number, column.heading), sheet.cell(2, number, column.example or None)
        heading.font, heading.fill = Font(bold=True), PatternFill("solid", fgColor="D9E2F3")
        heading.comment = Comment(column.note, "wanmi")
        example.font = Font(italic=True, color="808080")
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = column.width
        for row in range(2, TEXT_ROWS + 2):
            sheet.cell(row, number).number_format = "@"  # codes and telephones keep their zeros
        _offer(sheet, letter, column.offered)
    sheet.freeze_panes = "A2"


def _offer(sheet: Any, letter: str, name: str) -> None:
    """A list to choose from; other values may be typed, several roles for instance."""
    from openpyxl.worksheet.datavalidation import DataValidation

    source = {"部门": f"=部门!$A$3:$A${ROWS}", "角色": f"={LISTS}!$A$2:$A${len(ROLE_NAMES) + 1}"}.get(name)
    if source is None:
        return
    offered = DataValidation(type="list", formula1=source, allow_blank=True, showErrorMessage=False)
    offered.add(f"{letter}2:{letter}{ROWS}")
    sheet.add_data_validation(offered)


def _write_lists(sheet: Any) -> None:
    sheet.append(["角色", "role"])
    for role, (zh, _) in ROLE_NAMES.items():
        sheet.append([zh, role])
    sheet.append([])
    for line in (
        f"灰色的例行不会导入 (第一格以“{EXAMPLE}”开头)。 Rows that begin with {EXAMPLE} are not imported.",
        "多个角色用 | 分开。 Several roles are joined by |.",
        "密码空着的人得到临时密码。 Who has no password gets a temporary one.",
        "同一份表可以再次导入,只写入改过的行。 The same workbook again changes only what differs.",
    ):
        sheet.append([line])
    sheet.column_dimensions["A"].width = 24


def read_workbook(file: Path) -> dict[str, Table]:
    """The sheets that have rows, by kind, without their example rows.

    Raises:
        BadFile: no workbook, or a sheet of ours is missing.
    """
    tables = {kind: _without_examples(open_table(file, layer=sheet)) for sheet, kind in sheets().items()}
    return {kind: table for kind, table in tables.items() if len(table)}


def _without_examples(table: Table) -> Table:
    first = next(iter(table.columns.values()), [])
    kept = [number for number, cell in enumerate(first) if not str(cell or "").startswith(EXAMPLE)]
    table.columns = {name: [cells[number] for number in kept] for name, cells in table.columns.items()}
    table.numbers = [table.numbers[number] for number in kept]
    return table
