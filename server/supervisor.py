"""`wanmi up`: starts the processes of a node, starts again what dies, ends them all together.

Each process is a `wanmi` command; the table says which. A process that dies is started again after a pause that grows
while it keeps dying. Where the node is refused at its first start (no home, port in use) all end, with its exit code;
the device agent and the scheduler may be refused (a wrong setting of a device) without harm to the others.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from appliance.options import say
from appliance.settings import load

FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS, STOP_SECONDS = 1.0, 30.0, 60.0, 10.0

REFUSED = (1, 2)
"""Exit codes of a command that was refused or used wrongly."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the node: its name, its `wanmi` arguments, whether there is no use going on without it, and whether
    a home wants it at all."""

    name: str
    arguments: Callable[[Path, str, int, bool], list[str]]
    needed: bool
    wanted: Callable[[Path], bool] = lambda _home: True


def url(host: str, port: int, is_protected: bool = False) -> str:
    """Where the node of this machine is found that listens on an address."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    scheme = "https" if is_protected else "http"
    return f"{scheme}://[{own}]:{port}" if ":" in own else f"{scheme}://{own}:{port}"


PROCESSES = (
    Process(
        "serve", lambda home, host, port, _: ["serve", "--home", str(home), "--host", host, "--port", str(port)], True
    ),
    Process(
        "agent",
        lambda home, host, port, tls: ["devices", "agent", "--home", str(home), "--node", url(host, port, tls)],
        False,
    ),
    Process("scheduler", lambda home, _host, _port, _tls: ["scheduler", "--home", str(home)], False),
    Process(
        "warm copy",
        lambda home, _host, _port, _tls: ["backup", "follow", "--home", str(home)],
        False,
        lambda home: bool(load(home).backup.warm),
    ),
)


def supervise(home: Path, host: str, port: int, is_protected: bool = False) -> int:
    """Run until SIGTERM or Ctrl-C; returns the exit code: 0, or that of a process that was refused."""
    ending = threading.Event()
    refused: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    keepers = [
        threading.Thread(
            target=_keep, args=(process, process.arguments(home, host, port, is_protected), ending, refused)
        )
        for process in PROCESSES
        if process.wanted(home)
    ]
    for keeper in keepers:
        keeper.start()
    for keeper in keepers:
        keeper.join()
    return max(refused, default=0)


def _keep(process: Process, arguments: list[str], ending: threading.Event, refused: list[int]) -> None:
    pause, first = FIRST_PAUSE, True
    while not ending.is_set():
        started = monotonic()
        child = subprocess.Popen([sys.executable, "-m", "appliance", *arguments])
        while child.poll() is None and not ending.wait(0.2):
            continue
        if ending.is_set():
            _stop(child)
            return
        if first and process.needed and child.returncode in REFUSED:
            refused.append(child.returncode)
            ending.set()
            return
        first = False
        pause = FIRST_PAUSE if monotonic() - started > STEADY_SECONDS else min(pause * 2, LONGEST_PAUSE)
        say(f"{process.name} 已退出 ({child.returncode}),{pause:.0f} 秒后重启 / ended, starts again in {pause:.0f} s")
        ending.wait(pause)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
