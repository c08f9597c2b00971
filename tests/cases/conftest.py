from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.desk import Desk


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    """An office on a furnished home at 9 October 2026, 09:00 county time."""
    made = Desk(home)
    yield made
    made.close()
