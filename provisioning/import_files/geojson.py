"""GeoJSON, one document or one feature a line, read strictly: a wrong coordinate is refused and never guessed.

Also the public `holiday-cn` JSON of a year, which is a table of days.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, NoReturn

import numpy
import shapely

from provisioning.import_files.encodings import text_of
from provisioning.import_files.table import Table, bad_file

DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
"""How deep the positions lie in `coordinates`."""

SHOWN = 40


def read_geojson(name: str, data: bytes, encoding: str | None = None) -> Table:
    """The features of a GeoJSON file. Without a `crs` member it is WGS 84 by the format's own rule (RFC 7946).

    Raises:
        BadFile: no JSON, no GeoJSON, or a coordinate that is none; the feature is named by its number from 1.
    """
    text, found = text_of(name, data, encoding)
    document = parsed(name, text)
    if isinstance(document, dict) and isinstance(document.get("days"), list):
        return days_table(name, document["days"])
    features = features_of(name, document)
    table = features_table(name, features)
    crs = crs_member(name, document)
    table.crs, table.axes = (crs, "file") if crs else ("EPSG:4326", "format")
    if found == "gb18030":
        table.warnings.append(f"{name} 不是 UTF-8，按 GBK/GB18030 读取 (not UTF-8, read as GBK/GB18030)")
    return table


def parsed(name: str, text: str) -> Any:
    """The JSON value of a document, or the list of the values of its lines."""
    try:
        return json.loads(text, parse_constant=lambda word: not_finite(name, word))
    except json.JSONDecodeError as problem:
        lines = [line.strip("\x1e \t\r") for line in text.splitlines()]
        lines = [line for line in lines if line]
        if problem.msg != "Extra data" and not (len(lines) > 1 and text.startswith("\x1e")):
            zh, en = f"JSON 在第 {problem.lineno} 行中断或有误", f"is cut off or wrong JSON at line {problem.lineno}"
            raise bad_file(name, f"{zh}（{problem.msg}）", f"{en} ({problem.msg})") from problem
    except RecursionError as problem:
        raise bad_file(name, "JSON 嵌套过深", "is nested too deep") from problem
    return [line_value(name, number, line) for number, line in enumerate(lines, 1)]


def line_value(name: str, number: int, line: str) -> Any:
    try:
        return json.loads(line, parse_constant=lambda word: not_finite(name, word))
    except json.JSONDecodeError as problem:
        raise bad_file(name, "这一行不是完整的 JSON", "this line is no whole JSON", row=number) from problem


def not_finite(name: str, word: str) -> NoReturn:
    raise bad_file(name, f"含有 {word}，坐标和数值必须是有限数", f"holds {word}; numbers must be finite")


def features_of(name: str, document: Any) -> list[dict[str, Any]]:
    """The features of a document; a bare geometry is one feature without properties."""
    if isinstance(document, list):
        return [feature(name, number, item) for number, item in enumerate(document, 1)]
    if not isinstance(document, dict) or "type" not in document:
        raise bad_file(name, "不是 GeoJSON（没有 type）", "is no GeoJSON (it has no type)")
    if document["type"] == "FeatureCollection":
        items = document.get("features")
        if not isinstance(items, list):
            raise bad_file(
                name, "FeatureCollection 没有 features 列表", "is a FeatureCollection without a features list"
            )
        if not items:
            raise bad_file(name, "没有要素", "has no features")
        return [feature(name, number, item) for number, item in enumerate(items, 1)]
    if document["type"] == "Feature":
        return [feature(name, 1, document)]
    return [{"type": "Feature", "properties": {}, "geometry": document}]


def feature(name: str, number: int, item: Any) -> dict[str, Any]:
    """A feature with well-formed members."""
    if not isinstance(item, dict) or item.get("type") != "Feature":
        kind = str(item.get("type"))[:SHOWN] if isinstance(item, dict) else type(item).__name__
        raise bad_file(name, f"要素类型应为 Feature，而不是 {kind}", f"is no Feature but {kind}", row=number)
    if not isinstance(item.get("properties", {}), dict | None):
        raise bad_file(name, "properties 应为对象", "has properties that are no object", row=number)
    if not isinstance(item.get("geometry"), dict | None):
        raise bad_file(name, "geometry 应为对象", "has a geometry that is no object", row=number)
    if not isinstance(item.get("id"), str | int | float | None):
        raise bad_file(name, "id 应为文字或数字", "has an id that is neither text nor number", row=number)
    return item


def crs_member(name: str, document: Any) -> str | None:
    """The old `crs` member, which some programs still write."""
    member = document.get("crs") if isinstance(document, dict) else None
    if member is None:
        return None
    try:
        return str(member["properties"]["name"])
    except (TypeError, KeyError):
        zh, en = "crs 写法不明，请用 --crs 指明坐标系", "has a crs that cannot be understood; give --crs"
        raise bad_file(name, zh, en) from None


def features_table(name: str, features: list[dict[str, Any]]) -> Table:
    """Columns over all properties of all features, and their shapes."""
    columns: dict[str, list[Any]] = {}
    for index, item in enumerate(features):
        for column, value in (item.get("properties") or {}).items():
            if column not in columns:
                columns[column] = [None] * len(features)
            columns[column][index] = (value.strip() or None) if isinstance(value, str) else value
    if "id" not in columns and any("id" in item for item in features):
        columns["id"] = [item.get("id") for item in features]
    shapes = numpy.empty(len(features), dtype=object)
    points: list[tuple[int, float, float]] = []
    for index, item in enumerate(features):
        geometry = item.get("geometry")
        if geometry is None:
            continue
        if geometry.get("type") == "Point":
            points.append((index, *position(name, index + 1, geometry.get("coordinates"))))
        else:
            shapes[index] = shape(name, index + 1, geometry)
    if points:
        where = numpy.array([point[0] for point in points])
        shapes[where] = shapely.points(numpy.array([point[1:] for point in points], dtype=float))
    return Table(name=name, columns=columns, numbers=range(1, len(features) + 1), shapes=shapes)


def position(name: str, number: int, value: Any) -> tuple[float, float]:
    """Longitude and latitude (or east and north) of a position; a height is dropped."""
    if isinstance(value, list) and 2 <= len(value) <= 4 and all(type(item) in (int, float) for item in value):
        east, north = float(value[0]), float(value[1])
        if isfinite(east) and isfinite(north):
            return east, north
    written = json.dumps(value, ensure_ascii=False, default=str)[:SHOWN]
    raise bad_file(
        name, f"坐标 {written} 不是两个有限数", f"the position {written} is not two finite numbers", row=number
    )


def shape(name: str, number: int, geometry: dict[str, Any], depth: int = 0) -> Any:
    """A shapely geometry of a GeoJSON one."""
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        members = geometry.get("geometries")
        if not isinstance(members, list) or not all(isinstance(item, dict) for item in members) or depth > 8:
            raise bad_file(name, "GeometryCollection 的 geometries 有误", "has wrong geometries in it", row=number)
        return shapely.GeometryCollection([shape(name, number, item, depth + 1) for item in members])
    if not isinstance(kind, str) or kind not in DEPTH:
        written = str(kind)[:SHOWN]
        raise bad_file(name, f"没有几何类型 {written}", f"{written} is no geometry type", row=number)
    nested = nested_positions(name, number, geometry.get("coordinates"), DEPTH[kind])
    try:
        return build(kind, nested)
    except (ValueError, TypeError, shapely.errors.GEOSException) as problem:
        reason = " ".join(str(problem).removeprefix("IllegalArgumentException: ").split())
        zh, en = f"{kind} 的坐标不成形（{reason}）", f"the coordinates of a {kind} make no shape ({reason})"
        raise bad_file(name, zh, en, row=number) from problem


def nested_positions(name: str, number: int, value: Any, depth: int) -> Any:
    """Coordinates with every position checked."""
    if depth == 0:
        return position(name, number, value)
    if not isinstance(value, list):
        raise bad_file(name, "coordinates 层次不对", "has coordinates of the wrong depth", row=number)
    return [nested_positions(name, number, item, depth - 1) for item in value]


def build(kind: str, nested: Any) -> Any:
    """A geometry of checked coordinates. A ring that is not closed is refused, not closed."""
    if kind == "Point":
        return shapely.Point(nested)
    if kind == "MultiPoint":
        return shapely.MultiPoint(nested)
    if kind == "LineString":
        return shapely.LineString(nested)
    if kind == "MultiLineString":
        return shapely.MultiLineString(nested)
    polygons = [nested] if kind == "Polygon" else nested
    made = [shapely.Polygon(closed(rings[0]), [closed(ring) for ring in rings[1:]]) for rings in polygons if rings]
    return made[0] if kind == "Polygon" and made else shapely.MultiPolygon(made)


def closed(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(ring) < 4:
        raise ValueError("a ring needs four positions")
    if ring[0] != ring[-1]:
        raise ValueError("a ring does not end where it begins")
    return ring


def days_table(name: str, days: list[Any]) -> Table:
    """The days of a `holiday-cn` year: date, is_workday, name."""
    if not all(isinstance(day, dict) and isinstance(day.get("isOffDay"), bool) for day in days):
        raise bad_file(name, "days 的写法不是 holiday-cn", "has days that are not like holiday-cn")
    columns = {
        "date": [day.get("date") for day in days],
        "is_workday": [not day["isOffDay"] for day in days],
        "name": [day.get("name") for day in days],
    }
    return Table(name=name, columns=columns, numbers=range(1, len(days) + 1))
