"""What the records let the doctor check: the home, the database, its spatial index, the feed, the audit chains."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from urllib.parse import quote

from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from appliance.doctor import Finding, Result
from appliance.errors import BadHome, Broken, WanmiError
from appliance.records import engine, schema
from appliance.records.acts import broken_act
from appliance.records.anchor import loss
from appliance.records.feed import last_seq
from appliance.records.spatial import check_registration
from appliance.records.store import DATABASE, glance
from appliance.settings import FILE, load

WRITER_SLOW, WRITER_PATIENCE = 1.0, 5
"""Seconds that a write may wait for its turn."""
FREE_BYTES_WARNING, FREE_BYTES_FAILED = 5 << 30, 1 << 30


def check_home(home: Path) -> Iterator[Finding]:
    """Settings, free space, file modes."""
    try:
        load(home)
    except WanmiError as error:
        yield Finding("home.settings", "failed", error.zh, error.en)
        return
    yield Finding("home.settings", "passed", f"{home / FILE} 正确", f"{home / FILE} is good")
    yield _space(home)
    open_ = [path.name for path in (home / FILE, home / DATABASE, home / "keys") if path.exists() and _open(path)]
    if open_:
        names = "、".join(open_)
        yield Finding("home.modes", "warning", f"{names} 他人可读;请 chmod go-rwx", f"{names}: others can read it")
    else:
        yield Finding("home.modes", "passed", "文件权限正确", "file modes are good")


def _space(home: Path) -> Finding:
    """Room on the disk of the home, and whether it takes anything at all."""
    if _takes_nothing(home):
        zh, en = (
            "磁盘只读;多为磁盘损坏,请看 dmesg 并换盘",
            "the disk is read-only, mostly since it is failing; see dmesg",
        )
        return Finding("home.space", "failed", zh, en)
    free = shutil.disk_usage(home).free
    result: Result = "passed"
    if free < FREE_BYTES_WARNING:
        result = "failed" if free < FREE_BYTES_FAILED else "warning"
    return Finding("home.space", result, f"剩余空间 {free / 2**30:.1f} GB", f"{free / 2**30:.1f} GB free")


def check_writer(home: Path) -> Iterator[Finding]:
    """Whether a write gets its turn: what holds the database's one lock for long holds up the whole office."""
    try:
        if load(home).database_url:
            yield Finding("database.writer", "skipped", "由 PostgreSQL 自己管理", "PostgreSQL sees to it")
            return
        path, began = home / DATABASE, monotonic()
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None)) as driver:
            driver.execute(f"PRAGMA busy_timeout = {WRITER_PATIENCE * 1000}")
            driver.execute("BEGIN IMMEDIATE")
            driver.execute("ROLLBACK")
    except BadHome as error:
        yield Finding("database.writer", "skipped", error.zh, error.en)
        return
    except sqlite3.Error as error:
        zh = f"写入排不上队 ({error});导入还在进行?请看 ps aux | grep wanmi"
        yield Finding("database.writer", "failed", zh, f"no write gets its turn ({error}); does an import run?")
        return
    waited = monotonic() - began
    result: Result = "warning" if waited > WRITER_SLOW else "passed"
    yield Finding("database.writer", result, f"写入等待 {waited:.1f} 秒", f"a write waits {waited:.1f} s for its turn")


def _takes_nothing(folder: Path) -> bool:
    """Whether a disk is read-only, asked with a file that has no name, since a failing disk does not say so itself."""
    try:
        descriptor = os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError as error:
        return error.errno in (errno.EROFS, errno.EIO)
    os.close(descriptor)
    return False


def check_database(home: Path) -> Iterator[Finding]:
    """SpatiaLite or PostGIS, schema, integrity, spatial metadata, feed, chain of acts."""
    refusal = engine.extension_refusal()
    if refusal is not None:
        yield Finding("database.spatialite", "failed", refusal.zh, refusal.en)
        return
    try:
        with glance(home) as connection:
            yield from _database(connection)
    except BadHome as error:
        yield Finding("database.file", "failed", error.zh, error.en)


def _database(connection: Connection) -> Iterator[Finding]:
    revision, head = schema.current_revision(connection), schema.head_revision()
    good = revision == head
    yield Finding(
        "database.schema", "passed" if good else "warning", f"结构版本 {revision}，软件 {head}",
        f"schema {revision}, software {head}",
    )  # fmt: skip
    yield _integrity(connection)
    try:
        for table, column in schema.geometry_columns():
            check_registration(connection, table, column)
        yield Finding("database.spatial", "passed", "空间元数据和索引完好", "spatial metadata and indexes are there")
    except Broken as error:
        yield Finding("database.spatial", "failed", error.zh, error.en)
    last = last_seq(connection)
    count, least = connection.execute(text("SELECT count(*), coalesce(min(seq), 0) FROM change")).one()
    gapless = count == 0 or last - least + 1 == count
    yield Finding("feed.gapless", "passed" if gapless else "failed", f"变更流到 {last}", f"the feed ends at {last}")
    yield _lost(connection)
    held, broken = broken_act(connection)
    yield Finding(
        "audit.acts", "passed" if broken is None else "failed", f"{held} 条管理行为链完好", f"{held} acts hold"
    )


def _lost(connection: Connection) -> Finding:
    """Whether the database was once found behind what had been answered."""
    found = loss(connection)
    if found is None:
        zh, en = "已答复的变更都在", "whatever was answered is there"
        return Finding("database.answered", "passed", zh, en)
    count = found.answered - found.kept
    zh = (
        f"盘坏或断电丢失了最后 {count} 条已答复的变更;有热备请 wanmi backup restore warm,"
        "否则核对后 wanmi audit accept-loss"
    )
    en = (
        f"the disk lost the last {count} answered changes; wanmi backup restore warm where there is a warm copy, "
        "else look what is missing and wanmi audit accept-loss"
    )
    return Finding("database.answered", "failed", zh, en)


def _integrity(connection: Connection) -> Finding:
    if connection.dialect.name != "sqlite":
        zh, en = "由 PostgreSQL 自己检查 (pg_amcheck)", "PostgreSQL has its own check (pg_amcheck)"
        return Finding("database.integrity", "skipped", zh, en)
    try:
        said = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
    except DatabaseError as error:
        said = str(error.orig)
    if said == "ok":
        return Finding("database.integrity", "passed", "数据库完好", "the database is whole")
    zh = f"数据库损坏: {said};请停机,wanmi backup restore latest (或 warm) --into 新目录"
    en = f"the database is damaged: {said}; stop the node and wanmi backup restore latest (or warm) --into NEWHOME"
    return Finding("database.integrity", "failed", zh, en)


def _open(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o077)
