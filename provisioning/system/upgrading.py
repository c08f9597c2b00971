"""One release after another: snapshot, migrate, doctor, switch; where one of them fails everything is as before.

The new release is tried on the home while nothing runs. The marker `upgrading` stands while the database may be half
migrated: a box that lost its power there puts the snapshot back before it upgrades again.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import Broken, Conflict, NotFound, WanmiError
from appliance.lock import is_held
from appliance.options import say
from appliance.privacy.copies import BEFORE_UPGRADE
from appliance.settings import FILE, load
from provisioning.system import releases, services
from provisioning.system.accounts import ids
from provisioning.system.box import NODE, Box
from provisioning.system.laying import lay

DATABASE, SNAPSHOT = "county.db", BEFORE_UPGRADE
BAD = ("failed", "error")
HELD = ("database.", "feed.", "audit.", "home.settings", "home.modes", "people.", "places.")
"""Checks of the doctor that an upgrade is held to: those of the data. Others depend on what runs, and nothing does."""
MARKER = "upgrading"
FAILURES = (WanmiError, OSError, sqlite3.Error)
AS_IT_WAS = ("数据与升级前相同", "the data is as it was")
IN_THE_BACKUP = (
    "PostgreSQL 上的数据若已迁移,请用 wanmi backup restore 恢复",
    "the data in PostgreSQL, if it was migrated, comes back by wanmi backup restore",
)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade under way, of a box from a release to another."""

    box: Box
    old: str
    new: str

    @property
    def marker(self) -> Path:
        return self.box.opt / MARKER

    def run(self) -> None:
        """Upgrade.

        Raises:
            Conflict: it failed; what runs now, and on which data, is said.
        """
        box = self.box
        releases.release(box, self.new)
        furnished = (box.home / FILE).exists()
        if furnished:
            _need_room(box)
            self._back_up()
        self._stop()
        if is_held(box.home):
            services.start(box)
            raise Conflict(
                f"{box.home} 上有节点在运行 (wanmi up?);请先停止它,再升级。",
                f"A node runs on {box.home} (by wanmi up?); stop it, then upgrade.",
            )
        take_back_unfinished(box)
        kept = self._change(furnished)
        self._begin(kept, furnished)
        gone = releases.forget_old(box, self.old)
        say(f"已从 {self.old} 升级到 {self.new} / upgraded" + (f"; 已删除 / removed {', '.join(gone)}" if gone else ""))

    def _change(self, furnished: bool) -> bool:
        """Snapshot, migrate, doctor, switch, while nothing runs; returns whether a copy of the database was kept."""
        box, kept = self.box, False
        try:
            ill = _ill(box, self.old) if furnished else set()
            if furnished and (box.home / DATABASE).exists():
                copy_database(box, box.home / DATABASE, box.home / SNAPSHOT)
                kept = True
            if furnished:
                self._migrate(ill)
            lay(box)
            releases.switch(box, self.new)
            self.marker.unlink(missing_ok=True)
        except BaseException as error:
            self._take_back(kept)
            if not isinstance(error, FAILURES):
                raise
            raise self._refusal(error, kept or not furnished) from error
        return kept

    def _begin(self, kept: bool, furnished: bool) -> None:
        """Start the new release. Once it answered something its database stays, whatever else fails."""
        box, before = self.box, _feed(self.box.home / DATABASE)
        try:
            services.start(box)
        except BaseException as error:
            with suppress(Broken):
                services.stop(box)
            if kept and _feed(box.home / DATABASE) > before:
                with suppress(Broken):
                    services.start(box)
            else:
                self._take_back(kept)
            if not isinstance(error, FAILURES):
                raise
            stays = releases.running(box) == self.new
            raise (self._stays(error) if stays else self._refusal(error, kept or not furnished)) from error

    def _refusal(self, error: Exception, is_as_it_was: bool) -> Conflict:
        (zh, en), how = _words(error), AS_IT_WAS if is_as_it_was else IN_THE_BACKUP
        return Conflict(
            f"升级到 {self.new} 失败,已退回 {self.old},{how[0]}: {zh}",
            f"The upgrade to {self.new} failed; {self.old} runs again, {how[1]}: {en}",
        )

    def _stays(self, error: Exception) -> Conflict:
        zh, en = _words(error)
        return Conflict(
            f"已升级到 {self.new},它已经答复过案件,数据不退回;但没有全部启动: {zh}",
            f"{self.new} is in force and has answered cases, so its data stays; but not all of it started: {en}",
        )

    def _stop(self) -> None:
        """Stop the units; where one does not stop, let those that did run again.

        Raises:
            Conflict: nothing was changed.
        """
        try:
            services.stop(self.box)
        except Broken as error:
            services.start(self.box)
            raise Conflict(
                f"没有升级,{self.old} 照常运行: {error.zh}", f"Nothing was upgraded, {self.old} runs on: {error.en}"
            ) from error

    def _back_up(self) -> None:
        """A snapshot in the repository, where one is set; a home on PostGIS does not go on without."""
        settings = load(self.box.home)
        if settings.backup.to:
            done = _wanmi(self.box, self.old, "backup", "now")
            if done.returncode == 0:
                say("备份已作快照 / the backups have a snapshot")
                return
            say(f"备份未成 / no snapshot in the backups: {done.stderr.strip()}")
        if settings.database_url:
            raise Conflict(
                "县数据在 PostgreSQL 上,升级前必须有备份;请设置 [backup] to 并使 wanmi backup now 成功。",
                "The county is in PostgreSQL and is backed up before an upgrade: set [backup] to, see that wanmi "
                "backup now works, then upgrade again.",
            )

    def _migrate(self, ill: set[str]) -> None:
        """Migrate the database by the new release, and see that its doctor finds nothing new.

        Raises:
            Broken: the migration fails, or a check that was good before fails.
        """
        self.marker.write_text(json.dumps({"old": self.old, "new": self.new}), encoding="utf-8")
        done = _python(self.box, self.new, "prepare", "--home", str(self.box.home))
        if done.returncode:
            raise Broken(f"迁移失败: {done.stderr.strip()}", f"the migration failed: {done.stderr.strip()}")
        worse = _ill(self.box, self.new) - ill
        if worse:
            told = "; ".join(sorted(worse))
            raise Broken(f"新版本的 wanmi doctor 不通过: {told}", f"wanmi doctor of the new release fails: {told}")

    def _take_back(self, kept: bool) -> None:
        """The old release, its files, and the database as it was, where a copy of it was kept."""
        services.stop(self.box)
        if kept:
            noted = {"old": self.old, "new": self.new, "back": _feed(self.box.home / DATABASE)}
            self.marker.write_text(json.dumps(noted), encoding="utf-8")
            put_back(self.box)
        releases.switch(self.box, self.old)
        _python(self.box, self.old, "lay", "--root", str(self.box.root), as_root=True)
        self.marker.unlink(missing_ok=True)
        services.start(self.box)


