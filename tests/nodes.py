"""A real node for tests: `wanmi serve` on a free loopback port over a home of its own, ended by its process id."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx

from tests.homes import PASSWORD
from tests.started import Started, start_wanmi

START_SECONDS = 30.0

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of plain HTTP on loopback: to read the machine's authorities takes longer than the node's answer."""


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def answers(port: int) -> bool:
    """Whether a node is up; without an HTTP client of the comfortable kind, which costs more than the node's answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@dataclass
class RunningNode:
    """A node in a process of its own, and signed-in clients by account."""

    home: Path
    port: int = field(default_factory=free_port)
    process: Started | subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, httpx.Client] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> RunningNode:
        """Start and wait until the node answers."""
        self.process = start_wanmi(
            "serve", "--home", str(self.home), "--port", str(self.port), environment=self.environment
        )
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            if self.process.poll() is not None:
                assert self.process.stderr is not None
                raise AssertionError(self.process.stderr.read().decode())
            if answers(self.port):
                return self
            time.sleep(0.02)  # between two looks at a port that is not open yet
        raise AssertionError(f"the node did not answer within {START_SECONDS} s")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the node and return its exit code."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.communicate(timeout=20)
        return int(self.process.returncode)

    def client(self, account: str, password: str = PASSWORD) -> httpx.Client:
        """A client signed in as an account of the furnished home."""
        if account not in self._clients:
            client = httpx.Client(base_url=self.url, timeout=30, verify=NO_AUTHORITIES)
            answer = client.post("/api/v1/session", json={"account": account, "password": password})
            assert answer.status_code == 201, answer.text
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            self._clients[account] = client
        return self._clients[account]

    def act(self, account: str, number: str, action: str, **body: Any) -> httpx.Response:
        """Take an action with the version the case has now."""
        client = self.client(account)
        version = self.client("z1").get(f"/api/v1/cases/{number}").json()["version"]
        return client.post(f"/api/v1/cases/{number}/actions/{action}", json=body, headers={"If-Match": f'"{version}"'})
