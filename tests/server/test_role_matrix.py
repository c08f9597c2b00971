"""Everybody tries every door: what is open to whom is what `role_matrix.csv` says, and a new door needs a row there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nodes import RunningNode
from tests.server.role_matrix import WHO, decided, furnished, matrix


def test_every_door_is_open_to_those_of_the_table_and_to_nobody_else(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """The slow doors are tried by all for whom they are shut, and by one for whom they are open; by all with --long."""
    expected, keys = decided(), furnished(tmp_path / "home")
    node = RunningNode(tmp_path / "home").start()
    try:
        found = matrix(node, keys, None if pytestconfig.getoption("--long") else expected)
    finally:
        node.stop()
    assert found.keys() - expected.keys() == set(), "decide on these in tests/server/role_matrix.csv"
    assert expected.keys() - found.keys() == set(), "no such doors any more"
    different = [
        f"{method} {path}: {who} {now}, decided {then}"
        for (method, path), row in found.items()
        for who, now, then in zip(WHO, row, expected[method, path], strict=True)
        if now != then
    ]
    assert different == []
