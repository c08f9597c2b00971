"""A file as read: columns of plain values, shapes, and what was found out on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.errors import BadFile, FieldError


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not be read; it is refused like a wrong one."""

    row: int
    field: str
    zh: str
    en: str


@dataclass(slots=True)
class Table:
    """The rows of one layer or sheet.

    Attributes:
        name: the file's name, as shown in refusals.
        columns: values by column name, all of the same length; None where a cell is empty.
        numbers: the number of each row as a person counts it in the file (a CSV's first data row is 2).
        shapes: a numpy array of shapely geometries (None where there is none), or None for a table without shapes.
        crs: what the file says about its coordinates (WKT, "EPSG:n"), or None when it says nothing.
        axes: where `crs` came from: "file", "format" (GeoJSON's own rule) or "" for none.
        broken: rows that could not be read.
        warnings: sentences for the technician.
    """

    name: str
    columns: dict[str, list[Any]]
    numbers: Sequence[int]
    shapes: Any = None
    crs: str | None = None
    axes: str = ""
    broken: list[BrokenRow] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.numbers)


def bad_file(name: str, zh: str, en: str, *, row: int | None = None, where: str = "file") -> BadFile:
    """A refusal of a file in one sentence that names it, and the row where there is one."""
    place_zh = f"{name} 第 {row} 行" if row is not None else name
    place_en = f"{name}, row {row}" if row is not None else name
    error = FieldError(where, zh, en)
    return BadFile(f"{place_zh}：{zh}。", f"{place_en}: {en}.", fields=(error,), file=name, row=row)
