"""Bringing a snapshot back: whole into a new home, checked before it is given its name, or read back and compared."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from time import CLOCK_BOOTTIME, clock_gettime, time
from typing import Any
from uuid import uuid4

import msgspec

from appliance.cases.history import audit_chains
from appliance.errors import BadHome, Broken, Conflict, NotFound
from appliance.exchange.links import write_private
from appliance.lock import is_held
from appliance.records import schema
from appliance.records.acts import append_act
from appliance.records.anchor import RESTORED
from appliance.records.store import DATABASE, Records
from appliance.settings import FILE
from backups.deletion_lists import delete_again
from backups.key import KEY
from backups.pieces import compare as compare_pieces
from backups.pieces import join
from backups.repository import Repository
from backups.snapshot import FORMAT, MANIFEST, PIECES, STAGE, TRACKS, Manifest, rows_of


def manifest_in(repository: Repository, snapshot: str) -> Manifest:
    """What a snapshot holds.

    Raises:
        NotFound: there is no such snapshot. Broken: it is none of a county.
    """
    try:
        manifest = msgspec.json.decode(repository.file(snapshot, f"/{STAGE}/{MANIFEST}"), type=Manifest)
    except msgspec.DecodeError as error:
        raise Broken(
            f"快照 {snapshot} 的清单看不懂: {error}。", f"The manifest of {snapshot} cannot be read: {error}."
        ) from None
    if manifest.format != FORMAT or manifest.schema > (schema.head_revision() or ""):
        raise BadHome(
            f"快照 {snapshot} 来自更新的软件 (结构 {manifest.schema});请先升级本软件。",
            f"The snapshot {snapshot} is of newer software (schema {manifest.schema}); upgrade this one first.",
        )
    return manifest


def verify(repository: Repository, snapshot: str) -> Manifest:
    """Read the whole repository back, and a snapshot's database byte by byte.

    Raises:
        NotFound: no such snapshot. Broken: something is damaged.
    """
    manifest = manifest_in(repository, snapshot)
    repository.check()
    with repository.archive(snapshot, f"/{STAGE}/{PIECES}") as archive:
        compare_pieces(archive, manifest.pieces)
    return manifest


def restore(
    repository: Repository, snapshot: str, into: Path, by: str = "technician", old_home: Path | None = None
) -> Manifest:
    """Restore a snapshot into a new home, which appears only once it is whole and checked.

    Its feed gets a new name, so that the platforms above take a snapshot and mistake no number for an old one. Whoever
    was deleted after the snapshot is deleted in it again, by the newest list in the repository and the old home's. It
    gets the key of the repository, so that the next night's snapshot goes where the others are.

    Args:
        old_home: the home that is replaced, where its disk can still be read.

    Raises:
        Conflict: something is there already. NotFound, Broken: as `verify`. BadHome: it is of newer software.
    """
    refuse_full(into)
    manifest = manifest_in(repository, snapshot)
    part = building_place(into)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    try:
        repository.restore(snapshot, part)
        settle(part, manifest)
        compare(part, manifest)
        delete_again(repository, part, manifest, old_home)
        write_private(part / KEY, f"{repository.key}\n")
        make_ready(part, into, by, snapshot, {"at": manifest.at, "cursor": manifest.cursor})
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def settle(home: Path, manifest: Manifest) -> None:
    """Put the copies of a restored snapshot in their places, and check the database against the manifest.

    Raises:
        Broken: the database is not what was copied.
    """
    stage = home / STAGE
    join(stage / PIECES, home / DATABASE, manifest.pieces)
    for track in (stage / TRACKS).glob("*.db"):
        (home / TRACKS).mkdir(mode=0o700, exist_ok=True)
        track.replace(home / TRACKS / track.name)
    shutil.rmtree(stage)


def compare(home: Path, manifest: Manifest) -> None:
    """Compare a restored home with its manifest: rows of every table, both audit chains, SQLite's own check.

    Raises:
        Broken: the first difference is named.
    """
    check_database(home)
    found = rows_of(home / DATABASE)
    different = next((name for name, rows in manifest.rows.items() if found.get(name) != rows), None)
    if different is not None:
        zh = f"表 {different} 有 {found.get(different)} 行,备份时 {manifest.rows[different]} 行。"
        en = f"The table {different} has {found.get(different)} rows and had {manifest.rows[different]} when copied."
        raise Broken(zh, en)


def check_database(home: Path) -> int:
    """Check a database by SQLite's own check and its audit chains; returns how many rows it has.

    Raises:
        Broken: what is wrong is named.
    """
    try:
        with closing(sqlite3.connect(f"file:{home / DATABASE}?mode=ro", uri=True)) as driver:
            said = driver.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise Broken(f"恢复出的数据库损坏: {said}。", f"The restored database is damaged: {said}.")
    records = Records.open(home)
    try:
        with records.read() as connection:
            chains = audit_chains(connection)
    finally:
        records.close()
    for name, (_, row) in chains.items():
        if row is not None:
            raise Broken(f"审计链 {name} 在第 {row} 行断裂。", f"The audit chain {name} is broken at row {row}.")
    return sum(rows_of(home / DATABASE).values())


def refuse_full(into: Path) -> None:
    """Refuse a folder that has something in it.

    Raises:
        Conflict: it has; a node that runs there is named as such.
    """
    if not into.exists() or all(_is_left_over(path, into) for path in into.iterdir()):
        return
    if is_held(into):
        raise Conflict(
            f"{into} 上有节点在运行,不会覆盖;请另给一个文件夹。",
            f"A node runs on {into}, which is not overwritten; name another folder.",
        )
    raise Conflict(
        f"{into} 已存在且不为空,不会覆盖;请另给一个文件夹。",
        f"{into} is not empty and is not overwritten; name another folder.",
    )


def building_place(into: Path) -> Path:
    """Where a home is built until it is whole: beside its place; inside of it where nobody but root may write beside.

    What restores left in both that were cut off is taken away; one that runs keeps its own.
    """
    is_beside = not into.is_dir() or os.access(into.parent, os.W_OK, effective_ids=True)
    for folder in (into, *([into.parent] if is_beside else [])):
        for path in folder.iterdir() if folder.is_dir() else ():
            if _is_left_over(path, into):
                shutil.rmtree(path)
    return (into.parent if is_beside else into) / f"{_building_name(into)}{os.getpid()}"


def _building_name(into: Path) -> str:
    return f".{into.name}.restoring-"


def _is_left_over(path: Path, into: Path) -> bool:
    """Whether a restore that does not run any more built there; its process is named."""
    process = path.name.removeprefix(_building_name(into))
    if process == path.name or not process.isdecimal() or not path.is_dir():
        return False
    booted = time() - clock_gettime(CLOCK_BOOTTIME)  # numbers of processes begin again then
    return int(process) == os.getpid() or path.stat().st_mtime < booted or not Path("/proc", process).exists()


def make_ready(part: Path, into: Path, by: str, snapshot: str, detail: dict[str, Any]) -> None:
    """Give a restored home a feed of another name, note the restoring in it, and put it in its place."""
    with closing(sqlite3.connect(part / DATABASE, isolation_level=None)) as driver:
        driver.execute("UPDATE feed SET name = ? WHERE id = 1", (uuid4().hex,))
    records = Records.open(part)
    try:
        records.write(lambda unit: append_act(unit, by, RESTORED, snapshot, detail))
    finally:
        records.close()
    if part.parent == into:
        into.chmod(0o700)
        # by wanmi.toml a home is one, so it comes last
        for path in sorted(part.iterdir(), key=lambda path: path.name == FILE):
            path.replace(into / path.name)
        return
    if into.exists():
        into.rmdir()
    part.replace(into)


def newest(repository: Repository) -> str:
    """The newest snapshot.

    Raises:
        NotFound: there is none.
    """
    found = repository.snapshots()
    if not found:
        raise NotFound("仓库里还没有快照。", "There is no snapshot in the repository yet.")
    return found[-1].id
