"""Evidence of the warm copy: files are only added, under their digest, so what has a name there is whole."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from time import monotonic

SLICE_SECONDS = 1.0
ROWS = 500


class Evidence:
    """Copies what the rows of the database name and the copy has not; in slices, so that the database never waits."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source, self._target = source, target
        self._after = 0

    def copy_some(self, reading: sqlite3.Connection) -> int:
        """Copy for a second at most; returns how many rows are left to look at."""
        ending = monotonic() + SLICE_SECONDS
        while monotonic() < ending:
            rows = reading.execute(
                "SELECT id, sha256 FROM evidence WHERE id > ? ORDER BY id LIMIT ?", (self._after, ROWS)
            ).fetchall()
            if not rows:
                return 0
            for number, sha256 in rows:
                self._copy(sha256)
                self._after = number
                if monotonic() > ending:
                    break
        return int(reading.execute("SELECT count(*) FROM evidence WHERE id > ?", (self._after,)).fetchone()[0])

    def forget_what_is_gone(self, reading: sqlite3.Connection) -> None:
        """Take away what no row names any more; what a dying disk lost is named still, and kept."""
        for folder in self._target.glob("??"):
            for path in folder.iterdir():
                named = reading.execute("SELECT 1 FROM evidence WHERE sha256 = ?", (path.name,)).fetchone()
                if named is None:
                    path.unlink(missing_ok=True)

    def _copy(self, sha256: str) -> None:
        source, target = (folder / sha256[:2] / sha256 for folder in (self._source, self._target))
        if target.exists() or not source.exists():
            return
        copy_file(source, target)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file or a link; it has its name only once it is whole and on the disk, and only its owner reads it."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    if source.is_symlink():
        part.unlink(missing_ok=True)
        part.symlink_to(os.readlink(source))
        part.replace(target)
        return
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as reading, os.fdopen(descriptor, "wb") as writing:
        shutil.copyfileobj(reading, writing, 1 << 20)
        writing.flush()
        os.fsync(writing.fileno())
    part.replace(target)
