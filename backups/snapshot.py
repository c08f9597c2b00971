"""A consistent copy of a home while its node works, and the snapshot of it in the repository.

The database is copied by SQLite's backup API inside one read transaction, never as a file; what the copy holds is
counted in a manifest with the digests of its pieces, which stay in the home so that the next snapshot reads only those
that changed. Evidence is only ever added, so it is taken as it stands after the copy: no row of the copy points to a
file that is not there.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

import msgspec

from appliance.cases.evidence import UPLOAD
from appliance.clock import SystemClock, rfc3339
from appliance.errors import BadHome, Conflict
from appliance.lock import hold
from appliance.privacy.copies import STAGE
from appliance.records.acts import append_act
from appliance.records.metadata import metadata
from appliance.records.store import DATABASE, Records
from appliance.settings import Settings, load
from backups.deletion_lists import add_list
from backups.gently import gently
from backups.key import KEY, ensure_key
from backups.pieces import split
from backups.repository import Repository

MANIFEST, PIECES = "manifest.json", "pieces"
COPY = Path("backups") / "copy"
FORMAT = 2
TRACKS = "tracks"
LEFT_OUT = frozenset(("backups", "log", "run", "locks"))
"""Folders of a home that no other machine has a use for."""
UNDER_WAY = f"evidence/{UPLOAD}*"
"""Photos that are being taken in; they go away while they are looked at."""
FREE_AT_LEAST = 256 << 20


class Manifest(msgspec.Struct):
    """What a snapshot holds; `at` RFC 3339, `rows` by table, `pieces` the SHA-256 of the database's pieces in order."""

    format: int
    county: str
    name: str
    at: str
    schema: str
    feed: str
    cursor: int
    rows: dict[str, int]
    bytes: int
    pieces: list[str]


@dataclass(frozen=True, slots=True)
class Made:
    """A snapshot that was made."""

    id: str
    rows: int
    bytes: int
    added: int
    seconds: float
    cursor: int

    def as_dict(self) -> dict[str, Any]:
        """As `wanmi backup now --json` tells it."""
        return {
            "id": self.id, "rows": self.rows, "bytes": self.bytes, "added": self.added,
            "seconds": round(self.seconds, 2), "cursor": self.cursor,
        }  # fmt: skip


def repository_of(home: Path, settings: Settings, to: str | None = None) -> Repository:
    """The repository of a home, or another one that is named.

    Raises:
        BadHome: none is set. Conflict: its disk is not there.
    """
    where = to or settings.backup.to
    if not where:
        raise BadHome(
            f'没有设置备份目标;请在 {home / "wanmi.toml"} 写 [backup] to = "/media/…",或用 --to。',
            f'No target for backups is set; write [backup] to = "/media/…" in {home / "wanmi.toml"}, or use --to.',
        )
    ensure_key(home)
    return Repository(where, home / KEY, home / "backups" / "cache")


def back_up(home: Path, to: str | None = None, by: str = "technician") -> Made:
    """Make a snapshot of a home.

    Raises:
        BadHome: no home, or no target. Conflict: another backup of it is under way, the target is away, or a disk full.
    """
    began, settings = monotonic(), load(home)
    if settings.database_url:
        raise BadHome(
            "本县数据在 PostgreSQL 中;请用 pg_dump 备份数据库。", "The county is in PostgreSQL; back it up by pg_dump."
        )
    (home / "backups").mkdir(mode=0o700, exist_ok=True)
    with hold(home / "backups", "backup", "备份", "backup"):
        repository = repository_of(home, settings, to)
        repository.ensure()
        manifest = gently(lambda: stage(home, settings))
        try:
            tags = (f"rows={sum(manifest.rows.values())}", f"cursor={manifest.cursor}", f"bytes={manifest.bytes}")
            left_out = (KEY, UNDER_WAY, *(f"{TRACKS}/{track.name}*" for track in growing_tracks(home)))
            summary = repository.add(home, names(home), settings.county, tags, left_out)
        finally:
            shutil.rmtree(home / STAGE / TRACKS, ignore_errors=True)
        add_list(repository, home, settings.county)
        made = Made(
            summary["snapshot_id"][:8], sum(manifest.rows.values()), summary["total_bytes_processed"],
            summary["data_added"], monotonic() - began, manifest.cursor,
        )  # fmt: skip
        _note(home, by, made, repository.to)
        kept = settings.backup
        with suppress(Conflict):  # somebody else uses the repository; old snapshots go tomorrow
            repository.forget(settings.county, kept.keep_daily, kept.keep_weekly, kept.keep_monthly)
    return made


