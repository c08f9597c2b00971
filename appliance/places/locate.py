"""Where a position is: unit grid, street, community, duty grid and collector, and what is near.

Positions are longitude and latitude in EPSG:4490. `locate_grid` runs at every new case and does one indexed query;
`locate` is for the screen and looks further.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.errors import FieldError, UnknownPlace
from appliance.places.plane import Plane
from appliance.records.base import SRID
from appliance.records.spatial import point, within_box
from appliance.records.sql import Spelt

NEAR_STEPS = (30, 120, 500, 2_000)
"""Half widths in metres of the boxes that are searched for near things, one after the other."""

NEAREST_GRID_STEPS = (200, 1_000, 5_000, 25_000, 120_000)


@dataclass(frozen=True, slots=True)
class GridHit:
    """The unit grid at a position and who walks it."""

    grid: str
    street: str
    community: str
    duty_grid: str | None
    collector: str | None


class Near(msgspec.Struct, frozen=True):
    """A part or place near a position; `direction` is where the position lies seen from it."""

    code: str
    name: str
    type: str
    lon: float
    lat: float
    metres: float
    direction: str
    address: str | None = None


class Located(msgspec.Struct, frozen=True):
    """All that is known about a position. `grid` is None inside the county where no unit grid was laid."""

    lon: float
    lat: float
    grid: str | None
    street: str | None
    street_name: str | None
    community: str | None
    community_name: str | None
    duty_grid: str | None
    collector: str | None
    parts: tuple[Near, ...]
    places: tuple[Near, ...]


_GRID_COLUMNS = "g.id, g.code, g.street, g.community, g.duty_grid, d.collector"
_GRID_SQLITE = (
    f"SELECT {_GRID_COLUMNS} FROM idx_unit_grid_geom i CROSS JOIN unit_grid g ON g.id = i.pkid "  # noqa: S608
    "LEFT JOIN duty_grid d ON d.code = g.duty_grid "
    "WHERE i.xmin <= ?1 AND i.xmax >= ?1 AND i.ymin <= ?2 AND i.ymax >= ?2 "
    f"AND ST_Intersects(g.geom, MakePoint(?1, ?2, {SRID})) AND g.valid_to IS NULL"
)
_GRID_POSTGIS = text(
    f"SELECT {_GRID_COLUMNS} FROM unit_grid g LEFT JOIN duty_grid d ON d.code = g.duty_grid "  # noqa: S608
    f"WHERE ST_Intersects(g.geom, ST_SetSRID(ST_MakePoint(:lon, :lat), {SRID})) AND g.valid_to IS NULL"
)
_AREA = Spelt(
    lambda dialect: (
        "SELECT a.code, a.name, a.level, a.parent FROM area a "  # noqa: S608  # names of our own tables
        f"WHERE {within_box(dialect, 'area', 'a')} AND ST_Intersects(a.geom, {point(dialect)}) "
        "ORDER BY length(a.code) DESC"
    )
)
_AREA_NAME = text("SELECT name FROM area WHERE code = :code")


def locate_grid(connection: Connection, lon: float, lat: float) -> GridHit | None:
    """The valid unit grid at a position (of two that share the border the older row), or None."""
    if connection.dialect.name == "sqlite":
        # straight to the driver: building a SQLAlchemy result takes three times as long as the query
        driver: Any = connection.connection.driver_connection
        rows = driver.execute(_GRID_SQLITE, (lon, lat)).fetchall()
    else:
        rows = [tuple(row) for row in connection.execute(_GRID_POSTGIS, {"lon": lon, "lat": lat})]
    return GridHit(*min(rows)[1:]) if rows else None


def locate(connection: Connection, lon: float, lat: float, *, near: int = 5) -> Located:
    """All that is known about a position.

    Raises:
        UnknownPlace: neither in a unit grid nor in an area of the county; the nearest grid and its distance are named.
    """
    hit = locate_grid(connection, lon, lat) if isfinite(lon) and isfinite(lat) else None
    street = hit.street if hit else None
    community = hit.community if hit else None
    if hit is None:
        here = {"lon": lon, "lat": lat, "west": lon, "east": lon, "south": lat, "north": lat}
        areas = connection.execute(_AREA.on(connection), here).all()
        if not areas:
            raise outside(connection, lon, lat)
        street = next((area.code for area in areas if area.level == "street"), None)
        community = next((area.code for area in areas if area.level == "community"), None)
    plane = Plane.at(lon, lat)
    return Located(
        lon=lon,
        lat=lat,
        grid=hit.grid if hit else None,
        street=street,
        street_name=area_name(connection, street),
        community=community,
        community_name=area_name(connection, community),
        duty_grid=hit.duty_grid if hit else None,
        collector=hit.collector if hit else None,
        parts=nearest_parts(connection, plane, near),
        places=nearest_places(connection, plane, near),
    )


def area_name(connection: Connection, code: str | None) -> str | None:
    """The name of a street or community, None when it is not known."""
    return connection.execute(_AREA_NAME, {"code": code}).scalar_one_or_none() if code else None


def nearest_parts(connection: Connection, plane: Plane, count: int) -> tuple[Near, ...]:
    """The nearest parts, nearest first."""
    return _nearest(connection, plane, count, "part", "t.code, t.name, t.type, t.lon, t.lat, t.address, NULL AS shape")


def nearest_places(connection: Connection, plane: Plane, count: int) -> tuple[Near, ...]:
    """The nearest place names, nearest first; streets and areas by their line or edge."""
    closest = _closest_point(connection.dialect.name)
    columns = (
        "t.code, t.name, t.type, t.lon, t.lat, t.address, "
        f"CASE WHEN GeometryType(t.geom) <> 'POINT' THEN ST_AsText({closest}) END AS shape"
    )
    return _nearest(connection, plane, count, "place", columns)


def _closest_point(dialect: str) -> str:
    """SQL for the point of `t.geom` that is closest to :lon, :lat, in metres east and north of it.

    The database does it, because shapely must not be loaded into a process that has mod_spatialite already.
    """
    if dialect == "sqlite":
        moved = "ScaleCoords(ST_Translate(t.geom, -:lon, -:lat, 0), :east_scale, :north_scale)"
        return f"ST_ClosestPoint({moved}, MakePoint(0, 0, {SRID}))"
    moved = "ST_Scale(ST_Translate(t.geom, -:lon, -:lat), :east_scale, :north_scale)"
    return f"ST_ClosestPoint({moved}, ST_SetSRID(ST_MakePoint(0, 0), {SRID}))"


def _centre(plane: Plane) -> dict[str, float]:
    """The plane as parameters of `_closest_point`."""
    return {
        "lon": plane.lon,
        "lat": plane.lat,
        "east_scale": plane.metres_per_lon,
        "north_scale": plane.metres_per_lat,
    }


def _nearest(connection: Connection, plane: Plane, count: int, table: str, columns: str) -> tuple[Near, ...]:
    """Search growing boxes; whatever lies within the half width of a box is surely found in it."""
    box = within_box(connection.dialect.name, table, "t")
    statement = text(f"SELECT {columns} FROM {table} t WHERE {box}")  # noqa: S608  # names of our own tables
    centre = _centre(plane) if table == "place" else {}
    found: list[Near] = []
    for metres in NEAR_STEPS:
        rows = connection.execute(statement, plane.box(metres) | centre).all()
        found = sorted((_near(plane, row) for row in rows), key=lambda near: (near.metres, near.code))
        if sum(near.metres <= metres for near in found) >= count:
            break
    return tuple(found[:count])


def _near(plane: Plane, row: Any) -> Near:
    lon, lat = (row.lon, row.lat) if row.shape is None else _position(plane, row.shape)
    return Near(
        code=row.code,
        name=row.name,
        type=row.type,
        lon=lon,
        lat=lat,
        metres=round(plane.metres(lon, lat), 1),
        direction=plane.direction_from(lon, lat),
        address=row.address,
    )


def _position(plane: Plane, written: str) -> tuple[float, float]:
    """Longitude and latitude of a point written as POINT(east north) in metres on the plane."""
    east, north = written[written.index("(") + 1 : -1].split()
    return plane.lon + float(east) / plane.metres_per_lon, plane.lat + float(north) / plane.metres_per_lat


def outside(connection: Connection, lon: float, lat: float) -> UnknownPlace:
    """The refusal of a position outside the county, with the nearest unit grid and its distance."""
    nearest = nearest_grid(connection, lon, lat)
    if nearest is None:
        hint_zh, hint_en, names = "附近没有单元网格", "there is no unit grid near it", tuple[str, ...]()
    else:
        code, metres = nearest
        names = (code,)
        hint_zh = f"最近的单元网格 {code} 在 {metres:.0f} 米外"
        hint_en = f"the nearest unit grid {code} is {metres:.0f} m away"
    zh, en = f"位置 {lon}, {lat} 不在本县范围内", f"the position {lon}, {lat} is outside the county"
    fields = (FieldError("lon", zh, en, names), FieldError("lat", zh, en, names))
    metres_away = round(nearest[1], 1) if nearest else None
    return UnknownPlace(f"{zh}，{hint_zh}。", f"{en}; {hint_en}.", fields=fields, metres=metres_away)


def nearest_grid(connection: Connection, lon: float, lat: float) -> tuple[str, float] | None:
    """The unit grid nearest to a position and the distance to its edge in metres, None when none is within 120 km."""
    if not (isfinite(lon) and isfinite(lat) and abs(lat) < 89):
        return None
    plane = Plane.at(lon, lat)
    box = within_box(connection.dialect.name, "unit_grid", "t")
    closest = _closest_point(connection.dialect.name)
    statement = text(
        f"SELECT t.code, ST_AsText({closest}) AS shape FROM unit_grid t "  # noqa: S608  # our own tables
        f"WHERE {box} AND t.valid_to IS NULL "
        "ORDER BY (t.lon - :lon) * (t.lon - :lon) + (t.lat - :lat) * (t.lat - :lat) LIMIT 8"
    )
    for metres in NEAREST_GRID_STEPS:
        rows = connection.execute(statement, plane.box(metres) | _centre(plane)).all()
        if rows:
            return min(((row.code, plane.metres(*_position(plane, row.shape))) for row in rows), key=_second)
    return None


def _second(pair: tuple[str, float]) -> float:
    return pair[1]
