"""The bare loop: point in grid, insert, commit, one after the other, with `synchronous=FULL`.

Run as a process of its own, so that the slower disk can be preloaded: `python -m tests.bench.bare DATABASE COUNT`.
"""

from __future__ import annotations

import sqlite3
import sys
from random import Random
from time import perf_counter

from tests.bench.county import SOUTH, STEP, WEST


def run(database: str, count: int) -> float:
    """Rows a second."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.enable_load_extension(True)
    connection.load_extension("mod_spatialite")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, description TEXT, grid TEXT)")
    if not connection.execute("SELECT 1 FROM geometry_columns WHERE f_table_name = 'bare'").fetchone():
        connection.execute("SELECT AddGeometryColumn('bare', 'geom', 4490, 'POINT', 'XY')")
        connection.execute("SELECT CreateSpatialIndex('bare', 'geom')")
    random = Random(1)
    started = perf_counter()
    for number in range(count):
        lon, lat = WEST + random.random() * 20 * STEP, SOUTH + random.random() * 10 * STEP
        connection.execute("BEGIN IMMEDIATE")
        grid = connection.execute(
            "SELECT code FROM unit_grid WHERE id IN (SELECT pkid FROM idx_unit_grid_geom "
            "WHERE xmin <= ?1 AND xmax >= ?1 AND ymin <= ?2 AND ymax >= ?2) "
            "AND ST_Intersects(geom, MakePoint(?1, ?2, 4490))",
            (lon, lat),
        ).fetchone()
        connection.execute(
            "INSERT INTO bare (description, grid, geom) VALUES (?, ?, MakePoint(?, ?, 4490))",
            (f"井盖破了 {number}", grid[0] if grid else None, lon, lat),
        )
        connection.execute("COMMIT")
    return count / (perf_counter() - started)


if __name__ == "__main__":
    print(run(sys.argv[1], int(sys.argv[2])))
