"""The write-ahead log of a running database, copied beside a copy of it, so that SQLite itself puts them together.

How it is exact (SQLite's file format and locking, sections 4 of `fileformat2` and `walformat`): a commit only adds
frames to the log. The log begins again from its first frame ("restarts", with new salts in its header) only when all of
it is folded into the database and nobody reads from it. While somebody holds a read transaction it can restart once at
most, and only before anything is added to what that reader saw. `Holder` always holds one, and takes the next before it
gives the last away: so between two looks no frame is lost. How many frames are committed is what a passive checkpoint
says, so nothing half-written is copied.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import sleep
from urllib.parse import quote

from appliance.errors import Broken

HEADER, FRAME_HEADER = 32, 24
"""Bytes of the log's header, and of the one before each page."""
TRIES, PAUSE = 250, 0.02
PIECE = 4 << 20
LOCK_SECONDS = 5.0
"""So long the office may wait for the target of the copy; one that hangs does not stop it."""


class Holder:
    """Keeps the log of a database from beginning again unseen.

    Raises:
        sqlite3.Error: the database cannot be read.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._control = _connect(database)
        self._held: sqlite3.Connection | None = None
        self.renew()

    def renew(self) -> None:
        """Hold the newest state; the one held before is given away after it."""
        following = _connect(self._database)
        try:
            following.execute("BEGIN")
            following.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            following.close()
            raise
        before, self._held = self._held, following
        if before is not None:
            before.close()

    def committed(self, log: Path) -> tuple[bytes, int]:
        """The header of the log and how many of its frames are committed; folds back what nobody reads.

        Raises:
            sqlite3.OperationalError: others fold it back all the time.
        """
        for _ in range(TRIES):
            before = header_of(log)
            busy, frames, _ = self._control.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if not busy and frames >= 0 and header_of(log) == before:
                return before, frames
            sleep(PAUSE)
        raise sqlite3.OperationalError("database is locked")

    def restart(self, copy_rest: Callable[[], object]) -> bool:
        """Let the log begin again with the next commit; False where somebody else reads from it just now.

        Args:
            copy_rest: copies what is not copied yet; nobody can write until it returns.

        Raises:
            Broken: that took too long; meanwhile others wrote, and the log goes on.
        """
        with closing(_connect(self._database)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            try:
                with patience(LOCK_SECONDS, lambda: writer.execute("ROLLBACK")):
                    copy_rest()
                self.renew()
                _, frames, folded = self._control.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                self.renew()
            finally:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
        return bool(frames == folded)

    def close(self) -> None:
        """Give everything away."""
        if self._held is not None:
            self._held.close()
        self._control.close()

    @property
    def reading(self) -> sqlite3.Connection:
        """The connection inside the read transaction that is held."""
        assert self._held is not None
        return self._held


@contextmanager
def patience(seconds: float, let_go: Callable[[], object]) -> Iterator[None]:
    """Let go of the home, from another thread, where what is done meanwhile takes longer.

    Raises:
        Broken: it did, and is over now.
    """
    gone = threading.Event()

    def end() -> None:
        gone.set()
        with suppress(sqlite3.Error):  # it was over in this moment
            let_go()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except sqlite3.Error:
        if not gone.is_set():
            raise
    finally:
        timer.cancel()
    if gone.is_set():
        raise Broken(
            f"热备的目标 {seconds:.0f} 秒没有回应。", f"The target of the warm copy did not answer for {seconds:.0f} s."
        )


def header_of(log: Path) -> bytes:
    """The header of a log; empty where there is none."""
    try:
        with log.open("rb") as file:
            header = file.read(HEADER)
    except FileNotFoundError:
        return b""
    return header if len(header) == HEADER else b""


def frame_bytes(header: bytes) -> int:
    """The bytes of one frame with its page."""
    size = int(struct.unpack(">I", header[8:12])[0])
    return FRAME_HEADER + (65_536 if size == 1 else size)


def copy_frames(log: Path, copy: Path, header: bytes, first: int, last: int) -> int:
    """Copy the frames after `first` up to `last` of a log, to the disk; returns the bytes written."""
    each = frame_bytes(header)
    start = HEADER + first * each if first else 0
    left = HEADER + last * each - start
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT, 0o600)
    with log.open("rb") as source, os.fdopen(descriptor, "wb") as target:
        source.seek(start)
        target.seek(start)
        written = 0
        while left > 0:
            piece = source.read(min(left, PIECE))
            if not piece:
                raise Broken(f"{log} 比应有的短。", f"{log} is shorter than it must be.")
            target.write(piece)
            left, written = left - len(piece), written + len(piece)
        target.flush()
        os.fsync(target.fileno())
    return written


def fold(copy: Path, frames: int) -> None:
    """Let SQLite fold the copied log into the copied database.

    Raises:
        Broken: SQLite does not find in it what was copied.
    """
    with closing(sqlite3.connect(copy, isolation_level=None)) as driver:
        driver.execute("PRAGMA locking_mode = EXCLUSIVE")
        driver.execute("PRAGMA synchronous = FULL")
        _, found, folded = driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if (found, folded) != (frames, frames):
            raise Broken(
                f"热备的日志有 {found} 页,应有 {frames} 页。", f"The warm copy's log has {found} pages, not {frames}."
            )
    with suppress(FileNotFoundError):
        copy.with_name(f"{copy.name}-wal").unlink()


def _connect(database: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(database))}?mode=rw"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
