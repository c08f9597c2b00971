"""Following a running home: a whole copy first, then every few seconds what was committed since (ADR 0014)."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import msgspec
from msgspec import structs
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from appliance.clock import SystemClock, rfc3339
from appliance.errors import Broken, Conflict, WanmiError
from appliance.lock import hold
from appliance.options import say
from appliance.people.second_factor import KEY as SECOND_FACTOR_KEY
from appliance.privacy.deletions import LIST
from appliance.records.anchor import RESTORED, Anchor, is_given_up, loss
from appliance.records.feed import feed_name, last_seq
from appliance.records.store import DATABASE, Records, glance
from appliance.settings import FILE, Settings, load
from backups.key import KEY
from backups.snapshot import FREE_AT_LEAST, copy_database
from backups.warm.evidence import Evidence, copy_file
from backups.warm.log import Holder, copy_frames, fold, header_of, patience
from backups.warm.place import BEFORE, FORMAT, NAME, Place, State, keep_state, place, state_in, state_of

FRAMES_AT_MOST = 8_192
"""A log longer than this (32 MiB) is made to begin again."""
HUNG_SECONDS = 300.0
"""A target that does not answer for so long makes the home's log grow no longer."""
KEY_BEFORE = f"{KEY}.before"
NEVER_FORGOTTEN = {FILE, LIST, KEY, KEY_BEFORE, str(SECOND_FACTOR_KEY)}
AGAIN_SECONDS = 10.0
"""After something went wrong (a stick pulled, a disk full) it begins anew after so long."""
UNSET_SECONDS = 5.0
"""How often it looks whether a warm copy was set meanwhile."""
_RESTORED = text("SELECT subject, detail FROM admin_act WHERE act = :act ORDER BY id DESC LIMIT 1")


