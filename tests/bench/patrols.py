"""The count of a day's walked patrols: 1,203 collectors with a position every ten seconds, day and night, 20,000 grids.

The bare side reads the same positions person by person out of the same file and does nothing with them.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from appliance.clock import HOUR, SECOND, micros
from appliance.patrols import day_file
from appliance.patrols.tracks import Tracks
from appliance.records.engine import connect_sqlite
from tests import homes
from tests.bench.county import COLUMNS_OF_GRIDS, ROWS_OF_GRIDS
from tests.bench.senders import add_senders, strolls

POSITIONS = 8_640
ZONE = ZoneInfo("Asia/Shanghai")
MEGABYTES_AT_MOST, TIMES_AT_MOST, LATE_SHARE = 400, 12, 0.5


def measure(home: Path, people: int) -> bool:
    """Fill a day, count it, count it again after one late position; whether the bounds hold."""
    add_senders(home, people)
    _duty_grids(home, people)
    today = datetime.now(ZONE).date()
    start = micros(datetime(today.year, today.month, today.day, tzinfo=ZONE))
    with closing(Tracks(home, ZONE)) as tracks:
        for number in range(people):
            row = number * ROWS_OF_GRIDS // people
            spot = (number * 7 % COLUMNS_OF_GRIDS + 0.5, row + 0.5)
            tracks.add(strolls(f"w{number:04d}", start, POSITIONS, 10 * SECOND, spot))
        bare = _bare(day_file.path_of(home, today.isoformat()))
        counted, first = _count(home, start + 24 * HOUR - SECOND)
        assert counted[today.isoformat()]["people"] == people
        tracks.add(strolls("w0000", start + SECOND, 1, SECOND))
        again, later = _count(home, start + 24 * HOUR - SECOND)
        assert again[today.isoformat()]["people"] == 1
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    total = people * POSITIONS
    print(f"{total} positions, {people} people, {COLUMNS_OF_GRIDS * ROWS_OF_GRIDS} grids")
    print(f"bare reading                 {bare:8.1f} s    {total / bare:.0f} positions/s")
    print(f"counted                      {first:8.1f} s    ratio {first / bare:.1f}  (aim ≤ {TIMES_AT_MOST})")
    print(f"again after a late position  {later:8.1f} s    share {later / first:.2f}  (aim ≤ {LATE_SHARE})")
    print(f"memory at most               {memory:8.0f} MB   (aim ≤ {MEGABYTES_AT_MOST})")
    return first <= TIMES_AT_MOST * bare and later <= LATE_SHARE * first and memory <= MEGABYTES_AT_MOST


def _count(home: Path, now: int) -> tuple[dict[str, dict[str, int]], float]:
    started = perf_counter()
    command = [sys.executable, "-m", "appliance.patrols.counting", str(home), str(now)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout), perf_counter() - started


def _bare(file: Path) -> float:
    started = perf_counter()
    with closing(sqlite3.connect(file)) as connection:
        for (who,) in connection.execute("SELECT DISTINCT who FROM position").fetchall():
            connection.execute("SELECT at, lon, lat, speed FROM position WHERE who = ? ORDER BY at", (who,)).fetchall()
    return perf_counter() - started


def _duty_grids(home: Path, people: int) -> None:
    """As many duty grids as people, each a stretch of a row."""
    total = COLUMNS_OF_GRIDS * ROWS_OF_GRIDS
    with closing(connect_sqlite(home / "county.db", cache_kib=65_536, read_only=False)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM duty_grid")
        connection.executemany(
            "INSERT INTO duty_grid (code, name, collector, geom) VALUES (?, '', ?, ST_GeomFromText(?, 4490))",
            ((f"duty-{number}", f"w{number:04d}", homes.cell(0, 0)) for number in range(people)),
        )
        keys = [row[0] for row in connection.execute("SELECT id FROM unit_grid ORDER BY id")]
        connection.executemany(
            "UPDATE unit_grid SET duty_grid = ? WHERE id = ?",
            ((f"duty-{number * people // total}", key) for number, key in enumerate(keys)),
        )
        connection.execute("COMMIT")
