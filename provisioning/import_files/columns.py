"""From a file's columns to our fields: `--map`, other known header names, `--values`, and shapes from cells."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from io import StringIO
from pathlib import Path
from typing import Any

import numpy
import shapely

from appliance.errors import FieldError, Invalid
from provisioning.import_files.delimited import SEPARATORS
from provisioning.import_files.encodings import text_of
from provisioning.import_files.kinds import Importer
from provisioning.import_files.table import Table, bad_file

POSITION = {
    "lon": ("lng", "longitude", "经度", "x坐标", "x"),
    "lat": ("latitude", "纬度", "y坐标", "y"),
}
JSON_TYPES = (str, int, float, bool)
KEPT = "attributes"
WKT_NAMES = ("wkt", "geometry", "geom", "几何")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of the file holds which field; the others become attributes."""

    fields: dict[str, str]
    others: tuple[str, ...]


def matched(table: Table, importer: Importer, mapping: Mapping[str, str]) -> Columns:
    """Find the column of each field.

    Args:
        mapping: our field → their column, or "=" and a value that holds for every row, from `--map`.

    Raises:
        Invalid: `--map` names a field or column that does not exist.
        BadFile: a required field has no column.
    """
    names = {**importer.fields, **(POSITION if importer.geometry in ("point", "any") else {})}
    by_lower = {column.lower(): column for column in table.columns}
    found: dict[str, str] = {}
    for ours, theirs in mapping.items():
        if ours not in names:
            raise wrong_map(f"没有字段“{ours}”", f"there is no field '{ours}'", tuple(names))
        if theirs.startswith("="):
            found[ours] = f"{ours}{theirs}"
            table.columns[found[ours]] = [theirs[1:]] * len(table)
            continue
        if theirs.lower() not in by_lower:
            raise wrong_map(f"文件没有列“{theirs}”", f"the file has no column '{theirs}'", tuple(table.columns))
        found[ours] = by_lower[theirs.lower()]
    for ours, others in names.items():
        if ours not in found:
            column = next((by_lower[name.lower()] for name in (ours, *others) if name.lower() in by_lower), None)
            if column is not None and column not in found.values():
                found[ours] = column
    for field in sorted(importer.required):
        if field not in found:
            columns = "、".join(list(table.columns)[:20])
            zh, en = (
                f"没有 {field} 列，请用 --map {field}=列名 指明",
                f"has no column {field}; name it with --map {field}=THEIRS",
            )
            raise bad_file(table.name, f"{zh}（有：{columns}）", f"{en} (there are: {columns})", where=field)
    return Columns(found, tuple(column for column in table.columns if column not in found.values()))


def wrong_map(zh: str, en: str, nearest: tuple[str, ...]) -> Invalid:
    known = "、".join(nearest[:20])
    return Invalid(
        f"--map：{zh}（有：{known}）。",
        f"--map: {en} (there are: {known}).",
        fields=(FieldError("map", zh, en, nearest),),
    )


def shapes_from_cells(table: Table, columns: Columns, importer: Importer) -> Columns:
    """Give a table without shapes points from lon and lat, or shapes from a WKT column. Returns the columns left.

    Raises:
        BadFile: the kind needs shapes and the file has none.
    """
    if table.shapes is not None or importer.geometry == "none":
        return columns
    wkt = next((column for column in columns.others if column.lower() in WKT_NAMES), None)
    if "lon" in columns.fields and "lat" in columns.fields:
        table.shapes = points(table, columns)
        table.crs, table.axes = table.crs or "EPSG:4490", "format"
    elif wkt is not None:
        table.shapes = from_wkt(table, wkt)
        table.crs, table.axes = table.crs or "EPSG:4490", "format"
        return Columns(columns.fields, tuple(column for column in columns.others if column != wkt))
    elif importer.geometry_required:
        if importer.geometry == "polygon":
            zh, en = "没有多边形；表格请带 wkt 列", "has no polygons; a table needs a column wkt"
        else:
            zh = "没有坐标；表格须有 lon、lat 列（可用 --map lon=列名）"
            en = "has no positions; a table needs columns lon and lat (or --map lon=THEIRS)"
        raise bad_file(table.name, zh, en, where="geometry")
    return columns