def upgrade(box: Box, new: str) -> bool:
    """Let a box run another release; returns False where it runs already.

    Raises:
        NotFound: nothing is installed, or there is no such release. Conflict: it failed and was taken back.
    """
    if box.is_real:
        os.environ.update(box.environment())  # settings may stand there
    old = releases.running(box)
    if old is None:
        raise NotFound(
            "这里没有安装万米;请先 sudo ./install.sh。", "Wanmi is not installed here; run sudo ./install.sh first."
        )
    if old == new and not (box.opt / MARKER).exists():
        return False
    Upgrade(box, old, new).run()
    return True


def take_back_unfinished(box: Box) -> bool:
    """Put the database back that an upgrade left half migrated when the power went; returns whether it was.

    Nothing runs meanwhile. Where the power went after the new release was in force, or something was answered since,
    the database stays.
    """
    marker, snapshot = box.opt / MARKER, box.home / SNAPSHOT
    if not marker.exists():
        return False
    noted = _noted(marker)
    database = box.home / DATABASE
    if "back" in noted:
        is_half = _feed(database) <= noted["back"]
    else:
        is_half = noted.get("new") != releases.running(box) and _schema(database) != _schema(snapshot)
    is_back = is_half and snapshot.exists()
    if is_back:
        put_back(box)
        say("上次升级中断,数据库已退回 / the last upgrade was cut off; the database was put back")
    marker.unlink()
    return is_back