class Follower:
    """Keeps the warm copy of a home.

    Raises:
        BadHome, Conflict: as `place`, or somebody else follows it.
    """

    def __init__(self, home: Path, settings: Settings) -> None:
        self._home, self._county = home, settings.county
        self.place: Place = place(home, settings.backup)
        self._source = home / DATABASE
        self._log = self._source.with_name(f"{DATABASE}-wal")
        self._copy_log = self.place.database.with_name(f"{DATABASE}-wal")
        self._clock = SystemClock()
        self._header, self._copied, self._noted = b"", 0, -1
        self.place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._owner = hold(self.place.folder, NAME, "热备", "warm copy")
        self._followed = _file_of(self._source)
        self._holder = Holder(self._source)
        self._evidence = Evidence(home / "evidence", self.place.evidence)
        there = (path for path in self.place.files.rglob("*") if path.is_symlink() or path.is_file())
        self._files = {str(path.relative_to(self.place.files)): 0.0 for path in there}

    def begin(self) -> None:
        """Go on with the copy that is there where its log is the one of the home; else copy all.

        Raises:
            Conflict: no room, or the home lost what the copy has. OSError, sqlite3.Error: target or home fail.
        """
        self._refuse_to_forget()
        if self.place.whole != self.place.database:
            self.place.whole.parent.rename(self.place.database.parent)
        header = header_of(self._log)
        if header and header == header_of(self._copy_log) and self.place.database.exists():
            self._header, self._copied = header, 0
        else:
            self._copy_all()
        self._evidence.forget_what_is_gone(self._holder.reading)

    def look(self) -> State:
        """Copy what was committed since the last look.

        Raises:
            Broken: the copy is not what was written, or its target hung; begin again. OSError, sqlite3.Error: as
                `begin`.
        """
        at = self._clock.now()
        with patience(HUNG_SECONDS, self._holder.close):
            self._copy_log_on()
            if self._copied > FRAMES_AT_MOST:
                self._holder.restart(self._copy_log_on)
            else:
                self._holder.renew()
            self._copy_files()
            reading = self._holder.reading
            behind = self._evidence.copy_some(reading)
            feed, last = reading.execute("SELECT name, last FROM feed WHERE id = 1").fetchone()
            return self._tell(State(FORMAT, self._county, at, feed, last, behind))

    def close(self) -> None:
        """Let the home's log and the folder go."""
        self._holder.close()
        self._owner.close()

    def _refuse_to_forget(self) -> None:
        """Keep the copy as it is where it may have what the home has not.

        Raises:
            Conflict: the home lost changes that the copy has, or came from elsewhere than from this copy.
        """
        state = state_of(self.place)
        if state is None:
            return
        self._own_up(state)
        with glance(self._home) as connection:
            lost = loss(connection)
            if state.feed == feed_name(connection):
                kept = last_seq(connection)
            elif lost and lost.feed == state.feed:
                kept = lost.kept
            elif is_given_up(connection, state.feed) or _came_from(connection, state):
                return
            else:
                raise _of_another(self.place, state)
        if state.last > kept:
            raise Conflict(
                f"家目录丢了热备里有的 {state.last - kept} 条变更,热备不再跟随;请停机后 wanmi backup restore warm,"
                "或 wanmi audit accept-loss 放弃它们。",
                f"The home lost {state.last - kept} changes that the warm copy has, so it follows no more; stop the "
                "node and wanmi backup restore warm, or give them up by wanmi audit accept-loss.",
            )

    def _own_up(self, state: State) -> None:
        """Let the home note that it lost what the copy has, before as much is written again and nobody sees it."""
        with glance(self._home) as connection:
            is_behind = state.feed == feed_name(connection) and last_seq(connection) < state.last
        if is_behind:
            with closing(Anchor(self._home)) as anchor:
                anchor.advance(state.last)
            Records.open(self._home).close()

    def _copy_log_on(self) -> None:
        if _file_of(self._source) != self._followed:
            raise Broken(
                f"{self._source} 已换成另一个数据库,热备重新复制。",
                f"{self._source} is another database now; the warm copy is made anew.",
            )
        header, frames = self._holder.committed(self._log)
        if header and header != self._header:
            if self._header:
                fold(self.place.database, self._copied)
            self._header, self._copied = header, 0
        if frames > self._copied:
            copy_frames(self._log, self._copy_log, header, self._copied, frames)
            self._copied = frames

    def _copy_all(self) -> None:
        """Copy the whole database beside the copy that is there, and put it in its place with its log."""
        folder, target = self.place.folder, self.place.database.parent
        need, free = self._source.stat().st_size + FREE_AT_LEAST, shutil.disk_usage(folder).free
        if free < need:
            raise Conflict(
                f"{folder} 只剩 {free >> 20} MB,热备需要 {need >> 20} MB。",
                f"{folder} has {free >> 20} MB left and the warm copy needs {need >> 20} MB.",
            )
        following, before = folder / "database.new", folder / BEFORE
        for left in (following, before):
            shutil.rmtree(left, ignore_errors=True)
        copy_database(self._source, following / DATABASE)
        header, frames = self._holder.committed(self._log)
        if header and frames:
            copy_frames(self._log, following / self._log.name, header, 0, frames)
        _to_disk(following / DATABASE)
        if target.exists():
            target.rename(before)
        following.rename(target)
        _to_disk(folder)
        shutil.rmtree(before, ignore_errors=True)
        self._header, self._copied = header, frames if header else 0

    def _copy_files(self) -> None:
        """`wanmi.toml`, the keys and the list of deletions, where they changed; links stay links.

        What a dying disk loses stays in the copy.
        """
        keys = (path for path in (self._home / "keys").rglob("*") if path.suffix not in (".part", ".lock"))
        wanted = {
            str(path.relative_to(self._home)): path.lstat().st_mtime
            for path in (self._home / FILE, self._home / LIST, *keys)
            if path.is_symlink() or path.is_file()
        }
        gone = self._files.keys() - wanted.keys() - NEVER_FORGOTTEN if (self._home / "keys").is_dir() else set()
        for name in gone:
            (self.place.files / name).unlink(missing_ok=True)
        for name, changed in wanted.items():
            if self._files.get(name) != changed:
                self._keep_key(name)
                copy_file(self._home / name, self.place.files / name)
        self._files = wanted

    def _keep_key(self, name: str) -> None:
        """The key of the backups is never lost to another one: without it they are nothing."""
        ours, copy = self._home / name, self.place.files / name
        if name == KEY and copy.is_file() and copy.read_bytes() != ours.read_bytes():
            copy.replace(self.place.files / KEY_BEFORE)

    def _tell(self, state: State) -> State:
        for folder in (self.place.folder, self._home / "backups"):
            keep_state(folder, state, is_on_disk=folder == self.place.folder and state.last != self._noted)
        self._noted = state.last
        return state


