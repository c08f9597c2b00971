"""The patrols of a day on a map: each unit grid of a view by what became of it, and the cameras that are due.

Up to some hundred unit grids come one by one, more of them by cell of the map: a cell shows the worst that is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, text

from appliance.clock import local, rfc3339
from appliance.patrols import day_file, looks
from appliance.patrols.plans import attributes_of, plan_of
from appliance.places.outlines import View

if TYPE_CHECKING:
    from appliance.cases.office import Office

SINGLE_AT_MOST = 400
CAMERAS_AT_MOST = 400
LEVELS = ("none", "passed", "planned")
"""Names of the levels 0, 1 and 2 of a unit grid."""

_GRIDS = text(
    "SELECT t.code, t.duty_grid, t.lon, t.lat FROM idx_unit_grid_geom i CROSS JOIN unit_grid t ON t.id = i.pkid "
    "WHERE i.xmin <= :east AND i.xmax >= :west AND i.ymin <= :north AND i.ymax >= :south AND t.valid_to IS NULL "
    "AND t.duty_grid IS NOT NULL"
)
_DUTY_GRIDS = text("SELECT code, attributes FROM duty_grid WHERE valid_to IS NULL")


class GridOnMap(msgspec.Struct, omit_defaults=True):
    """A unit grid, or a cell with several: where, the level (0 not passed, 1 passed, 2 as planned), how many."""

    lon: float
    lat: float
    level: int
    number: int
    grid: str | None = None


class CameraOnMap(msgspec.Struct):
    """A camera; `due` when its time for the next look has come."""

    code: str
    name: str
    lon: float
    lat: float
    due: bool


class PatrolsOnMap(msgspec.Struct):
    """The patrols of a view; `levels` counts the unit grids by what became of them."""

    day: str
    counted_at: str | None
    number: int
    levels: dict[str, int]
    grids: list[GridOnMap]
    cameras: list[CameraOnMap]


def patrols_in_view(connection: Connection, office: Office, view: View) -> PatrolsOnMap:
    """Today's patrols in a view; duty grids that nobody walks are left out."""
    now = office.records.clock.now()
    day = local(now, office.settings.zone).date().isoformat()
    own = office.settings.patrols
    walked = {
        row.code
        for row in connection.execute(_DUTY_GRIDS)
        if plan_of(row.code, attributes_of(row.attributes), own).rounds
    }
    with day_file.opened(office.records.home, day) as file:
        levels = {} if file is None else dict(file.execute("SELECT grid, level FROM walked").fetchall())
        counted = None if file is None else day_file.state(file, "counted_at")
    rows = [row for row in connection.execute(_GRIDS, view.box) if row.duty_grid in walked]
    if len(rows) <= SINGLE_AT_MOST:
        grids = [GridOnMap(row.lon, row.lat, levels.get(row.code, 0), 1, row.code) for row in rows]
    else:
        grids = _by_cell(rows, levels, view)
    numbers = [0, 0, 0]
    for row in rows:
        numbers[levels.get(row.code, 0)] += 1
    cameras = [
        CameraOnMap(
            camera["code"], camera["name"], camera["lon"], camera["lat"],
            camera["due_at"] is None or camera["due_at"] <= now,
        )
        for camera in looks.cameras_in_box(connection, office, view.box, CAMERAS_AT_MOST)
    ]  # fmt: skip
    told = None if counted is None else rfc3339(int(counted))
    return PatrolsOnMap(day, told, len(rows), dict(zip(LEVELS, numbers, strict=True)), grids, cameras)


def _by_cell(rows: list[Any], levels: dict[str, int], view: View) -> list[GridOnMap]:
    """One for each cell, in the middle of it, with the lowest level of its unit grids."""
    wide, high = (view.east - view.west) / view.columns, (view.north - view.south) / view.rows
    cells: dict[tuple[int, int], GridOnMap] = {}
    for row in rows:
        column = min(max(int((row.lon - view.west) / wide), 0), view.columns - 1)
        line = min(max(int((row.lat - view.south) / high), 0), view.rows - 1)
        level = levels.get(row.code, 0)
        cell = cells.get((column, line))
        if cell is None:
            lon, lat = view.west + (column + 0.5) * wide, view.south + (line + 0.5) * high
            cells[column, line] = GridOnMap(round(lon, 6), round(lat, 6), level, 1)
        else:
            cell.level = min(cell.level, level)
            cell.number += 1
    return list(cells.values())
