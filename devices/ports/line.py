"""An open serial line: exclusive, raw, 8-bit clean; reading never blocks longer than asked, no writing fails unseen.

It is used by one thread, the owner of the port (`owner.py`) or a command that opened it for itself.
"""

from __future__ import annotations

import errno
import os
import select
import termios
from collections.abc import Callable, Iterable
from contextlib import suppress
from fcntl import ioctl
from time import monotonic
from typing import TypeVar

import serial

from devices.errors import BadSetup, NoAnswer, PortBusy, PortLost, PortMissing
from devices.ports.counters import Counters

T = TypeVar("T")
PIECE = 4096
BITS_PER_BYTE = 10
"""Start bit, eight bits or seven and parity, stop bit."""
WRITE_SECONDS = 5.0
STALE_AT_MOST = 64 * 1024
PSEUDO_TERMINALS = "/dev/pts/"
"""They carry bytes, not bits: the kernel gives them no parity, and setting one fails."""
FRAMINGS = {
    "8N1": (serial.EIGHTBITS, serial.PARITY_NONE, serial.STOPBITS_ONE),
    "7E1": (serial.SEVENBITS, serial.PARITY_EVEN, serial.STOPBITS_ONE),
    "8E1": (serial.EIGHTBITS, serial.PARITY_EVEN, serial.STOPBITS_ONE),
    "7O1": (serial.SEVENBITS, serial.PARITY_ODD, serial.STOPBITS_ONE),
}
Tap = Callable[[str, bytes], None]
"""Hears what goes over the line: "in" or "out", and the bytes."""


