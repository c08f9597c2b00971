from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.messages.outgoing import Outgoing


@pytest.fixture
def out(home: Path) -> Iterator[Outgoing]:
    """Text messages were switched on on 9 October 2026 at 09:00 county time, and the clock has looked once."""
    made = Outgoing(home)
    made.tell()
    yield made
    made.close()
