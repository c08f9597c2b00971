"""Positions that wait for the node, on the disk: a node that is away, and an agent that is ended, lose none.

One file of lines. What was delivered is passed over, and forgotten once it is half of the file; after a crash it is
sent again, which the node keeps once. Bounded: the oldest give way. Nothing but a place in the file is held in memory.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO


class Spool:
    """Lines that wait; one thread uses it.

    Attributes:
        dropped: lines that gave way to newer ones.
    """

    def __init__(self, path: Path, at_most: int) -> None:
        self.dropped = 0
        self._path = path
        self._at_most = at_most
        self._begin = 0
        self._count = self._mend()

    def __len__(self) -> int:
        return self._count

    def add(self, lines: list[bytes]) -> None:
        """Keep lines; they are on the disk when this returns.

        Raises:
            OSError: the disk is full, or the file cannot be written; nothing of them is kept then.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            try:
                _write_all(file, b"".join(line + b"\n" for line in lines))
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    file.truncate(size)
                raise
        self._count += len(lines)
        surplus = self._count - self._at_most
        if surplus > 0:
            self.dropped += surplus
            self.drop(surplus)

    def first(self, count: int) -> list[bytes]:
        """The oldest lines."""
        if self._count and not self._path.exists():
            self._count = self._begin = 0  # somebody took the file away
        if not self._count:
            return []
        with self._path.open("rb") as file:
            file.seek(self._begin)
            return [line.rstrip(b"\n") for line in islice(file, count)]

    def drop(self, count: int) -> None:
        """The oldest lines were delivered, or give way."""
        if not self._count:
            return
        with self._path.open("rb") as file:
            file.seek(self._begin)
            gone = list(islice(file, count))
        self._begin += sum(map(len, gone))
        self._count -= len(gone)
        if not self._count:
            self._path.unlink(missing_ok=True)
            self._begin = 0
        elif self._begin * 2 > self._path.stat().st_size:
            self._forget()

    def _mend(self) -> int:
        """Count what an earlier run left; a line that was half written when it was ended is cut off."""
        try:
            with self._path.open("r+b") as file:
                count = whole = 0
                for line in file:
                    if line.endswith(b"\n"):
                        count, whole = count + 1, whole + len(line)
                file.truncate(whole)
        except FileNotFoundError:
            return 0
        return count

    def _forget(self) -> None:
        """Write the file anew without what was delivered."""
        new = self._path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with self._path.open("rb") as old, os.fdopen(descriptor, "wb") as file:
            old.seek(self._begin)
            while piece := old.read(1 << 20):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        self._begin = 0


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
