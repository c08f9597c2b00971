"""Writes a file back with the codes that `--make-codes` gave, so that the census keeps them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from provisioning.import_files.columns import plain
from provisioning.import_files.table import Table
from provisioning.import_files.writing import write_table

WRITE_BITS = 0o222
"""A folder without any of them is kept from being written to, also by root."""

if TYPE_CHECKING:
    from provisioning.import_files.pipeline import Result


def write_coded(table: Table, result: Result, source: Path, home: Path) -> Path:
    """Write `NAME-coded.geojson` (CSV for a table) beside the file, or into the home where that is not allowed.

    Only the rows that were taken are in it; their shapes are in EPSG:4490.
    """
    stem = source.name.split(".")[0]
    writable = os.access(source.parent, os.W_OK) and source.parent.stat().st_mode & WRITE_BITS
    folder = source.parent if writable else home / "imports"
    positions = [position for position, _ in result.coded]
    names = [name for name in table.columns if name.lower() != "code"]
    rows = [[code, *(plain(table.columns[name][position]) for name in names)] for position, code in result.coded]
    from_table = table.shapes is None or (table.axes == "format" and "lon" in {name.lower() for name in names})
    if from_table:
        path = folder / f"{stem}-coded.csv"
        write_table(path, ["code", *names], rows)
        return path
    path = folder / f"{stem}-coded.geojson"
    write_table(path, ["code", *names], rows, [table.shapes[position] for position in positions])
    return path
