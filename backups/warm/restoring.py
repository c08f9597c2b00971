"""Bringing a county back from its warm copy."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from appliance.clock import rfc3339
from appliance.errors import BadHome, Broken, Conflict, NotFound
from appliance.lock import is_held
from appliance.privacy.deletions import listed
from appliance.records.store import DATABASE
from backups.deletion_lists import delete_listed, listed_in_old
from backups.restoring import building_place, check_database, make_ready, refuse_full
from backups.snapshot import rows_of
from backups.warm.place import FORMAT, NAME, Place, state_of


def restore_warm(place: Place, into: Path, by: str = "technician", old_home: Path | None = None) -> dict[str, Any]:
    """Make a new home of a warm copy; it appears only once it is whole and checked. The warm copy stays as it is.

    Whoever was deleted after it stood still is deleted again, by its own list and the old home's.

    Args:
        old_home: the home that is replaced, where its disk can still be read.

    Raises:
        NotFound: there is none. Conflict: something is in the new home, or its disk does not take it. BadHome: the old
        node still writes to it. Broken: it is damaged.
    """
    if is_held(place.folder, NAME):
        raise BadHome(
            f"{place.folder} 的热备仍在进行;请先停止原来的万米。",
            f"The warm copy in {place.folder} still follows a home; stop that one first.",
        )
    state = state_of(place)
    if state is None or state.format != FORMAT or not place.whole.exists():
        raise NotFound(f"{place.folder} 里没有热备。", f"There is no warm copy in {place.folder}.")
    refuse_full(into)
    part = building_place(into)
    shutil.rmtree(part, ignore_errors=True)
    try:
        with _told(into):
            shutil.copytree(place.files, part, symlinks=True)
            part.chmod(0o700)
            _copy_database(place, part)
            if place.evidence.exists():
                shutil.copytree(place.evidence, part / "evidence", ignore=shutil.ignore_patterns("*.part"))
        check_database(part)
        delete_listed(part, {*listed(part), *listed_in_old(old_home)}, state.at)
        rows, missing = sum(rows_of(part / DATABASE).values()), _missing(part)
        make_ready(part, into, by, NAME, {"at": rfc3339(state.at), "evidence_missing": missing})
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return {"id": NAME, "into": str(into), "at": rfc3339(state.at), "rows": rows, "evidence_missing": missing}


@contextmanager
def _told(into: Path) -> Iterator[None]:
    """Tell what could not be copied: of many files the first.

    Raises:
        Conflict: it names the file and why.
    """
    try:
        yield
    except shutil.Error as error:
        source, _, why = error.args[0][0]
        raise _not_copied(into, f"{source}: {why}") from None
    except OSError as error:
        raise _not_copied(into, str(error)) from None


def _not_copied(into: Path, why: str) -> Conflict:
    return Conflict(
        f"热备没有全部复制到 {into} ({why});请检查两块盘与剩余空间后再恢复。",
        f"Not all of the warm copy could be copied to {into} ({why}); look at both disks and at their "
        "room, and restore again.",
    )


def _copy_database(place: Place, home: Path) -> None:
    """The database with its log; SQLite puts them together when it opens them."""
    for name in (DATABASE, f"{DATABASE}-wal"):
        if (place.whole.parent / name).exists():
            shutil.copy2(place.whole.parent / name, home / name)
            (home / name).chmod(0o600)
    with closing(sqlite3.connect(home / DATABASE, isolation_level=None)) as driver:
        try:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.DatabaseError as error:
            raise Broken(
                f"热备的数据库损坏: {error}。", f"The database of the warm copy is damaged: {error}."
            ) from None


def _missing(home: Path) -> int:
    """How many evidence files are named by rows and were not copied yet."""
    with closing(sqlite3.connect(f"file:{home / DATABASE}?mode=ro", uri=True)) as driver:
        named = driver.execute("SELECT DISTINCT sha256 FROM evidence")
        return sum(not (home / "evidence" / sha256[:2] / sha256).exists() for (sha256,) in named)
