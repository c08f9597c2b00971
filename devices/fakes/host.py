"""Gives a fake device a pseudo-terminal: its path opens like a serial port, its bytes take as long as on a wire.

`Host` runs in a thread of its own and behaves as a cable does: it can be unplugged and come back under another number
behind the same link, as USB adapters do.
"""

from __future__ import annotations

import os
import random
import select
import struct
import threading
import tty
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from time import monotonic

from devices.fakes.fake import Fake

BITS_PER_BYTE = 10
PIECE = 4096
TCGETS2 = 0x802C542A
TERMIOS2 = struct.Struct("=4IB19s2I")
"""Linux `struct termios2`: flags, line discipline, control characters, input and output rate in bits a second."""
BEAT = 0.05
"""How often a fake that talks by itself is asked what it has to say, in seconds."""


class Host:
    """A fake device on a pseudo-terminal.

    Args:
        link: a symbolic link that follows the device, like `/dev/serial/by-id/…`.
        paced: bytes take the time they would take at the fake's rate.
        minds_rate: who opens the port at another rate reads and writes garbage, as on a wire.
        seed: of the noise, so that a run can be repeated.
    """

    def __init__(
        self, fake: Fake, link: Path | None = None, *, paced: bool = True, minds_rate: bool = False, seed: int = 1
    ) -> None:
        self.fake = fake
        self.link = link
        self._paced = paced
        self._minds_rate = minds_rate
        self._noise = random.Random(seed)
        self._lock = threading.Lock()
        self._master = -1
        self._slave = -1
        self._ending = False
        self._waker, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"fake-{fake.key}", daemon=True)
        self.path = ""
        self.plug_in()
        self._thread.start()

    def plug_in(self) -> None:
        """Come (back): a new pseudo-terminal, and the link points at it."""
        with self._lock:
            if self._master >= 0 or self._ending:
                return
            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            self.path = os.ttyname(self._slave)
            if self.link is not None:
                new = self.link.with_name(self.link.name + ".new")
                new.unlink(missing_ok=True)
                new.symlink_to(self.path)
                new.replace(self.link)
        self._poke()

    def unplug(self) -> None:
        """Go away: whoever has the port open loses it."""
        with self._lock:
            if self.link is not None:
                self.link.unlink(missing_ok=True)
            self._shut()
        self._poke()

    def close(self) -> None:
        """Unplug for good and end the thread."""
        self._ending = True
        self.unplug()
        self._thread.join()
        os.close(self._waker)
        os.close(self._wake)

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _shut(self) -> None:
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._master = self._slave = -1

    def _poke(self) -> None:
        with suppress(OSError):
            os.write(self._wake, b".")

    def _run(self) -> None:
        told = monotonic()
        while not self._ending:
            master = self._master
            watched = [self._waker] if master < 0 else [self._waker, master]
            try:
                ready, _, _ = select.select(watched, [], [], None if master < 0 else BEAT)
            except (OSError, ValueError):
                continue
            if self._waker in ready:
                os.read(self._waker, PIECE)
            now = monotonic()
            if master >= 0 and master == self._master:
                if master in ready:
                    self._heard(master)
                self._say(master, self.fake.talk(now - told))
            told = now

    def _heard(self, master: int) -> None:
        try:
            with self._lock:
                data = os.read(master, PIECE) if master == self._master else b""
        except OSError:
            return
        if not data:
            return
        moods = self.fake.moods
        self._pause(len(data) * BITS_PER_BYTE / self.fake.rate if self._paced else 0)
        if moods.echo:
            self._say(master, data)
        answer = self.fake.receive(data if self._rates_agree(master) else self._garbage(len(data)))
        if answer and not moods.silent:
            self._pause(moods.slow)
            self._say(master, answer)

    def _say(self, master: int, data: bytes) -> None:
        if not data or self.fake.moods.silent or master != self._master:
            return
        data = self._damaged(data) if self._rates_agree(master) else self._garbage(len(data))
        piece = max(1, round(self.fake.rate / BITS_PER_BYTE / 100)) if self._paced else PIECE
        began = monotonic()
        for at in range(0, len(data), piece):
            part = data[at : at + piece]
            if self._paced:  # a byte is there when its last bit is; by the clock, so that late pieces do not add up
                self._pause(began + (at + len(part)) * BITS_PER_BYTE / self.fake.rate - monotonic())
            try:
                with self._lock:
                    if master != self._master:
                        return  # unplugged meanwhile; the number may be another file's by now
                    os.write(master, part)
            except OSError:
                return  # nobody reads: a wire forgets, too

    def _damaged(self, data: bytes) -> bytes:
        share = self.fake.moods.noisy
        if not share:
            return data
        return bytes(self._noise.randrange(256) if self._noise.random() < share else byte for byte in data)

    def _garbage(self, count: int) -> bytes:
        return bytes(self._noise.choice(b"\x00\xff\x80\xc0\xf0$\xfe\x7f") for _ in range(count))

    def _rates_agree(self, master: int) -> bool:
        if not self._minds_rate:
            return True
        with self._lock:
            return master == self._master and rate_of(master) == self.fake.rate

    def _pause(self, seconds: float) -> None:
        if seconds > 0 and not self._ending:
            select.select([], [], [], seconds)


def rate_of(descriptor: int) -> int:
    """The output rate that a terminal is set to, in bits a second; also rates that have no name."""
    fields = TERMIOS2.unpack(ioctl(descriptor, TCGETS2, bytes(TERMIOS2.size)))
    return int(fields[7])