def follow(home: Path, ending: threading.Event) -> None:
    """Follow a home until told to end; after trouble begin anew, and say what it was. Where none is set it waits.

    Raises:
        BadHome: another process follows this home, or the target is inside of it.
    """
    settings = _settings_with_one(home, ending)
    if settings is None:
        return
    (home / "backups").mkdir(mode=0o700, exist_ok=True)
    with hold(home / "backups", "warm", "热备", "warm copy"):
        while not ending.is_set():
            try:
                _follow_once(home, settings, ending)
            except (Broken, Conflict, OSError, sqlite3.Error, SQLAlchemyError) as error:
                _tell_trouble(home, settings.county, error)
                ending.wait(AGAIN_SECONDS)


def _settings_with_one(home: Path, ending: threading.Event) -> Settings | None:
    """The settings, once a warm copy is set in them; None where it is told to end before."""
    seen, settings = (home / FILE).stat().st_mtime_ns, load(home)
    if not settings.backup.warm:
        say("没有设置 [backup] warm,等待设置 / no warm copy is set in [backup]; it begins once one is")
    while not settings.backup.warm:
        if ending.wait(UNSET_SECONDS):
            return None
        if (changed := (home / FILE).stat().st_mtime_ns) != seen:
            seen = changed
            with suppress(WanmiError):  # it is being written; the doctor tells of what stays wrong
                settings = load(home)
    return settings


def _follow_once(home: Path, settings: Settings, ending: threading.Event) -> None:
    follower = Follower(home, settings)
    try:
        follower.begin()
        while True:
            follower.look()
            if ending.wait(settings.backup.warm_seconds):
                follower.look()
                return
    finally:
        follower.close()


def _tell_trouble(home: Path, county: str, error: Exception) -> None:
    """Keep the moment of the last good look, and say why there is none since."""
    before = state_in(home / "backups")
    zh, en = (
        (error.zh, error.en) if isinstance(error, WanmiError) else (f"热备停了: {error}", f"it stands still: {error}")
    )
    known = before or State(FORMAT, county, 0)
    with suppress(OSError):  # the home is full or away; it is tried again all the same
        keep_state(home / "backups", structs.replace(known, zh=zh, en=en))


def _came_from(connection: Connection, state: State) -> bool:
    """Whether a home was restored from the warm copy as it is: all that the copy has is in it."""
    row = connection.execute(_RESTORED, {"act": RESTORED}).one_or_none()
    return row is not None and row.subject == NAME and msgspec.json.decode(row.detail).get("at") == rfc3339(state.at)


def _of_another(place: Place, state: State) -> Conflict:
    at = rfc3339(state.at)
    return Conflict(
        f"{place.folder} 是另一个家目录到 {at} 为止的热备 (例如恢复快照之前的),不会被覆盖;要用它请停机后 "
        "wanmi backup restore warm,不要就移走这个文件夹。",
        f"{place.folder} is the warm copy of another home up to {at} (as before a snapshot was restored) and is not "
        "written over; stop the node and wanmi backup restore warm to have it, or move that folder away.",
    )


def _file_of(database: Path) -> tuple[int, int]:
    """Which file a database is, under whatever name."""
    status = database.stat()
    return status.st_dev, status.st_ino


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
