"""A county at work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import homes
from tests.cases.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A county at work."""
    opened = Desk(homes.copy_home(tmp_path / "county"))
    yield opened
    opened.close()
