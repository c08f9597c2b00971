"""Where a warm copy stands, and what it says of itself."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.backup_settings import Backup
from appliance.errors import BadHome
from appliance.records.store import DATABASE
from backups.repository import place_of

STATE = "warm.json"
FORMAT = 1
BEFORE = "database.old"
"""The copied database while a new one takes its place."""
NAME = "warm"
"""What the warm copy is called where a snapshot is named, and its lock."""


class State(msgspec.Struct):
    """How fresh a warm copy is.

    Attributes:
        at: the moment (microseconds) up to which everything answered is in it.
        feed, last: the feed of the home and its last number then.
        behind: evidence files that are still to be copied.
        zh, en: why it stands still; empty where it follows.
    """

    format: int
    county: str
    at: int
    feed: str = ""
    last: int = 0
    behind: int = 0
    zh: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of a warm copy."""

    folder: Path

    @property
    def database(self) -> Path:
        """The copied database; its log lies beside it."""
        return self.folder / "database" / DATABASE

    @property
    def whole(self) -> Path:
        """The copied database; the one before where the power went while a new one took its place."""
        before = self.folder / BEFORE / DATABASE
        return before if before.exists() and not self.database.exists() else self.database

    @property
    def evidence(self) -> Path:
        """The copied evidence, laid out as in the home."""
        return self.folder / "evidence"

    @property
    def files(self) -> Path:
        """`wanmi.toml` and `keys/`."""
        return self.folder / "files"

    @property
    def state(self) -> State | None:
        """What it says of itself, None where there is none."""
        return state_in(self.folder)


def place(home: Path, backup: Backup) -> Place:
    """The place of `[backup] warm`.

    Raises:
        BadHome: none is set, or it is inside of the home. Conflict: its disk is not there.
    """
    if not backup.warm:
        raise BadHome(
            f'没有设置热备;请在 {home / "wanmi.toml"} 写 [backup] warm = "/media/…"。',
            f'No warm copy is set; write [backup] warm = "/media/…" in {home / "wanmi.toml"}.',
        )
    folder = Path(place_of(backup.warm))
    if folder.resolve().is_relative_to(home.resolve()):
        raise BadHome(
            f"热备 {folder} 在家目录里面,盘坏了一起丢;请放到另一块盘。",
            f"The warm copy {folder} is inside of the home and would die with it; put it on another disk.",
        )
    return Place(folder)


def state_in(folder: Path) -> State | None:
    """The state that is written in a folder, None where there is none."""
    try:
        return msgspec.json.decode((folder / STATE).read_bytes(), type=State)
    except (OSError, msgspec.DecodeError):
        return None


def state_of(place: Place) -> State | None:
    """How far a warm copy is. None where there is no copy.

    A power cut may leave its note empty: the database beside it is still good, and the note is written anew by it.
    """
    state = place.state
    if state is not None or not place.whole.exists():
        return state
    written = max(file.stat().st_mtime_ns for file in place.whole.parent.iterdir())
    state = State(FORMAT, "", written // 1000)
    with closing(sqlite3.connect(place.whole)) as copy, suppress(sqlite3.DatabaseError):  # damaged: of no feed
        state.feed, state.last = copy.execute("SELECT name, last FROM feed WHERE id = 1").fetchone()
    with suppress(OSError):  # the disk gives and takes no more
        keep_state(place.folder, state, is_on_disk=True)
    return state


def keep_state(folder: Path, state: State, *, is_on_disk: bool = False) -> None:
    """Write the state; where it must survive a power cut, to the disk."""
    part = folder / f"{STATE}.part"
    with part.open("wb") as file:
        file.write(msgspec.json.encode(state))
        if is_on_disk:
            file.flush()
            os.fsync(file.fileno())
    part.replace(folder / STATE)
