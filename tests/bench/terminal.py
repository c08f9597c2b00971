"""A program in a pseudo-terminal: what it sends, when, and how much of it an SSH line with compression would carry."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PATIENCE = 30.0
QUIET = 0.06
"""A screen that sends nothing for so long has been painted."""


@dataclass
class Screen:
    """The far side of a pseudo-terminal."""

    descriptor: int
    process: int
    sent: int = 0
    compressed: int = 0
    _line: zlib._Compress = field(default_factory=lambda: zlib.compressobj(6))

    def read(self, seconds: float) -> bytes:
        """What comes within some time, as soon as something comes."""
        if not select.select([self.descriptor], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:
            return b""
        self.sent += len(data)
        self.compressed += len(self._line.compress(data)) + len(self._line.flush(zlib.Z_SYNC_FLUSH))
        return data

    def until(self, wanted: str) -> bytes:
        """Read until a text came by."""
        seen, ends = b"", time.monotonic() + PATIENCE
        while wanted.encode() not in seen:
            if time.monotonic() > ends:
                raise TimeoutError(f"{wanted} never came: {seen[-500:]!r}")
            seen += self.read(0.1)
        return seen

    def settle(self, quiet: float = QUIET) -> int:
        """Read until it is quiet; how many bytes that were."""
        before = self.sent
        while self.read(quiet):
            pass
        return self.sent - before

    def type(self, keys: str) -> None:
        """Type."""
        os.write(self.descriptor, keys.encode())

    def paint_seconds(self, key: str) -> float | None:
        """Seconds from a key to the first bytes of its painting; None when nothing was painted."""
        start = time.perf_counter()
        self.type(key)
        painted = self.read(1.0)
        seconds = time.perf_counter() - start
        self.settle()
        return seconds if painted else None

    @property
    def megabytes(self) -> float:
        """Resident memory of the program."""
        with open(f"/proc/{self.process}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


@contextmanager
def screen_of(arguments: list[str], columns: int, lines: int) -> Iterator[Screen]:
    """Python with these arguments in a terminal of this size; ended afterwards."""
    process, descriptor = pty.fork()
    if process == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.environ |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", "COLUMNS": "", "LINES": ""}
        os.environ.pop("COLUMNS")
        os.environ.pop("LINES")
        os.execv(sys.executable, [sys.executable, *arguments])
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    try:
        yield Screen(descriptor, process)
    finally:
        os.kill(process, signal.SIGTERM)
        os.close(descriptor)
        os.waitpid(process, 0)
