"""Every route is asked what its own OpenAPI document allows, and more, by a fixed seed: none of them breaks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nodes import RunningNode
from tests.server.role_matrix import furnished

SEED = "20261127"
LIGHT, LONG = 1, 40
"""Questions to each operation."""
STREAM, SESSION = "/api/v1/events", "/api/v1/session"
"""The stream never ends; asking the session to end would leave the other routes unasked."""
SLOW = "/api/v1/(papers/bulletin|doctor)"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RunningNode]:
    furnished(tmp_path / "home")
    running = RunningNode(tmp_path / "home").start()
    yield running
    assert running.stop() == 0


def asked(node: RunningNode, account: str, examples: int, phases: str, *more: str) -> str:
    """What schemathesis says of a node; it fails where an answer is a server's error."""
    command = [
        Path(sys.executable).with_name("schemathesis"), "run", f"{node.url}/schema/openapi.json", "--seed", SEED,
        "--max-examples", str(examples), "--phases", phases, "--checks", "not_a_server_error", "--continue-on-failure",
        "--suppress-health-check", "all", "--exclude-path", STREAM, "--exclude-path", SESSION,
        "-H", f"Authorization: {node.client(account).headers['Authorization']}", *more,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=node.home)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def operations_in(said: str) -> int:
    """How many operations were asked."""
    found = re.search(r"Tested: (\d+)", said)
    assert found is not None, said[-2000:]
    return int(found[1])


def test_no_route_breaks(node: RunningNode) -> None:
    assert operations_in(asked(node, "z1", LIGHT, "fuzzing", "--exclude-path-regex", SLOW)) > 150


@pytest.mark.long
@pytest.mark.parametrize("account", ["z1", "admin", "s1"])
def test_no_route_breaks_however_long_it_is_asked(node: RunningNode, account: str) -> None:
    assert operations_in(asked(node, account, LONG, "examples,coverage,fuzzing")) > 150
