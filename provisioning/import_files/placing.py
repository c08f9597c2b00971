"""Brings shapes to EPSG:4490 and finds what cannot be right: no CRS, mixed CRS, swapped axes, far away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy
import shapely

from appliance.errors import FieldError
from appliance.places.crs import Way, way
from provisioning.import_files.table import Table, bad_file

NEAR_COUNTY = 0.05
"""Degrees (about 5 km) that a thing may lie outside the county's boundary."""

WIDEST_COUNTY = 5.0
"""Degrees from the middle of a file beyond which a thing cannot be of the same county."""

POLAR = 66.6
"""No county lies beyond the polar circles; latitudes there are longitudes in the wrong place."""

AREA_MARGIN = 6.0
DECIMALS = 9
"""Of a degree: a tenth of a millimetre. Formats keep different digits beyond, so the same place stays the same."""

LARGEST = 1e9
"""Metres; no reference system has larger coordinates."""

SHOWN_ROWS = 5


@dataclass(slots=True)
class Placed:
    """Shapes in EPSG:4490 (None where there is none), and the rows that are refused, by position in the table."""

    shapes: Any
    refused: dict[int, FieldError] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def place(
    table: Table,
    *,
    crs: str | None,
    wanted: Literal["point", "polygon", "any"],
    boundary: Any = None,
    anywhere: bool = False,
    repair: bool = False,
) -> Placed:
    """Place the shapes of a table.

    Args:
        table: a table with shapes in the coordinates of its file.
        crs: what the caller says about them; it wins over the file.
        wanted: which shapes the kind takes.
        boundary: the county as a shapely polygon in EPSG:4490, if it is known.
        anywhere: the things may lie anywhere (boundaries of neighbours).
        repair: mend invalid polygons instead of refusing them.

    Raises:
        BadFile: the file as a whole cannot be placed.
        Invalid: the CRS is unknown or an old datum.
    """
    placed = Placed(numpy.array(table.shapes, dtype=object))
    drop_unreadable(table, placed)
    present = numpy.array([index for index, shape in enumerate(placed.shapes) if shape is not None], dtype=int)
    if not len(present):
        return placed
    found = chosen_way(table, crs, placed)
    bounds = shapely.bounds(placed.shapes[present])
    check_range(table, found, present, bounds)
    placed.shapes[present] = shapely.transform(
        placed.shapes[present], lambda points: numpy.round(found.convert(points), DECIMALS)
    )
    check_area(table, found, placed.shapes[present])
    check_place(table, placed, present, boundary, anywhere)
    check_shapes(placed, wanted, repair)
    return placed


def drop_unreadable(table: Table, placed: Placed) -> None:
    """Refuse shapes with coordinates that are no numbers or have no size; empty ones count as none."""
    there = ~shapely.is_missing(placed.shapes)
    empty = there & shapely.is_empty(placed.shapes)
    placed.shapes[empty] = None
    # coordinates one by one: the bounds of a shape pass over those that are no numbers
    coordinates, owners = shapely.get_coordinates(placed.shapes, return_index=True)
    wrong = numpy.unique(owners[~(numpy.abs(coordinates) < LARGEST).all(axis=1)])
    for index in wrong:
        placed.shapes[index] = None
        zh, en = "坐标不是有限数", "the coordinates are not finite"
        placed.refused[int(index)] = FieldError("geometry", zh, en)


def chosen_way(table: Table, crs: str | None, placed: Placed) -> Way:
    """The way from the CRS that was given, or else found in the file."""
    text = crs or table.crs
    if text is None:
        bounds = shapely.total_bounds(placed.shapes[placed.shapes != None])  # noqa: E711  # elementwise in numpy
        if numpy.abs(bounds).max() > 360:
            zh, en = "坐标是米，但文件没有说明坐标系", "has coordinates in metres and says no reference system"
        else:
            zh, en = "文件没有说明坐标系", "says no reference system"
        hint_zh, hint_en = (
            "请用 --crs EPSG:4490（或 EPSG:4547、GCJ-02 等）指明",
            "give it with --crs EPSG:4490, EPSG:4547 or GCJ-02",
        )
        raise bad_file(table.name, f"{zh}，{hint_zh}", f"{en}; {hint_en}", where="crs")
    found = way(text)
    if crs and table.crs and table.axes == "file":
        placed.warnings.append(f"{table.name}: --crs {found.name} 代替文件自带的坐标系 (replaces the file's own)")
    return found


def check_range(table: Table, found: Way, present: Any, bounds: Any) -> None:
    """Degrees must look like degrees and metres like metres, in every row."""
    in_degrees = (numpy.abs(bounds[:, [0, 2]]).max(axis=1) <= 180) & (numpy.abs(bounds[:, [1, 3]]).max(axis=1) <= 90)
    fits = in_degrees if found.degrees else ~in_degrees
    if fits.all():
        if found.degrees:
            check_axes(table, bounds)
        return
    rows = "、".join(str(table.numbers[index]) for index in present[~fits][:SHOWN_ROWS])
    if fits.any():
        zh = f"混有两种坐标系：大多为 {found.name}，第 {rows} 行不是，请分开成两个文件"
        en = f"mixes reference systems: rows {rows} are not in {found.name}; split it into two files"
        raise bad_file(table.name, zh, en, where="geometry")
    if not found.degrees:
        zh, en = f"坐标是经纬度，不是 {found.name} 的米", f"has degrees and not the metres of {found.name}"
        raise bad_file(table.name, f"{zh}，请检查 --crs", f"{en}; check --crs", where="crs")
    if numpy.abs(bounds).max() <= 180:
        raise swapped(table)
    zh, en = f"坐标是米，不是 {found.name} 的经纬度", f"has coordinates in metres and not the degrees of {found.name}"
    raise bad_file(table.name, f"{zh}，请用 --crs 指明坐标系", f"{en}; give its system with --crs", where="crs")


