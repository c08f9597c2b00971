"""Folding the write-ahead log back into the database, in a thread of its own, so that no answer waits for it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

SECONDS = 1.0
FRAMES_AT_MOST = 65_536
"""A log longer than this (256 MiB) is folded back whole, even if writers have to wait for it once."""
PATIENCE_MS = 200
"""So long it waits for those who read from the log, and writers with it; a warm copy on a disk that hangs reads on."""


class Checkpointer:
    """Looks every second whether the log has grown, and folds back what it can without making anybody wait."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wanmi-checkpoint", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; the last connection that closes folds back the rest."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
            while not self._ending.wait(SECONDS):
                try:
                    _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                    if frames > FRAMES_AT_MOST:
                        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                except sqlite3.Error:
                    continue  # a full disk or a lock; the writer says so to whoever writes, the next second tries again
