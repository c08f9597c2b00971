"""What a map of a given scale can show of the places: outlines large enough to be seen, parts one by one or counted.

A view is a box in EPSG:4490, the metres that one dot of it stands for, and how many cells (two by four dots on a
terminal) it has. Answers are bounded whatever the county holds: the R-tree clips, shapes are simplified to half a dot,
what would be smaller than a few dots is left out, and many parts become a density.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.records.spatial import boxes, geojson, meets_view, view_box

METRES_A_DEGREE = 111_320.0
DOTS_TO_BE_SEEN = 4.0
"""An outline is drawn when shapes of its kind are so large on average."""
LOOKED_AT = 4_000
"""So many shapes of a box are looked at for their size; more of them are not drawn."""
LEVELS = ("county", "street", "community")
LAYERS = ("areas", "duty_grids", "grids", "parts")


@dataclass(frozen=True, slots=True)
class View:
    """A piece of the county as a map shows it.

    Attributes:
        metres: on the ground for one dot.
        columns, rows: cells of a density.
    """

    west: float
    south: float
    east: float
    north: float
    metres: float
    columns: int = 80
    rows: int = 24

    @property
    def box(self) -> dict[str, float]:
        """The box as SQL parameters."""
        return {"west": self.west, "south": self.south, "east": self.east, "north": self.north}

    @property
    def simplifying(self) -> dict[str, Any]:
        """Half a dot in degrees, and the digits that are worth sending."""
        return {"tolerance": self.metres / METRES_A_DEGREE / 2, "digits": 6 if self.metres < 1 else 5}


class Outlines(msgspec.Struct):
    """Outlines of one layer; `shown` is false when they would be too small, or too many, to be told apart."""

    shown: bool
    features: list[dict[str, Any]]


NOTHING = Outlines(False, [])
NOT_SHOWN = frozenset(("shape", "xmin", "xmax", "ymin", "ymax"))


def extent(connection: Connection) -> tuple[float, float, float, float] | None:
    """The box around the county's outline, else around its streets or its unit grids; None where there is nothing."""
    dialect = connection.dialect.name
    for table, condition in (("area", "t.level = 'county'"), ("area", "1 = 1"), ("unit_grid", "1 = 1")):
        statement = text(
            "SELECT min(i.xmin) AS west, min(i.ymin) AS south, max(i.xmax) AS east, max(i.ymax) AS north "  # noqa: S608
            f"FROM {boxes(dialect, table)} CROSS JOIN {table} t ON t.id = i.pkid WHERE {condition} AND i.xmax > i.xmin"
        )
        row = connection.execute(statement).one()
        if row.west is not None:
            return float(row.west), float(row.south), float(row.east), float(row.north)
    return None


def areas(connection: Connection, view: View) -> Outlines:
    """The county and its streets; communities where they are large enough."""
    features: list[dict[str, Any]] = []
    for level in LEVELS:
        if level == "county" or _large_enough(connection, "area", f"t.level = '{level}'", view):
            features += _features(connection, "area", "t.code, t.name, t.level", f"t.level = '{level}'", view, cut=True)
    return Outlines(bool(features), features)


def duty_grids(connection: Connection, view: View) -> Outlines:
    """The duty grids."""
    return _grids(connection, "duty_grid", "t.code, t.name, t.collector", view, cut=True)


def grids(connection: Connection, view: View) -> Outlines:
    """The unit grids."""
    return _grids(connection, "unit_grid", "t.code", view, cut=False)


def grids_of_layer(connection: Connection, view: View, layer: str) -> list[dict[str, Any]]:
    """The unit grids of a thematic layer, at any scale."""
    inside = "t.code IN (SELECT member FROM layer_member WHERE layer = :layer AND kind = 'grid')"
    return _features(connection, "unit_grid", "t.code", inside, view, cut=False, layer=layer)


def _grids(connection: Connection, table: str, columns: str, view: View, *, cut: bool) -> Outlines:
    if not _large_enough(connection, table, "t.valid_to IS NULL", view):
        return NOTHING
    return Outlines(True, _features(connection, table, columns, "t.valid_to IS NULL", view, cut=cut))


def _large_enough(connection: Connection, table: str, condition: str, view: View) -> bool:
    """Whether the shapes of a kind in a box are few and large enough to be told apart."""
    dialect = connection.dialect.name
    statement = text(
        "SELECT count(*) AS number, avg(wide) AS wide, avg(high) AS high FROM ("  # noqa: S608  # our own names
        f"SELECT i.xmax - i.xmin AS wide, i.ymax - i.ymin AS high FROM {boxes(dialect, table)} "
        f"CROSS JOIN {table} t ON t.id = i.pkid WHERE {meets_view(dialect)} AND {condition} "
        f"LIMIT {LOOKED_AT + 1}) AS counted"
    )
    found = connection.execute(statement, view.box).one()
    if not 0 < found.number <= LOOKED_AT:
        return False
    return float(max(found.wide, found.high)) * METRES_A_DEGREE >= DOTS_TO_BE_SEEN * view.metres


def _features(
    connection: Connection, table: str, columns: str, condition: str, view: View, *, cut: bool, **values: Any
) -> list[dict[str, Any]]:
    """Simplified outlines; with `cut` only the lines inside the box, for shapes that may be larger than it."""
    dialect = connection.dialect.name
    shape = f"ST_Intersection(ST_Boundary(t.geom), {view_box(dialect)})" if cut else "t.geom"
    statement = text(
        f"SELECT {columns}, {geojson(dialect, f'ST_Simplify({shape}, :tolerance)')} AS shape, "  # noqa: S608
        "i.xmin, i.xmax, i.ymin, i.ymax "
        f"FROM {boxes(dialect, table)} CROSS JOIN {table} t ON t.id = i.pkid WHERE {meets_view(dialect)} "
        f"AND {condition} LIMIT {LOOKED_AT}"
    )
    rows = connection.execute(statement, {**view.box, **view.simplifying, **values})
    return [
        {
            "type": "Feature",
            "geometry": msgspec.Raw(row.shape.encode()) if row.shape else None,
            "properties": {
                **{name: value for name, value in row._mapping.items() if name not in NOT_SHOWN},
                "at": _middle(row, view),
            },
        }
        for row in rows
    ]


def _middle(row: Any, view: View) -> list[float]:
    """The middle of the part of a shape's box that is in the view."""
    lon = (max(row.xmin, view.west) + min(row.xmax, view.east)) / 2
    lat = (max(row.ymin, view.south) + min(row.ymax, view.north)) / 2
    return [round(lon, 6), round(lat, 6)]