def stage(home: Path, settings: Settings) -> Manifest:
    """Copy the database, bring its pieces to what the copy holds, and write what that is beside them.

    Raises:
        Conflict: no room for the copy.
    """
    folder, copy = home / STAGE, home / COPY / DATABASE
    before = _pieces_before(folder)
    _need_room(home, is_first=not before)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder / TRACKS, ignore_errors=True)
    try:
        copy_database(home / DATABASE, copy)
        manifest = manifest_of(copy, settings, rows_of(copy), split(copy, folder / PIECES, before))
    finally:
        shutil.rmtree(home / COPY, ignore_errors=True)
    for track in growing_tracks(home):
        copy_database(track, folder / TRACKS / track.name)
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    return manifest


def _need_room(home: Path, *, is_first: bool) -> None:
    size = (home / DATABASE).stat().st_size
    need, free = size * (1 + is_first) + FREE_AT_LEAST, shutil.disk_usage(home).free
    if free < need:
        raise Conflict(
            f"{home} 只剩 {free >> 20} MB,备份需要 {need >> 20} MB;请清理磁盘。",
            f"{home} has {free >> 20} MB left and a backup needs {need >> 20} MB; make room on the disk.",
        )


def _pieces_before(folder: Path) -> list[str]:
    """The digests of the pieces that stand from the last time; none where that was broken off."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest).pieces
    except (FileNotFoundError, msgspec.DecodeError):
        return []


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite file that may be written meanwhile, as it is at one moment.

    The copy may still be in the machine's memory: who keeps it brings it to the disk. One that is read once and thrown
    away need never get there.
    """
    target.parent.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    address = f"file:{quote(str(source))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as reading, closing(sqlite3.connect(target)) as writing:
        for name in ("synchronous", "journal_mode"):
            writing.execute(f"PRAGMA {name} = OFF")
        reading.backup(writing)


def growing_tracks(home: Path) -> list[Path]:
    """The days of tracks that are still written to."""
    found = sorted((home / TRACKS).glob("*.db"))
    return [track for track in found if track.with_name(f"{track.name}-wal").exists() or track == found[-1]]


def manifest_of(copy: Path, settings: Settings, rows: dict[str, int], pieces: list[str]) -> Manifest:
    """What a copied database holds."""
    with closing(sqlite3.connect(f"file:{quote(str(copy))}?mode=ro", uri=True)) as driver:
        feed, cursor = driver.execute("SELECT name, last FROM feed WHERE id = 1").fetchone()
        revision = driver.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    return Manifest(
        FORMAT, settings.county, settings.name, rfc3339(SystemClock().now()) or "", revision, feed, cursor,
        rows, copy.stat().st_size, pieces,
    )  # fmt: skip


def rows_of(database: Path) -> dict[str, int]:
    """How many rows each table of ours has."""
    with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)) as driver:
        there = {row[0] for row in driver.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        tables = sorted(there & set(metadata().tables))
        return {
            name: driver.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608  # our own tables
            for name in tables
        }


def names(home: Path) -> list[str]:
    """What of a home goes into a snapshot, by name: all but the running database, locks, logs and other backups."""
    found = [
        path.name
        for path in sorted(home.iterdir())
        if path.name not in LEFT_OUT and not path.name.startswith(DATABASE) and path.suffix not in (".lock", ".new")
    ]
    return [*found, str(STAGE)]


def _note(home: Path, by: str, made: Made, to: str) -> None:
    records = Records.open(home)
    try:
        detail = made.as_dict() | {"to": to.split("@")[-1]}
        records.write(lambda unit: append_act(unit, by, "backup.now", made.id, detail))
    finally:
        records.close()
