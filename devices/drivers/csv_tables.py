"""Tables of devices as CSV files beside the drivers: registers, inputs, models, errors. Checked when they are loaded.

Every row says where it is from (`provenance`), so that a technician knows which values were never seen on hardware.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from pathlib import Path

HERE = Path(__file__).parent


class TableError(ValueError):
    """A table is wrong; the message names file, row and column."""


class Row:
    """A row of a table: its cells by column, and where it stands for the messages."""

    def __init__(self, cells: dict[str, str], where: str) -> None:
        self._cells = cells
        self._where = where

    def __getitem__(self, column: str) -> str:
        return self._cells[column]

    def number(self, column: str, low: int, high: int) -> int:
        """The cell as a whole number, decimal or `0x…`, within its range.

        Raises:
            TableError: it is none, or out of range.
        """
        try:
            found = int(self._cells[column], 0)
        except ValueError:
            raise TableError(f"{self._where}, {column}: {self._cells[column]!r} is no number") from None
        if not low <= found <= high:
            raise TableError(f"{self._where}, {column}: {found} is not {low} to {high}")
        return found

    def one_of(self, column: str, known: Collection[str]) -> str:
        """The cell, which must be one of these words.

        Raises:
            TableError: it is another.
        """
        if self._cells[column] not in known:
            raise TableError(f"{self._where}, {column}: {self._cells[column]!r} is none of {', '.join(known)}")
        return self._cells[column]


def read_table(
    name: str, columns: Sequence[str], *, unique: str, may_be_empty: Collection[str] = (), folder: Path = HERE
) -> list[Row]:
    """The rows of a table.

    Args:
        columns: all of them, in their order; `provenance` comes on top.
        unique: the column in which no value stands twice.

    Raises:
        TableError: other columns, an empty cell, a value twice.
    """
    path = folder / name
    wanted = [*columns, "provenance"]
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if list(reader.fieldnames or ()) != wanted:
            raise TableError(f"{name}: columns are {reader.fieldnames}, not {wanted}")
        rows, seen = [], set()
        for number, cells in enumerate(reader, start=2):
            where = f"{name} row {number}"
            missing = [column for column in wanted if not cells.get(column) and column not in may_be_empty]
            if missing or None in cells:
                raise TableError(f"{where}: {', '.join(missing) or 'more cells than columns'}")
            if cells[unique] in seen:
                raise TableError(f"{where}, {unique}: {cells[unique]} stands twice")
            seen.add(cells[unique])
            rows.append(Row(cells, where))
    return rows
