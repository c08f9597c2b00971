"""Where somebody was: the track of a day."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import Parameter

from appliance.clock import local, rfc3339
from appliance.patrols.position import thinned
from appliance.people.roster import checked_day
from server import answers, examples
from server.node import Node, node_of
from server.paging import CURSOR_AT_MOST, sent
from server.sign_in import require

POSITIONS_AT_MOST = 10_000
"""A day of one position every ten seconds fits on a page."""
METRES_AT_MOST = 10_000
SEES_POSITIONS = ("acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin", "technician")
DayOfTrack = Annotated[
    str | None,
    Parameter(query="day", max_length=10, description="A county day, YYYY-MM-DD; else today"),
]


class TrackPoint(msgspec.Struct):
    """A position; `speed` in metres a second, as it was sent."""

    at: datetime
    lon: float
    lat: float
    speed: float | None


class Track(msgspec.Struct):
    """A page of a track, oldest first; `number` counts the positions of the whole day."""

    who: str
    day: str
    number: int
    items: list[TrackPoint]
    next: str | None


class TrackController(Controller):
    """Tracks."""

    path = "/api/v1/tracks"
    tags = ["positions"]
    guards = [require(*SEES_POSITIONS)]

    @get(
        "/{who:str}", operation_id="track_of_day",
        responses={**answers.shows(Track), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def of_day(
        self,
        request: Request[Any, Any, Any],
        who: str,
        day: DayOfTrack = None,
        metres: Annotated[
            float, Parameter(ge=0, le=METRES_AT_MOST, description="Leave out what lies nearer to the one before")
        ] = 0,
        after: Annotated[int, Parameter(ge=-1, le=CURSOR_AT_MOST, description="`next` of the page before")] = -1,
        limit: Annotated[int, Parameter(ge=1, le=POSITIONS_AT_MOST)] = POSITIONS_AT_MOST,
    ) -> Response[bytes]:
        """The track of an account or device on a day, oldest first; with `metres` thinned out for a map."""
        node = node_of(request)
        written = day_of(node, day)
        whole = await node.thread(lambda: node.tracks.of_day(who, written))
        found = [item for item in thinned(whole, metres) if item.at > after]
        items = [
            {"at": rfc3339(item.at), "lon": item.lon, "lat": item.lat, "speed": item.speed} for item in found[:limit]
        ]
        following = str(found[limit - 1].at) if len(found) > limit else None
        return sent({"who": who, "day": written, "number": len(whole), "items": items, "next": following})


def day_of(node: Node, day: str | None) -> str:
    """The day of a question, else today in county time.

    Raises:
        Invalid: not YYYY-MM-DD.
    """
    if day:
        return checked_day(day).isoformat()
    return local(node.office.records.clock.now(), node.office.settings.zone).date().isoformat()