def check_axes(table: Table, bounds: Any) -> None:
    """Latitude first: no county lies beyond the polar circles, so the second number must be a longitude."""
    if (numpy.abs(bounds[:, [1, 3]]).min(axis=1) > POLAR).all() and (numpy.abs(bounds[:, [0, 2]]) < POLAR).all():
        raise swapped(table)


def swapped(table: Table) -> Exception:
    zh = "经度和纬度颠倒了（先写了纬度），请交换后再导入"
    return bad_file(table.name, zh, "has latitude before longitude; swap the axes and import again", where="geometry")


def check_area(table: Table, found: Way, shapes: Any) -> None:
    """The result must be finite and near where the system is used (a zone number too many leads far away)."""
    west, south, east, north = shapely.total_bounds(shapes)
    fine = bool(numpy.isfinite([west, south, east, north]).all())
    if fine and found.area and not found.degrees:
        left, bottom, right, top = found.area
        fine = left - AREA_MARGIN <= west and east <= right + AREA_MARGIN
        fine = fine and bottom - AREA_MARGIN <= south and north <= top + AREA_MARGIN
    if not fine:
        zh = f"坐标不在 {found.name} 的使用范围内，带号或坐标系有误，请检查 --crs"
        en = f"lies outside the area of {found.name}: the zone or the system is wrong; check --crs"
        raise bad_file(table.name, zh, en, where="crs")


def check_place(table: Table, placed: Placed, present: Any, boundary: Any, anywhere: bool) -> None:
    """Refuse what lies far outside the county, or far from everything else where the county is not known."""
    middles = shapely.get_coordinates(shapely.centroid(placed.shapes[present]))
    if anywhere:
        return
    if boundary is None:
        placed.warnings.append(
            "没有导入县界，未检查是否在本县范围内 (no boundary is loaded: not checked to be in the county)"
        )
        away = numpy.abs(middles - numpy.median(middles, axis=0)).max(axis=1) > WIDEST_COUNTY
        zh, en = "离其他记录数百公里，不会在同一个县", "lies hundreds of kilometres from the others, not in one county"
    else:
        shapely.prepare(boundary)
        away = ~shapely.dwithin(shapely.points(middles), boundary, NEAR_COUNTY)
        zh, en = "在县界 5 公里以外", "lies more than 5 km outside the county"
        if away.all():
            if shapely.dwithin(shapely.points(middles[:, ::-1]), boundary, NEAR_COUNTY).any():
                raise swapped(table)
            zh, en = "全部在县界以外，请检查 --crs 和文件", "lies wholly outside the county; check --crs and the file"
            raise bad_file(table.name, zh, en, where="geometry")
    for index in present[away]:
        placed.shapes[index] = None
        placed.refused[int(index)] = FieldError("geometry", zh, en)


def check_shapes(placed: Placed, wanted: str, repair: bool) -> None:
    """Each shape must be of the wanted type and valid."""
    if wanted == "point":
        # the usual case, all at once; the others are looked at one by one
        odd = numpy.flatnonzero(~shapely.is_missing(placed.shapes) & (shapely.get_type_id(placed.shapes) != 0))
    else:
        odd = numpy.flatnonzero(~shapely.is_missing(placed.shapes))
    mended = 0
    for index in odd:
        shape, problem = fitting(placed.shapes[index], wanted)
        if problem is None and not shape.is_valid:
            if repair and "Polygon" in shape.geom_type:
                shape, mended = shapely.make_valid(shape, method="structure"), mended + 1
            else:
                reason = shapely.is_valid_reason(shape)
                problem = f"图形无效（{reason}），可用 --repair 修复", f"is invalid ({reason}); --repair mends it"
        placed.shapes[index] = None if problem else shape
        if problem:
            placed.refused[int(index)] = FieldError("geometry", *problem)
    if mended:
        placed.warnings.append(f"修复了 {mended} 个无效多边形 (mended invalid polygons)")


def fitting(shape: Any, wanted: str) -> tuple[Any, tuple[str, str] | None]:
    """The shape as the kind wants it, and what is wrong with its type."""
    if wanted == "point":
        if shape.geom_type == "MultiPoint" and len(shape.geoms) == 1:
            shape = shape.geoms[0]
        if shape.geom_type != "Point":
            return shape, (f"应为点，而不是 {shape.geom_type}", f"must be a point and is a {shape.geom_type}")
    elif wanted == "polygon" and shape.geom_type not in ("Polygon", "MultiPolygon"):
        return shape, (f"应为多边形，而不是 {shape.geom_type}", f"must be a polygon and is a {shape.geom_type}")
    return shape, None
