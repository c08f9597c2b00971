"""Parts on a map: one by one where there are few, else counted by cell.

Counting some 400,000 parts takes a third of a second, so wide views are answered from a lattice of a thousandth of a
degree that is counted once and kept until another import.
"""

from __future__ import annotations

import threading
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.places.batches import IMPORTED
from appliance.places.outlines import View
from appliance.records.spatial import boxes, meets_view, whole
from appliance.records.sql import Spelt

SINGLE_AT_MOST = 400
COUNTED_AT_MOST = 20_000
"""Up to so many parts in a box are counted by the R-tree for each question."""
LATTICE = 0.001
LEVELS = 9

_SOME = Spelt(
    lambda dialect: (
        f"SELECT count(*) FROM (SELECT 1 FROM {boxes(dialect, 'part')} WHERE {meets_view(dialect)} "  # noqa: S608
        f"LIMIT {COUNTED_AT_MOST + 1}) AS counted"
    )
)
_SINGLE = Spelt(
    lambda dialect: (
        f"SELECT t.code, t.type, t.name, t.state, t.lon, t.lat FROM {boxes(dialect, 'part')} "  # noqa: S608
        f"CROSS JOIN part t ON t.id = i.pkid WHERE {meets_view(dialect)} LIMIT {SINGLE_AT_MOST}"
    )
)
_OF_LAYER = text(
    "SELECT t.code, t.type, t.name, t.state, t.lon, t.lat FROM layer_member m CROSS JOIN part t ON t.code = m.member "  # noqa: S608
    "WHERE m.layer = :layer AND m.kind = 'part' AND t.lon BETWEEN :west AND :east AND t.lat BETWEEN :south AND :north "
    f"LIMIT {COUNTED_AT_MOST}"
)
_CELLS = Spelt(
    lambda dialect: (
        f"SELECT {whole(dialect, '(i.xmin - :west) / :wide')} AS x, "  # noqa: S608  # our own names
        f"{whole(dialect, '(:north - i.ymin) / :high')} AS y, count(*) AS number "
        f"FROM {boxes(dialect, 'part')} WHERE {meets_view(dialect)} GROUP BY 1, 2"
    )
)
_LATTICE = Spelt(
    lambda dialect: (
        f"SELECT {whole(dialect, f'i.xmin / {LATTICE}')} AS x, {whole(dialect, f'i.ymin / {LATTICE}')} AS y, "  # noqa: S608
        f"count(*) AS number FROM {boxes(dialect, 'part')} GROUP BY 1, 2"
    )
)


class Density(msgspec.Struct):
    """How dense something is: rows from north to south, one digit a cell from west to east.

    0 is empty and 9 is `most`, the count in the fullest cell; between them it goes by the square root.
    """

    columns: int
    rows: list[str]
    most: int


class PartsOut(msgspec.Struct):
    """The parts of a view; either `features` or, where they are too many, `density`."""

    shown: bool
    number: int
    features: list[dict[str, Any]]
    density: Density | None = None


class Lattice:
    """Counts of parts by thousandths of a degree, kept until another import; one for each opened county."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: tuple[Any, ...] | None = None
        self._counts: list[tuple[float, float, int]] = []

    def counts(self, connection: Connection) -> list[tuple[float, float, int]]:
        """Longitude, latitude and number of parts of each cell that has some."""
        of = tuple(connection.execute(IMPORTED).one())
        with self._lock:
            if self._of != of:
                rows = connection.execute(_LATTICE.on(connection))
                self._counts = [((row.x + 0.5) * LATTICE, (row.y + 0.5) * LATTICE, row.number) for row in rows]
                self._of = of
            return self._counts


def parts(connection: Connection, lattice: Lattice, view: View) -> PartsOut:
    """The parts of a view."""
    number = int(connection.execute(_SOME.on(connection), view.box).scalar_one())
    if number <= SINGLE_AT_MOST:
        return PartsOut(number > 0, number, _points(connection.execute(_SINGLE.on(connection), view.box)))
    wide, high = cell_size(view)
    if number <= COUNTED_AT_MOST:
        rows = connection.execute(_CELLS.on(connection), {**view.box, "wide": wide, "high": high})
        cells = {(row.x, row.y): int(row.number) for row in rows}
    else:
        counts = lattice.counts(connection)
        inside = [item for item in counts if view.west <= item[0] < view.east and view.south < item[1] <= view.north]
        number, cells = sum(item[2] for item in inside), _spread(inside, view, wide, high)
    return PartsOut(True, number, [], drawn(cells, view))


def parts_of_layer(connection: Connection, view: View, layer: str) -> list[dict[str, Any]]:
    """The parts of a thematic layer in a view."""
    return _points(connection.execute(_OF_LAYER, {**view.box, "layer": layer}))


def cell_size(view: View) -> tuple[float, float]:
    """Width and height of a cell in degrees."""
    return (view.east - view.west) / view.columns or 1e-9, (view.north - view.south) / view.rows or 1e-9


def drawn(cells: dict[tuple[int, int], int], view: View) -> Density:
    """Counts by cell as digits."""
    most = max(cells.values(), default=0)
    rows = [["0"] * view.columns for _ in range(view.rows)]
    for (x, y), number in cells.items():
        if number:
            level = max(round((number / most) ** 0.5 * LEVELS), 1)
            rows[min(max(y, 0), view.rows - 1)][min(max(x, 0), view.columns - 1)] = str(level)
    return Density(view.columns, ["".join(row) for row in rows], most)


def _spread(inside: list[tuple[float, float, int]], view: View, wide: float, high: float) -> dict[tuple[int, int], int]:
    """Lattice cells on the cells of a view: summed where several fall on one, spread where one covers several."""
    across, down = max(round(LATTICE / wide), 1), max(round(LATTICE / high), 1)
    cells: dict[tuple[int, int], int] = {}
    for lon, lat, number in inside:
        left = int((lon - LATTICE / 2 - view.west) / wide) if across > 1 else int((lon - view.west) / wide)
        top = int((view.north - lat - LATTICE / 2) / high) if down > 1 else int((view.north - lat) / high)
        share = -(-number // (across * down))
        for x in range(left, left + across):
            for y in range(top, top + down):
                if 0 <= x < view.columns and 0 <= y < view.rows:
                    cells[x, y] = cells.get((x, y), 0) + share
    return cells


def _points(rows: Any) -> list[dict[str, Any]]:
    return [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row.lon, row.lat]},
            "properties": {"code": row.code, "type": row.type, "name": row.name, "state": row.state},
        }
        for row in rows
    ]