def _noted(marker: Path) -> dict[str, Any]:
    """What stands in a marker; nothing where the power went while it was written."""
    try:
        noted: dict[str, Any] = json.loads(marker.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return noted


def _need_room(box: Box) -> None:
    """Refuse an upgrade whose copy and migration would fill the disk.

    Raises:
        Conflict: how much is needed is said.
    """
    database = box.home / DATABASE
    need = 2 * database.stat().st_size if database.exists() else 0
    free = shutil.disk_usage(box.home).free
    if free < need:
        raise Conflict(
            f"{box.home} 只剩 {free >> 20} MB,升级需要 {need >> 20} MB;请清理磁盘。",
            f"{box.home} has {free >> 20} MB left and an upgrade needs {need >> 20} MB; make room on the disk.",
        )


def copy_database(box: Box, source: Path, target: Path) -> None:
    """A whole copy of a database of the home, made by the node's account: where that may write, root writes nothing.

    Raises:
        Broken: it could not be made.
    """
    module = [sys.executable, "-m", "provisioning.system"]
    done = _run(box, [*module, "copy-database", str(source), str(target)])
    if done.returncode:
        said = done.stderr.strip()
        raise Broken(f"复制 {source} 到 {target} 失败: {said}", f"{source} could not be copied to {target}: {said}")


def copy_whole(source: Path, target: Path) -> None:
    """A whole copy by SQLite's backup API, readable by its owner only; an old copy is replaced."""
    target.parent.mkdir(mode=0o700, exist_ok=True)
    new = target.with_name(f"{target.name}.new")
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as reading, closing(sqlite3.connect(new)) as copy:
        reading.backup(copy)
    _flush(new)
    new.replace(target)


def put_back(box: Box) -> None:
    """Let the copy be the database again; what was noted of the other one (log, anchor) goes with that one."""
    database = box.home / DATABASE
    for tail in ("-wal", "-shm", "-anchor"):
        database.with_name(database.name + tail).unlink(missing_ok=True)
    (box.home / SNAPSHOT).replace(database)


def _schema(database: Path) -> str | None:
    """The revision of a database's schema; None where it cannot be read."""
    return _read(database, "SELECT version_num FROM alembic_version")


def _feed(database: Path) -> int:
    """The number of the last change in a database; -1 where it cannot be read."""
    found = _read(database, "SELECT last FROM feed WHERE id = 1")
    return -1 if found is None else int(found)


def _read(database: Path, query: str) -> str | None:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return str(connection.execute(query).fetchone()[0])
    except (sqlite3.Error, TypeError):
        return None


def _words(error: Exception) -> tuple[str, str]:
    return (error.zh, error.en) if isinstance(error, WanmiError) else (str(error), str(error))


def _ill(box: Box, name: str) -> set[str]:
    """The checks of the data that fail by `wanmi doctor` of a release.

    Raises:
        Broken: the doctor itself does not run.
    """
    done = _wanmi(box, name, "doctor", "--json")
    try:
        found = [each["check"] for each in json.loads(done.stdout) if each["result"] in BAD]
        return {check for check in found if check.startswith(HELD)}
    except (ValueError, TypeError, KeyError):
        said = done.stderr.strip() or done.stdout.strip()
        raise Broken(
            f"{name} 的 wanmi doctor 不能运行: {said}", f"wanmi doctor of {name} does not run: {said}"
        ) from None


def _wanmi(box: Box, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _run(box, [str(box.releases / name / ".venv" / "bin" / "wanmi"), *arguments, "--home", str(box.home)])


def _python(box: Box, name: str, *arguments: str, as_root: bool = False) -> subprocess.CompletedProcess[str]:
    python = str(box.releases / name / ".venv" / "bin" / "python")
    return _run(box, [python, "-m", "provisioning.system", *arguments], as_root=as_root)


def _run(box: Box, command: list[str], *, as_root: bool = False) -> subprocess.CompletedProcess[str]:
    """A command of a release; on a real machine as the node's account, so that no file in the home is root's."""
    account = ids(box, NODE)
    around = {**os.environ, **(box.environment() if box.is_real else {}), "HOME": str(box.home)}
    if as_root or os.geteuid() != 0 or account is None or not box.is_real:
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=around)
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd="/", env=around,
        user=account[0], group=account[1], extra_groups=(), umask=0o077,
    )  # fmt: skip


def _flush(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
