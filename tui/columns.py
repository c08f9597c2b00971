"""Columns and rows of a plain table, as data. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading as shown, and either a width in cells or a share of what is left."""

    label: str
    width: int = 0
    share: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its key and the text and style of each cell."""

    key: str
    cells: tuple[tuple[str, str], ...]
