"""The patrols of a day on a map: each unit grid of a view by what became of it, and the cameras that are due.

Up to some hundred unit grids come one by one, more of them by cell of the map: a cell shows the worst that is in it.
Where the unit grids are is read once and kept until another import, so a wide view costs no walk through the table.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, text

from appliance.clock import local, rfc3339
from appliance.patrols import day_file, looks
from appliance.patrols.plans import attributes_of, plan_of
from appliance.places.batches import IMPORTED
from appliance.places.density import cell_size
from appliance.places.outlines import View

if TYPE_CHECKING:
    from appliance.cases.office import Office

SINGLE_AT_MOST = 400
CAMERAS_AT_MOST = 400
LEVELS = ("none", "passed", "planned")
"""Names of the levels 0, 1 and 2 of a unit grid."""
NO_GRID = "."

_GRIDS = text("SELECT code, duty_grid, lon, lat FROM unit_grid WHERE valid_to IS NULL AND duty_grid IS NOT NULL")
_DUTY_GRIDS = text("SELECT code, attributes FROM duty_grid WHERE valid_to IS NULL")


class GridOnMap(msgspec.Struct):
    """A unit grid by its middle; `level` 0 not passed, 1 passed, 2 as planned."""

    grid: str
    lon: float
    lat: float
    level: int


class CameraOnMap(msgspec.Struct):
    """A camera; `due` when its time for the next look has come."""

    code: str
    name: str
    lon: float
    lat: float
    due: bool


class PatrolsOnMap(msgspec.Struct):
    """The patrols of a view; `levels` counts the unit grids by what became of them.

    Either `grids` or, where they are too many, `rows` from north to south with a sign a cell from west to east: the
    lowest level of the unit grids in it, or a full stop.
    """

    bbox: list[float]
    day: str
    counted_at: str | None
    number: int
    levels: dict[str, int]
    grids: list[GridOnMap]
    rows: list[str]
    cameras: list[CameraOnMap]


class WalkedGrids:
    """Code, longitude and latitude of the unit grids that are walked, kept until another import; one for each node."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: tuple[Any, ...] | None = None
        self._grids: list[tuple[str, float, float]] = []

    def grids(self, connection: Connection, office: Office) -> list[tuple[str, float, float]]:
        """All of them."""
        of = tuple(connection.execute(IMPORTED).one())
        with self._lock:
            if self._of != of:
                own = office.settings.patrols
                walked = {
                    row.code
                    for row in connection.execute(_DUTY_GRIDS)
                    if plan_of(row.code, attributes_of(row.attributes), own).rounds
                }
                rows = connection.execute(_GRIDS)
                self._grids = [(row.code, row.lon, row.lat) for row in rows if row.duty_grid in walked]
                self._of = of
            return self._grids


def patrols_in_view(connection: Connection, office: Office, walked: WalkedGrids, view: View) -> PatrolsOnMap:
    """Today's patrols in a view; duty grids that nobody walks are left out."""
    now = office.records.clock.now()
    day = local(now, office.settings.zone).date().isoformat()
    with day_file.opened(office.records.home, day) as file:
        levels = {} if file is None else dict(file.execute("SELECT grid, level FROM walked").fetchall())
        counted = None if file is None else day_file.state(file, "counted_at")
    west, south, east, north = view.west, view.south, view.east, view.north
    found = [
        GridOnMap(code, lon, lat, levels.get(code, 0))
        for code, lon, lat in walked.grids(connection, office)
        if west <= lon <= east and south <= lat <= north
    ]
    numbers = [0, 0, 0]
    for grid in found:
        numbers[grid.level] += 1
    single, told = len(found) <= SINGLE_AT_MOST, None if counted is None else rfc3339(int(counted))
    cameras = [
        CameraOnMap(
            camera["code"], camera["name"], camera["lon"], camera["lat"],
            camera["due_at"] is None or camera["due_at"] <= now,
        )
        for camera in looks.cameras_in_box(connection, office, view.box, CAMERAS_AT_MOST)
    ]  # fmt: skip
    return PatrolsOnMap(
        [west, south, east, north], day, told, len(found), dict(zip(LEVELS, numbers, strict=True)),
        found if single else [], [] if single else _by_cell(found, view), cameras,
    )  # fmt: skip


def _by_cell(grids: list[GridOnMap], view: View) -> list[str]:
    """The lowest level in each cell, row by row from the north."""
    wide, high = cell_size(view)
    rows = [[NO_GRID] * view.columns for _ in range(view.rows)]
    for grid in sorted(grids, key=lambda grid: -grid.level):
        column = min(int((grid.lon - view.west) / wide), view.columns - 1)
        row = min(int((view.north - grid.lat) / high), view.rows - 1)
        rows[row][column] = str(grid.level)
    return ["".join(row) for row in rows]
