"""The console in a real terminal: what it sends, and that it leaves the terminal clean."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.homes import PASSWORD
from tests.nodes import RunningNode
from tests.tui.conftest import report

QUIET_SECONDS = 2.0
PATIENCE = 25.0


class Terminal:
    """The master side of a pseudo-terminal with the console in it."""

    def __init__(self, descriptor: int, process: int) -> None:
        self.descriptor = descriptor
        self.process = process
        self.received = 0

    def read_until(self, wanted: str, patience: float = PATIENCE) -> str:
        """Read until a text came by."""
        seen, ends = "", time.monotonic() + patience
        while wanted not in seen:
            assert time.monotonic() < ends, f"{wanted} never came\n{seen[-2000:]!r}"
            seen += self._read(0.2).decode(errors="replace")
        return seen

    def read_for(self, seconds: float) -> bytes:
        """Everything that comes within some time."""
        seen, ends = b"", time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            seen += self._read(left)
        return seen

    def settle(self) -> None:
        """Read until nothing came for half a second."""
        ends = time.monotonic() + PATIENCE
        while self.read_for(0.5):
            assert time.monotonic() < ends, "the screen never came to rest"

    def type(self, text: str) -> None:
        """Type keys."""
        os.write(self.descriptor, text.encode())

    def _read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            return b""
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:  # the other side is closed
            return b""
        self.received += len(data)
        return data


@contextmanager
def console_in_terminal(url: str, *, hang_up_ignored: bool = False) -> Iterator[Terminal]:
    """`wanmi console` in an 80 by 24 terminal; afterwards the terminal is closed and the console must end."""
    process, descriptor = pty.fork()
    if process == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN if hang_up_ignored else signal.SIG_DFL)
        os.environ |= {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
        os.execv(sys.executable, [sys.executable, "-m", "appliance", "console", "--url", url])
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    try:
        yield Terminal(descriptor, process)
    finally:
        os.close(descriptor)
        ended = _ended(process)
        if not ended:
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    assert ended, "the console stayed after its terminal was gone"


def _ended(process: int) -> bool:
    handle = os.pidfd_open(process)
    try:
        return bool(select.select([handle], [], [], PATIENCE)[0])
    finally:
        os.close(handle)


def test_an_idle_screen_sends_nothing_and_a_page_little(node: RunningNode) -> None:
    """Over a slow line only what changes is sent."""
    for _ in range(40):
        report(node)
    with console_in_terminal(node.url) as terminal:
        terminal.read_until("密码")
        terminal.settle()
        terminal.type("s1\r")
        terminal.type(f"{PASSWORD}\r")
        terminal.read_until("核实派发")
        terminal.settle()
        assert terminal.read_for(QUIET_SECONDS) == b"", "an idle screen is silent"

        before = terminal.received
        terminal.type("\x1b[6~")
        terminal.settle()
        page = terminal.received - before
        assert 0 < page <= 8192, f"a page took {page} bytes"

        terminal.type("\x11")
        assert "\x1b[?1049l" in terminal.read_until("\x1b[?1049l"), "the terminal is given back"


def test_a_console_whose_terminal_is_gone_ends(node: RunningNode) -> None:
    """The SSH line broke under a console started with nohup: nothing stays behind and burns the processor."""
    with console_in_terminal(node.url, hang_up_ignored=True) as terminal:
        terminal.read_until("密码")


def test_without_a_terminal_it_says_so() -> None:
    """`ssh county wanmi console` has no terminal: one sentence, not escape codes in a file."""
    said = subprocess.run(
        [sys.executable, "-m", "appliance", "console"], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert said.returncode == 1
    assert said.stdout == ""
    assert "ssh with -t" in said.stderr
