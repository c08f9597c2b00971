"""The live view: listens to the node's event stream and comes back by itself when it breaks off."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.client import NodeAway, Refused, SignedOut
from tui.messages import CallHeard, ChangeHeard, NodeBack, NodeLost, SessionEnded, VehiclesMoved

if TYPE_CHECKING:
    from tui.screens.base import SeatScreen

FIRST_WAIT, LONGEST_WAIT = 0.3, 1.5
"""Seconds between two tries; well under the two seconds in which a console should be back."""
CASE_TYPES = ("case", "case_action")


async def listen(screen: SeatScreen, *, vehicles: bool = False) -> None:
    """Post a `ChangeHeard` for every changed case; runs until it is cancelled or the session ends.

    Args:
        vehicles: post `VehiclesMoved` as well.
    """
    cursor: int | None = None
    wait = FIRST_WAIT
    while True:
        try:
            async for event in screen.context.client.events(cursor, vehicles=vehicles):
                if event.name == "open":
                    wait = FIRST_WAIT
                    screen.app.post_message(NodeBack())
                    screen.post_message(ChangeHeard(""))
                elif event.name == "call":
                    screen.post_message(CallHeard(str(event.data.get("number", ""))))
                elif event.name == "positions":
                    screen.post_message(VehiclesMoved(event.data["items"]))
                elif event.name == "change" and event.data["type"] in CASE_TYPES:
                    screen.post_message(ChangeHeard(str(event.data["id"]).split("/")[0]))
                cursor = event.data.get("seq", cursor)
        except NodeAway:
            screen.app.post_message(NodeLost())
        except SignedOut as error:
            screen.app.post_message(SessionEnded(error.detail))
            return
        except Refused:
            wait = LONGEST_WAIT
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)
