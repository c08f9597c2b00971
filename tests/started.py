"""`wanmi …` in a process of its own. In a test run it is forked from a process that has done once what is the same for
every command (`tests/warmed.py`): a node then starts in a fraction of the processor time. What starts, and what it
does, is the command itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkstemp

_forks = False


def fork_from_now_on() -> None:
    """Let commands start by forking; for test runs, not where start and memory are measured."""
    global _forks
    _forks = True
    get_context("forkserver").set_forkserver_preload(["tests.warmed"])


def start_wanmi(*arguments: str, environment: dict[str, str] | None = None) -> Started | subprocess.Popen[bytes]:
    """Start a command; its standard output goes nowhere, its standard error is kept."""
    around = {**os.environ, **(environment or {})}
    if _forks:
        return Started(arguments, around)
    return subprocess.Popen(
        [sys.executable, "-m", "appliance", *arguments], env=around, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


class Started:
    """A forked command, with as much of `subprocess.Popen` as tests use."""

    def __init__(self, arguments: tuple[str, ...], around: dict[str, str]) -> None:
        handle, name = mkstemp(prefix="wanmi-stderr-")
        os.close(handle)
        self._said = Path(name)
        self._process = get_context("forkserver").Process(
            target=_run, args=(arguments, around, os.getcwd(), name), daemon=False
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self.returncode: int | None = None

    @property
    def stderr(self) -> BytesIO:
        """What it wrote to standard error so far."""
        return BytesIO(self._said.read_bytes())

    def poll(self) -> int | None:
        """The exit code, None while it runs; minus the signal that ended it."""
        self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended.

        Raises:
            TimeoutExpired: it runs on.
        """
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("wanmi", timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Its standard output, which is not kept, and standard error, once it has ended."""
        self.wait(timeout)
        said = self._said.read_bytes() if self._said.exists() else b""
        self._said.unlink(missing_ok=True)
        return b"", said

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def _run(arguments: tuple[str, ...], around: dict[str, str], folder: str, said: str) -> None:
    """In the forked process: become the command."""
    assert "tests.warmed" in sys.modules, "the process it is forked from could not import all (python -m tests.warmed)"
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(around)
    nothing, told = os.open(os.devnull, os.O_RDWR), os.open(said, os.O_WRONLY | os.O_APPEND)
    for stream, descriptor in ((0, nothing), (1, nothing), (2, told)):
        os.dup2(descriptor, stream)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
    sys.argv = ["wanmi", *arguments]
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    from appliance.cli import main

    main()
