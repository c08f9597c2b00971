"""Time samples for chrony's SOCK reference clock. Setting the clock is chrony's business alone.

A sample is chrony's `struct sock_sample` (chrony 4, `refclock_sock.c`): when it was taken, seconds by which the true
time is ahead of this machine's, flags, and a magic number.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

SAMPLE = struct.Struct("@qqdiiii")
MAGIC = 0x534F434B


class ChronySocket:
    """Sends samples to one socket; that nobody listens there is no fault of ours."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, taken: float, offset: float) -> None:
        """Send a sample: seconds since 1970 by this machine's clock, and true time minus that."""
        seconds = int(taken)
        sample = SAMPLE.pack(seconds, int((taken - seconds) * 1_000_000), offset, 0, 0, 0, MAGIC)
        with suppress(OSError):
            self._socket.sendto(sample, self._path)

    def close(self) -> None:
        self._socket.close()
