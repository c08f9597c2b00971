"""Pictures of the desk and of a form in two sizes, with names that are too long. Made on Debian's Python 3.11."""

from __future__ import annotations

import sys
from typing import Any

import httpx
import pytest

from tests.tui.conftest import Seat
from tests.tui.fake_node import ANSWERS, answer
from tui.app import Console

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are made on Python 3.11")
SIZES = [(80, 24), (120, 36)]


def console(role: str = "dispatcher") -> Console:
    """A console on the canned node, for somebody of a role."""

    def answered(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/session":
            return httpx.Response(201, json={**ANSWERS["/api/v1/session"], "roles": [role]})
        return answer(request)

    return Console("http://node", transport=httpx.MockTransport(answered))


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


@pytest.mark.parametrize("size", SIZES)
def test_two_cases_are_marked(snap_compare: Any, size: tuple[int, int]) -> None:
    """A dispatcher marks two cases for one form."""

    async def story(pilot: Any) -> None:
        seat = Seat(pilot.app, pilot)
        await seat.sign_in("p1")
        await seat.keys("space", "space")
        await seat.settled()

    assert snap_compare(console(), terminal_size=size, run_before=story)


@pytest.mark.parametrize("size", SIZES)
def test_a_call_is_taken(snap_compare: Any, size: tuple[int, int]) -> None:
    """Class and place are typed; what the node makes of it stands below."""

    async def story(pilot: Any) -> None:
        seat = Seat(pilot.app, pilot)
        await seat.sign_in("p1")
        await seat.keys("f3")
        await seat.until(lambda: type(seat.app.screen).__name__ == "IntakeScreen" and seat.app.focused, "intake")
        await seat.settled()
        for keys in (("13812341234", "enter"), ("wsjg", "enter"), ("enter",), ("ycl18", "enter")):
            await seat.keys(*keys)
            await seat.settled()
        await seat.until(lambda: "药城社区" in seat.screen_text(), "the facts")
        await seat.settled()

    assert snap_compare(console("acceptor"), terminal_size=size, run_before=story)