class SerialLine:
    """An open port. Close it when done; `taps` hear everything that goes over it."""

    def __init__(self, port: serial.Serial, path: str, rate: int, counters: Counters) -> None:
        self._port = port
        self.path = path
        self.rate = rate
        self.counters = counters
        self.taps: list[Tap] = []
        self._descriptor: int = port.fileno()

    @classmethod
    def open(cls, path: str, rate: int, framing: str = "8N1", counters: Counters | None = None) -> SerialLine:
        """Open a port for oneself alone.

        Raises:
            PortMissing: it is not there, or this account may not open it. PortBusy: somebody else has it.
            BadSetup: a rate or framing that this port cannot do.
        """
        if framing not in FRAMINGS:
            raise BadSetup(
                f"没有串口格式 {framing};可用: {'、'.join(FRAMINGS)}。",
                f"There is no framing {framing}; known: {', '.join(FRAMINGS)}.",
            )
        size, parity, stop = FRAMINGS["8N1" if os.path.realpath(path).startswith(PSEUDO_TERMINALS) else framing]
        try:
            port = serial.Serial(
                path, rate, bytesize=size, parity=parity, stopbits=stop, timeout=0, write_timeout=WRITE_SECONDS,
                exclusive=True,
            )  # fmt: skip
        except ValueError as error:
            raise _no_such_rate(path, rate, error) from None
        except (OSError, termios.error) as error:
            raise _not_opened(path, error) from None
        with suppress(OSError):
            ioctl(port.fileno(), termios.TIOCEXCL)
        counters = counters or Counters()
        counters.opened += 1
        return cls(port, path, rate, counters)

    def fileno(self) -> int:
        return self._descriptor

    def set_rate(self, rate: int) -> None:
        """Go on at another rate; what lies in the buffers is thrown away.

        Raises:
            BadSetup: the adapter cannot do it. PortLost.
        """
        try:
            self._port.baudrate = rate
            self._port.reset_input_buffer()
        except ValueError as error:
            raise _no_such_rate(self.path, rate, error) from None
        except (OSError, termios.error) as error:
            raise self._lost(error) from None
        self.rate = rate

    def write(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            PortLost: the port went away, or takes nothing any more.
        """
        try:
            self._port.write(data)
        except (OSError, termios.error) as error:
            raise self._lost(error) from None
        self.counters.bytes_out += len(data)
        self._tell("out", data)

    def read(self, seconds: float) -> bytes:
        """What comes next; empty after so many seconds of silence.

        Raises:
            PortLost: the port went away.
        """
        try:
            ready, _, _ = select.select([self._descriptor], [], [], max(seconds, 0))
        except (OSError, ValueError) as error:
            raise self._lost(error) from None
        return self.take() if ready else b""

    def take(self) -> bytes:
        """What is there already; call it when the descriptor is ready to be read.

        Raises:
            PortLost: ready, but nothing there: the other end hung up.
        """
        try:
            data = os.read(self._descriptor, PIECE)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(error) from None
        if not data:
            raise self._lost(OSError(errno.EIO, os.strerror(errno.EIO)))
        self.counters.bytes_in += len(data)
        self._tell("in", data)
        return data

    def ask(
        self,
        request: bytes,
        decode: Callable[[bytes], Iterable[T]],
        wanted: Callable[[T], bool],
        seconds: float,
        *,
        keep: bool = False,
    ) -> T:
        """Send a request and wait for its answer; see `devices/drivers/interface.py`."""
        if not keep:
            self._throw_away()
        self.counters.exchanges += 1
        self.write(request)
        until = monotonic() + len(request) * BITS_PER_BYTE / self.rate + seconds
        echo, heard = Echo(request), False
        while (left := until - monotonic()) > 0:
            data = self.read(left)
            heard = heard or bool(data)
            answer = echo.without(data) if data else echo.rest()
            for frame in decode(answer) if answer else ():
                if wanted(frame):
                    return frame
        self.counters.errors += 1
        raise _no_answer(self.path, seconds, heard)

    def close(self) -> None:
        """Give the port back."""
        with suppress(OSError, ValueError):
            ioctl(self._descriptor, termios.TIOCNXCL)
        with suppress(OSError, termios.error):
            self._port.close()

    def __enter__(self) -> SerialLine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _throw_away(self) -> None:
        stale = 0
        while (data := self.read(0)) and stale < STALE_AT_MOST:
            stale += len(data)

    def _tell(self, direction: str, data: bytes) -> None:
        for tap in self.taps:
            tap(direction, data)

    def _lost(self, error: BaseException) -> PortLost:
        self.counters.lost += 1
        return PortLost(f"串口 {self.path} 已断开 ({error})。", f"The port {self.path} went away ({error}).")


class Echo:
    """Drops an exact echo of a request from what comes; what only began like it is given back whole."""

    def __init__(self, request: bytes) -> None:
        self._echo: bytes | None = request
        self._held = b""

    def without(self, data: bytes) -> bytes:
        """What of this and of what was held back is no echo."""
        if self._echo is None:
            return data
        self._held += data
        if len(self._held) < len(self._echo) and self._echo.startswith(self._held):
            return b""
        if self._held.startswith(self._echo):
            self._held = self._held[len(self._echo) :]
        return self.rest()

    def rest(self) -> bytes:
        """What is still held back; no echo comes after it."""
        held, self._held, self._echo = self._held, b"", None
        return held


def _no_answer(path: str, seconds: float, heard: bool) -> NoAnswer:
    if heard:
        return NoAnswer(
            f"{path} 上有数据但不是应有的应答 (波特率或设备不对?)。",
            f"Bytes came on {path}, but not the answer (wrong rate, or another device?).",
            heard=True,
        )
    return NoAnswer(
        f"{path} 上的设备 {seconds:.1f} 秒内没有应答;请检查电源、接线和波特率。",
        f"The device on {path} did not answer within {seconds:.1f} s; check power, wiring and rate.",
        heard=False,
    )


def _no_such_rate(path: str, rate: int, error: ValueError) -> BadSetup:
    return BadSetup(f"{path} 不能用 {rate} bit/s: {error}。", f"{path} cannot do {rate} bit/s: {error}.")


def _not_opened(path: str, error: BaseException) -> PortMissing | PortBusy:
    number = getattr(error, "errno", None)
    if number in (errno.EAGAIN, errno.EBUSY, errno.EWOULDBLOCK):
        return PortBusy(f"串口 {path} 正被别的程序使用。", f"Another program uses the port {path}.")
    if number == errno.EACCES:
        return PortMissing(
            f"没有权限打开 {path};请把本账号加入 dialout 组。",
            f"This account may not open {path}; add it to the group dialout.",
        )
    why = os.strerror(number) if number else str(error)
    return PortMissing(f"串口 {path} 打不开 ({why})。", f"The port {path} cannot be opened ({why}).")
