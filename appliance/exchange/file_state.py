"""How far a county is with the files that it carries to a platform, and the files that are not receipted yet.

The state names what counts: a file in the outbox beyond its number was never given out and is written anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from appliance.errors import BadFile, Broken
from appliance.exchange.files import NAME, Received, name_of
from appliance.exchange.kept import Kept
from appliance.exchange.links import write_private

STATE, OUTBOX = "files.json", "outbox"


class SnapshotAt(msgspec.Struct):
    """A snapshot under way: where changes begin after it, and the slice that comes next."""

    cursor: int
    type: str
    after: str


class FileState(msgspec.Struct):
    """The state of one link.

    Attributes:
        made: the newest file of ours. receipted: up to which the platform has them.
        feed, cursor: the changes that are in files; `cursor` None where a snapshot must come first.
        types: the types that the files hold.
        snapshot: one under way. snapshot_from: the number of the newest snapshot's first file.
        taken: the newest file from above that was carried out whole.
    """

    made: Received = Received()
    receipted: int = 0
    feed: str = ""
    cursor: int | None = None
    types: list[str] = []
    snapshot: SnapshotAt | None = None
    snapshot_from: int = 0
    taken: Received = Received()


class Outbox:
    """State and unreceipted files of one link.

    Args:
        kept: what the link keeps. county: the county's code, which names the files.
    """

    def __init__(self, kept: Kept, county: str) -> None:
        self._path, self._folder, self._county = kept.folder / STATE, kept.folder / OUTBOX, county

    def state(self) -> FileState:
        """The state; a fresh one before the first file.

        Raises:
            Broken: it cannot be read.
        """
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=FileState)
        except FileNotFoundError:
            return FileState()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Broken(
                f"{self._path} 无法读取 ({error});请移走它,下次写文件时从快照开始。",
                f"{self._path} cannot be read ({error}); move it away, and the next file begins with a snapshot.",
            ) from None

    def save(self, state: FileState) -> None:
        """Keep the state; it is on the disk when this returns."""
        staged = self._path.with_suffix(".new")
        write_private(staged, msgspec.json.encode(state))
        os.replace(staged, self._path)

    def put(self, number: int, content: bytes) -> None:
        """Lay a file into the outbox; it counts once the state names it."""
        write_private(self._folder / name_of(self._county, "feed", number), content)

    def tidy(self, state: FileState) -> None:
        """Take out what is receipted, and what the state does not name."""
        for path in self._folder.glob("*.wmx"):
            found = NAME.fullmatch(path.name)
            if found is None or not state.receipted < int(found["number"]) <= state.made.number:
                path.unlink()

    def waiting(self) -> list[Path]:
        """The files that the platform has not receipted, oldest first."""
        return sorted(self._folder.glob("*.wmx"))


def give_out(files: list[Path], folder: Path) -> list[Path]:
    """Copy files into a folder, each whole or not at all; those that are there already stay. Returns the new ones.

    Raises:
        BadFile: the folder cannot be written.
    """
    new = []
    try:
        for file in files:
            target, content = folder / file.name, file.read_bytes()
            if target.exists() and target.read_bytes() == content:
                continue
            part = target.with_name(f"{target.name}.part")
            with part.open("wb") as copy:
                copy.write(content)
                copy.flush()
                os.fsync(copy.fileno())
            part.replace(target)
            new.append(target)
    except OSError as error:
        raise BadFile(
            f"{folder} 写不进去 ({error});腾出空间或换一个盘后重复本命令,已写好的文件不会重写。",
            f"{folder} cannot be written ({error}); make room or take another disk and repeat the command, what is "
            "written stays.",
        ) from None
    return new


def files_in(folder: Path, county: str, way: str) -> list[tuple[int, Path]]:
    """The files of a county and a way in a folder, by number; a copy that was cut off (`.part`) is none.

    Raises:
        BadFile: there is no such folder.
    """
    if not folder.is_dir():
        raise BadFile(f"没有文件夹 {folder}。", f"There is no folder {folder}.")
    found = [(NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    return sorted(
        (int(name["number"]), path) for name, path in found if name and name["county"] == county and name["way"] == way
    )
