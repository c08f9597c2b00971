"""A county that is joined: a running node, its platform, and the commands of its technician."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner

from appliance import cli
from appliance.errors import WanmiError
from tests.exchange.platform import Platform
from tests.nodes import RunningNode, free_port

PATIENCE = 15.0


@dataclass
class Joined:
    """A node, the platform above, and the node's exchange address."""

    node: RunningNode
    platform: Platform
    address: str

    @property
    def listen(self) -> str:
        return self.address.removeprefix("https://")

    def client(self, name: str = "prefecture") -> httpx.Client:
        """A client above, by the name in its certificate."""
        return self.platform.client(self.address, self.platform.paper(name))

    def join(self, *more: str) -> dict[str, Any]:
        """`wanmi join` as the technician types it, with a good token."""
        return join(
            self.node.home, self.platform.url, "--ca", str(self.platform.ca), "--token", "good", "--listen",
            self.listen, "--address", self.address, *more,
        )  # fmt: skip


def address() -> str:
    """An exchange address that nobody has."""
    return f"https://127.0.0.1:{free_port()}"


def wanmi(home: Path, *arguments: str, code: int | None = 0) -> str:
    """A command of the technician; its standard output."""
    done = CliRunner().invoke(cli.wanmi, [*arguments, "--home", str(home)], standalone_mode=False)
    failed = 1 if isinstance(done.exception, WanmiError) else done.exit_code
    assert code is None or failed == code, f"{done.exception!r}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def join(home: Path, *arguments: str) -> dict[str, Any]:
    """`wanmi join … --json`."""
    told: dict[str, Any] = json.loads(wanmi(home, "join", *arguments, "--json", code=None) or "{}")
    return told


def status(home: Path) -> dict[str, Any]:
    """`wanmi link status --json`."""
    told: dict[str, Any] = json.loads(wanmi(home, "link", "status", "--json"))
    return told


def until(look: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Look until something is so; a connection that is refused is not so yet."""
    ends = time.monotonic() + seconds
    while True:
        try:
            if found := look():
                return found
        except httpx.TransportError:
            pass
        assert time.monotonic() < ends, f"never: {what}"
        time.sleep(0.05)  # between two looks
