"""`wanmi up` keeps the node running, and ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nodes import answers, free_port

PATIENCE = 30.0


def until(true: object) -> None:
    """Look again and again until it is so."""
    ends = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator]
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)  # between two looks at another process


def up(home: Path, port: int, name: str = "up") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "appliance", name, "--home", str(home), "--port", str(port)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.fixture
def port() -> Iterator[int]:
    return free_port()


def test_a_killed_node_is_started_again_and_everything_ends_together(home: Path, port: int) -> None:
    process = up(home, port)
    try:
        until(lambda: answers(port))
        node = int((home / "node.lock").read_text())
        assert node != process.pid
        os.kill(node, signal.SIGKILL)
        until(lambda: answers(port) and int((home / "node.lock").read_text()) != node)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert not answers(port)


def test_a_home_that_is_none_is_refused_once(tmp_path: Path, port: int) -> None:
    process = up(tmp_path / "nowhere", port)
    _, talk = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "wanmi init" in talk.decode()
    assert "Traceback" not in talk.decode()


def test_a_port_in_use_is_named_and_a_stopped_node_ends_well(home: Path, tmp_path: Path, port: int) -> None:
    from tests.homes import copy_home

    first = up(home, port, "serve")
    try:
        until(lambda: answers(port))
        second = up(copy_home(tmp_path / "other"), port, "serve")
        _, talk = second.communicate(timeout=30)
        assert second.returncode == 1
        assert str(port) in talk.decode()
        assert "Traceback" not in talk.decode()
    finally:
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=20)
    assert first.returncode == 0
