"""Writes rows with shapes by a file's ending: GeoJSON, GeoPackage, FileGDB, Shapefile, CSV, XLSX, each also .gz."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import shapely

from appliance.cells import keep_text, safe_cell
from provisioning.import_files.table import bad_file

CRS = "EPSG:4490"
ENDINGS = (".geojson", ".json", ".geojsonl", ".gpkg", ".gdb", ".shp", ".zip", ".csv", ".xlsx")


def ending(path: Path) -> str:
    """The ending that says the format, without .gz.

    Raises:
        BadFile: no known one.
    """
    name = path.name.lower().removesuffix(".gz")
    found = next((known for known in ENDINGS if name.endswith(known)), None)
    if found is None or (path.name.lower().endswith(".gz") and found == ".gdb"):
        endings = " ".join(ENDINGS)
        raise bad_file(path.name, f"结尾须为 {endings}（可再加 .gz）", f"must end in {endings} (.gz may follow)")
    return found


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]], shapes: Any = None) -> None:
    """Write rows and their shapes (shapely, EPSG:4490, or None). The file is there whole or not at all.

    Raises:
        BadFile: unknown ending, or the folder cannot be written to.
    """
    kind = ending(path)
    try:
        with tempfile.TemporaryDirectory(prefix=".wanmi-export-", dir=path.parent) as folder:
            made = Path(folder) / path.name.removesuffix(".gz")
            write_plain(made, kind, columns, rows, shapes)
            if path.name.lower().endswith(".gz"):
                packed = Path(folder) / path.name
                with made.open("rb") as source, gzip.open(packed, "wb", compresslevel=6) as out:
                    shutil.copyfileobj(source, out, 1 << 20)
                made = packed
            if path.is_dir():
                shutil.rmtree(path)
            made.replace(path)
    except OSError as problem:
        raise bad_file(
            str(path), f"不能写入（{problem.strerror}）", f"cannot be written ({problem.strerror})"
        ) from problem


def write_plain(path: Path, kind: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], shapes: Any) -> None:
    if kind in (".geojson", ".json", ".geojsonl"):
        write_geojson(path, columns, rows, shapes, lines=kind == ".geojsonl")
    elif kind == ".csv":
        write_csv(path, columns, rows, shapes)
    elif kind == ".xlsx":
        write_xlsx(path, columns, rows, shapes)
    else:
        write_with_gdal(path, kind, columns, rows, shapes)


def write_geojson(
    path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]], shapes: Any, *, lines: bool
) -> None:
    """GeoJSON with nine decimals; one feature a line in either form."""
    with path.open("w", encoding="utf-8") as out:
        if not lines:
            out.write('{"type":"FeatureCollection","features":[\n')
        for index, row in enumerate(rows):
            shape = None if shapes is None else shapes[index]
            properties = {column: value for column, value in zip(columns, row, strict=True) if value is not None}
            text = json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
            geometry = "null" if shape is None else shapely.to_geojson(shape)
            end = "\n" if lines or index == len(rows) - 1 else ",\n"
            out.write(f'{{"type":"Feature","properties":{text},"geometry":{geometry}}}{end}')
        if not lines:
            out.write("]}\n")


def flat(value: Any) -> Any:
    """A value as a cell holds it: lists and objects as JSON text."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def table_columns(columns: Sequence[str], shapes: Any) -> list[str]:
    """CSV and XLSX carry shapes other than points as WKT; points have lon and lat already."""
    return [*columns, "wkt"] if shapes is not None and "lon" not in columns else list(columns)


def table_row(columns: Sequence[str], row: Sequence[Any], shapes: Any, index: int) -> list[Any]:
    cells = [flat(value) for value in row]
    if shapes is not None and "lon" not in columns:
        cells.append(None if shapes[index] is None else shapely.to_wkt(shapes[index], rounding_precision=-1))
    return cells


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]], shapes: Any) -> None:
    """CSV in UTF-8 with a byte order mark, so that spreadsheets show Chinese; no cell is a formula for them."""
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(table_columns(columns, shapes))
        for index, row in enumerate(rows):
            writer.writerow(map(safe_cell, table_row(columns, row, shapes, index)))


def write_xlsx(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]], shapes: Any) -> None:
    from openpyxl import Workbook  # 0.15 s

    book = Workbook(write_only=True)
    sheet = book.create_sheet("wanmi")
    sheet.append(table_columns(columns, shapes))
    for index, row in enumerate(rows):
        cells = table_row(columns, row, shapes, index)
        sheet.append([xlsx_cell(sheet, cell) for cell in cells])
    book.save(path)


def xlsx_cell(sheet: Any, cell: Any) -> Any:
    """A cell of a sheet that is only written; a text that would be a formula is marked as text."""
    from openpyxl.cell import WriteOnlyCell

    # a cell of Excel holds 32,767 characters; a longer outline stays out rather than be cut
    if isinstance(cell, str) and len(cell) > 32_767:
        return None
    if safe_cell(cell) == cell:
        return cell
    marked = WriteOnlyCell(sheet, value=cell)
    keep_text(marked)
    return marked


def write_with_gdal(path: Path, kind: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], shapes: Any) -> None:
    """GeoPackage, FileGDB and Shapefile; a Shapefile in UTF-8 with .cpg, zipped when the ending is .zip."""
    from pyogrio.raw import write  # GDAL, 0.2 s

    from provisioning.import_files.vector import quiet

    driver = {".gpkg": "GPKG", ".gdb": "OpenFileGDB"}.get(kind, "ESRI Shapefile")
    target = path.with_suffix(".shp") if kind == ".zip" else path
    wkb = (
        None
        if shapes is None
        else numpy.array([None if shape is None else shapely.to_wkb(shape) for shape in shapes], dtype=object)
    )
    arrays = [as_array([flat(row[position]) for row in rows]) for position in range(len(columns))]
    options: dict[str, Any] = {"encoding": "UTF-8"} if driver == "ESRI Shapefile" else {}
    with quiet():
        write(
            target,
            geometry=wkb,
            field_data=[array for array, _ in arrays],
            field_mask=[mask for _, mask in arrays],
            fields=list(columns),
            geometry_type=geometry_type(shapes),
            crs=CRS if shapes is not None else None,
            driver=driver,
            **options,
        )
    if kind == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for item in sorted(target.parent.glob(f"{target.stem}.*")):
                if item != path:
                    archive.write(item, item.name)


def as_array(values: list[Any]) -> tuple[Any, Any]:
    """A column as numpy array and the mask of its empty cells."""
    mask = numpy.array([value is None for value in values], dtype=bool)
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, bool) for value in present):
        return numpy.array([bool(value) for value in values]), mask
    if present and all(isinstance(value, int) for value in present):
        return numpy.array([value or 0 for value in values], dtype="int64"), mask
    if present and all(isinstance(value, int | float) for value in present):
        return numpy.array([value or 0.0 for value in values], dtype="float64"), mask
    return numpy.array(["" if value is None else str(value) for value in values], dtype=object), mask


def geometry_type(shapes: Any) -> str | None:
    """The one type of all shapes; mixed ones are Unknown."""
    if shapes is None:
        return None
    types = {shape.geom_type for shape in shapes if shape is not None}
    if types == {"Polygon", "MultiPolygon"}:
        return "MultiPolygon"
    return types.pop() if len(types) == 1 else "Unknown"
