"""Pictures of the desk and of a form in two sizes, with names that are too long. Made on Debian's Python 3.11."""

from __future__ import annotations

import sys
from typing import Any

import httpx
import pytest

from tests.tui.conftest import Seat
from tests.tui.fake_node import answer
from tui.app import Console

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are made on Python 3.11")
SIZES = [(80, 24), (120, 36)]


def console() -> Console:
    """A console on the canned node."""
    return Console("http://node", transport=httpx.MockTransport(answer))


@pytest.mark.parametrize("size", SIZES)
def test_the_desk(snap_compare: Any, size: tuple[int, int]) -> None:
    """A dispatcher looks at a case with a waiting request."""

    async def story(pilot: Any) -> None:
        seat = Seat(pilot.app, pilot)
        await seat.sign_in("p1")
        await seat.keys("down")
        await seat.settled()

    assert snap_compare(console(), terminal_size=size, run_before=story)


@pytest.mark.parametrize("size", SIZES)
def test_a_dispatch(snap_compare: Any, size: tuple[int, int]) -> None:
    """A dispatcher picks the department by its letters."""

    async def story(pilot: Any) -> None:
        seat = Seat(pilot.app, pilot)
        await seat.sign_in("p1")
        await seat.keys("d")
        await seat.on_form()
        await seat.keys("hjws")
        await seat.settled()

    assert snap_compare(console(), terminal_size=size, run_before=story)