def points(table: Table, columns: Columns) -> Any:
    """Points of the lon and lat columns; a cell that is no number makes a broken shape, refused by its row."""
    lon = [number(cell) for cell in table.columns[columns.fields["lon"]]]
    lat = [number(cell) for cell in table.columns[columns.fields["lat"]]]
    shapes = numpy.empty(len(table), dtype=object)
    shapes[:] = shapely.points(lon, lat)
    for index, (east, north) in enumerate(zip(lon, lat, strict=True)):
        if east != east and north != north:
            shapes[index] = None
    return shapes


def number(cell: Any) -> float:
    """A coordinate; not a number for an empty cell, infinite for one that is no number."""
    try:
        return numpy.nan if cell is None else float(cell)
    except (TypeError, ValueError):
        return numpy.inf


def from_wkt(table: Table, column: str) -> Any:
    shapes = numpy.empty(len(table), dtype=object)
    for index, cell in enumerate(table.columns[column]):
        if cell is not None:
            try:
                shapes[index] = shapely.from_wkt(str(cell))
            except shapely.errors.GEOSException as problem:
                zh, en = f"{column} 不是 WKT 几何", f"{column} is no WKT geometry"
                raise bad_file(table.name, zh, en, row=table.numbers[index], where=column) from problem
    return shapes


def translated(table: Table, columns: Columns, values: Mapping[str, Mapping[str, str]]) -> None:
    """Translate foreign values of fields in place, as `--values field=FILE` says."""
    for field, pairs in values.items():
        if field not in columns.fields:
            zh, en = f"--values：没有字段“{field}”", f"--values: there is no field '{field}'"
            raise Invalid(f"{zh}。", f"{en}.", fields=(FieldError("values", zh, en, tuple(columns.fields)),))
        column = columns.fields[field]
        table.columns[column] = [cell if cell is None else pairs.get(str(cell), cell) for cell in table.columns[column]]


def read_values(path: Path) -> dict[str, str]:
    """The pairs of a translation file: their value, our value; CSV without or with a header.

    Raises:
        BadFile: unreadable, or not two columns.
    """
    if not path.exists():
        raise bad_file(str(path), "没有这个文件", "there is no such file")
    text, _ = text_of(path.name, path.read_bytes())
    separator = max(SEPARATORS, key=text.split("\n", 1)[0].count)
    pairs: dict[str, str] = {}
    for number, cells in enumerate(csv.reader(StringIO(text, newline=""), delimiter=separator), 1):
        if not any(cells):
            continue
        if len(cells) != 2 or not cells[0].strip():
            raise bad_file(path.name, "须有两列：原值,新值", "needs two columns: their value, our value", row=number)
        pairs[cells[0].strip()] = cells[1].strip()
    return pairs


def rows(table: Table, columns: Columns, shapes: Any) -> Iterator[dict[str, Any]]:
    """The rows as an importer wants them, see `kinds`."""
    fields = [(field, table.columns[column]) for field, column in columns.fields.items()]
    others = [(column, table.columns[column]) for column in columns.others]
    for index, number in enumerate(table.numbers):
        row: dict[str, Any] = {field: cells[index] for field, cells in fields}
        extra = {column: cell for column, cells in others if (cell := cells[index]) is not None}
        for column, cell in extra.items():
            if type(cell) not in JSON_TYPES:
                extra[column] = plain(cell)
        if KEPT in extra:
            extra |= kept_attributes(extra.pop(KEPT))
        row["attributes"] = extra or None
        row["geometry"] = None if shapes is None else shapes[index]
        row["row"] = number
        yield row


def kept_attributes(cell: Any) -> dict[str, Any]:
    """The attributes that an export carries in one column as JSON."""
    try:
        value = json.loads(cell) if isinstance(cell, str) else cell
    except json.JSONDecodeError:
        value = None
    return value if isinstance(value, dict) else {KEPT: cell}


def plain(value: Any) -> Any:
    """A cell as JSON holds it."""
    return value.isoformat() if isinstance(value, datetime | date | time) else value
