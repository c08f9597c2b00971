"""The demo's node, and other commands, in processes of their own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from appliance.errors import Broken

START_SECONDS = 60.0
STOP_SECONDS = 15.0


@contextmanager
def running_node(home: Path) -> Iterator[str]:
    """Start a node over a home on a free loopback port, give its address, end it.

    Raises:
        Broken: it did not start.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running_command("serve", "--home", str(home), "--port", str(port)) as child:
        _wait(child, url, home)
        yield url


@contextmanager
def running_command(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A `wanmi` command in a process of its own, ended at the end."""
    command, quiet = [sys.executable, "-m", "appliance", *words], subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as child:
        try:
            yield child
        finally:
            child.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.wait(STOP_SECONDS)
            if child.poll() is None:
                child.kill()


def _wait(child: subprocess.Popen[bytes], url: str, home: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while child.poll() is None and time.monotonic() < ends:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/health", timeout=2).status_code == 200:
                return
        time.sleep(0.05)
    raise Broken(f"节点没有启动;请看 {home}/log/node.log。", f"The node did not start; see {home}/log/node.log.")


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
