"""The bare side of the tracks: insert one position, commit, one after the other, with `synchronous=FULL`.

Run as a process of its own, so that the slower disk can be preloaded: `python -m tests.bench.bare_tracks FILE COUNT`.
Prints rows a second and processor milliseconds a row.
"""

from __future__ import annotations

import sqlite3
import sys
from time import perf_counter, process_time


def run(file: str, count: int) -> tuple[float, float]:
    """Rows a second, processor milliseconds a row."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS position (who TEXT, at INTEGER, lon REAL, lat REAL, speed REAL, "
        "PRIMARY KEY (who, at)) WITHOUT ROWID"
    )
    before = connection.execute("SELECT count(*) FROM position").fetchone()[0]
    started, busy = perf_counter(), process_time()
    for number in range(before, before + count):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT OR IGNORE INTO position VALUES (?, ?, ?, ?, ?)",
            (f"w{number % 1203:04d}", number // 1203 * 10_000_000, 113.4, 34.1, 1.2),
        )
        connection.execute("COMMIT")
    return count / (perf_counter() - started), (process_time() - busy) / count * 1000


if __name__ == "__main__":
    print(*run(sys.argv[1], int(sys.argv[2])))
