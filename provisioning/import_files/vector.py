"""Shapefile, GeoPackage and FileGDB through GDAL, checked before and after."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy
import shapely

from provisioning.import_files.shapefile import Attributes, attributes, shape_count, sibling, text_encoding
from provisioning.import_files.table import Table, bad_file


def read_shapefile(name: str, path: Path, encoding: str | None = None) -> Table:
    """A Shapefile; `path` is a copy of our own, because a missing .shx is rebuilt beside it.

    Raises:
        BadFile: cut off, without .dbf, damaged, or with a .prj that says nothing.
    """
    shapes = shape_count(name, path)
    table_file = sibling(path, ".dbf")
    if table_file is None:
        raise bad_file(name, "缺少同名的 .dbf 属性表", "has no .dbf beside it, so nothing says what the shapes are")
    found = attributes(name, table_file)
    if found.records != shapes:
        raise bad_file(
            name,
            f".shp 有 {shapes} 个图形，.dbf 有 {found.records} 条记录",
            f"the .shp has {shapes} shapes and the .dbf {found.records} records",
        )
    if shapes == 0:
        raise bad_file(name, "没有图形", "has no shapes")
    chosen, warning = text_encoding(name, path, found, encoding)
    projection = sibling(path, ".prj")
    table = read_layer(name, path, None, chosen)
    if projection is not None and table.crs is None:
        raise bad_file(name, ".prj 无法识别，请用 --crs 指明坐标系", "has a .prj that says nothing; give --crs")
    if warning:
        table.warnings.append(warning)
    return table


def read_attribute_table(name: str, path: Path, encoding: str | None = None) -> Table:
    """A .dbf alone: a table without shapes."""
    found: Attributes = attributes(name, path)
    if found.records == 0:
        raise bad_file(name, "没有记录", "has no records")
    chosen, warning = text_encoding(name, path, found, encoding)
    table = read_layer(name, path, None, chosen)
    table.shapes, table.crs, table.axes = None, None, ""
    if warning:
        table.warnings.append(warning)
    return table


def read_database(name: str, path: Path, layer: str | None = None) -> Table:
    """A layer of a GeoPackage or FileGDB.

    Raises:
        BadFile: damaged, no layer, or several layers and none chosen.
    """
    from pyogrio import list_layers
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        with quiet():
            layers = [str(row[0]) for row in list_layers(path)]
    except (DataSourceError, DataLayerError) as problem:
        zh, en = "打不开，文件已损坏或不是空间数据库", "cannot be opened; it is damaged or no spatial database"
        raise bad_file(name, zh, en) from problem
    if layer is None and len(layers) != 1:
        names = "、".join(layers) or "0"
        raise bad_file(
            name,
            f"有 {len(layers)} 个图层（{names}），请用 --layer 选一个",
            f"has the layers {names}; choose one with --layer",
        )
    if layer is not None and layer not in layers:
        names = "、".join(layers)
        raise bad_file(name, f"没有图层“{layer}”，有：{names}", f"has no layer '{layer}', only {names}")
    return read_layer(name, path, layer or layers[0], None)


def read_layer(name: str, path: Path, layer: str | None, encoding: str | None) -> Table:
    """Read one layer with GDAL into plain columns and shapely shapes."""
    from pyogrio import set_gdal_config_options
    from pyogrio.errors import DataLayerError, DataSourceError, FieldError, GeometryError
    from pyogrio.raw import read

    set_gdal_config_options({"SHAPE_RESTORE_SHX": "YES"})
    try:
        with quiet():
            meta, _, geometry, data = read(path, layer=layer, encoding=encoding, force_2d=True, datetime_as_string=True)
    except (DataSourceError, DataLayerError, FieldError, GeometryError, UnicodeDecodeError, ValueError) as problem:
        reason = " ".join(str(problem).split())[:120].replace(str(path), name)
        raise bad_file(name, f"读不出来：{reason}", f"cannot be read: {reason}") from problem
    count = len(data[0]) if len(data) else len(geometry) if geometry is not None else 0
    if count == 0:
        raise bad_file(name, "没有记录", "has no records")
    columns: dict[str, Any] = {str(field): column(values) for field, values in zip(meta["fields"], data, strict=True)}
    shapes = None if geometry is None or meta["geometry_type"] is None else made_shapes(name, geometry)
    crs = meta["crs"]
    return Table(
        name=name,
        columns=columns,
        numbers=range(1, count + 1),
        shapes=shapes,
        crs=str(crs) if crs else None,
        axes="file" if crs else "",
    )


@contextmanager
def quiet() -> Iterator[None]:
    """GDAL's own warnings are not for the technician: what matters is checked by us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def made_shapes(name: str, geometry: Any) -> Any:
    """Shapely geometries of WKB; curves are not understood."""
    shapes = numpy.empty(len(geometry), dtype=object)
    for index, wkb in enumerate(geometry):
        if wkb is None:
            continue
        try:
            shapes[index] = shapely.from_wkb(wkb)
        except shapely.errors.GEOSException as problem:
            zh = "图形无法识别（曲线请先转成折线）"
            en = "has a shape that is not understood (turn curves into lines first)"
            raise bad_file(name, zh, en, row=index + 1) from problem
    return shapes


def column(values: Any) -> list[Any]:
    """Plain Python values; empty text and not-a-number become None."""
    listed = values.tolist()
    if values.dtype.kind == "f":
        return [None if value != value else value for value in listed]
    if values.dtype.kind == "M":
        return [None if value is None else str(value) for value in numpy.datetime_as_string(values).tolist()]
    return [(value.strip() or None) if isinstance(value, str) else value for value in listed]
