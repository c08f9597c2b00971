"""Waiting for what another thread or process does: look again and again, at most so long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 20.0


def until(true: Callable[[], Any], what: str = "it did not happen", seconds: float = PATIENCE) -> Any:
    """Look until it is so, and return what was seen."""
    ends = time.monotonic() + seconds
    while not (seen := true()):
        assert time.monotonic() < ends, what
        time.sleep(0.01)  # between two looks at another thread or process
    return seen
