"""What all tests share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import homes
from tests.nodes import RunningNode


@pytest.fixture(scope="session", autouse=True)
def _template_home_is_removed() -> Iterator[None]:
    yield
    if homes.template.cache_info().currsize:
        shutil.rmtree(homes.template(), ignore_errors=True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A furnished home of its own for this test."""
    return homes.copy_home(tmp_path / "home")


@pytest.fixture
def node(home: Path) -> Iterator[RunningNode]:
    """A real node over a furnished home, for one test."""
    running = RunningNode(home).start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A real node that the tests of a module share; each makes its own cases."""
    running = RunningNode(homes.copy_home(tmp_path_factory.mktemp("node") / "home")).start()
    try:
        yield running
    finally:
        running.stop()
