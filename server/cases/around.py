"""Everything that stands round a case on a desk, in one answer: one way over a slow line instead of seven."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import Parameter
from sqlalchemy import Connection

from appliance.cases import listing
from appliance.cases.duplicates import likely_duplicates
from appliance.cases.offers import offered_actions
from appliance.cases.running import running_clock
from appliance.people.actor import Actor
from appliance.places.plane import Plane
from server import answers, examples
from server.cases.schemas import HistoryRow
from server.node import Node, actor_of_request, json_bytes, node_of
from server.places import shapes_in_box

NEAR_CASES, NEAR_PARTS, NEAR_GRIDS = 60, 200, 40
METRES_AT_MOST = 500


class NearCase(msgspec.Struct):
    """A case on the small map."""

    number: str
    lon: float
    lat: float
    light: str | None


class AroundOut(msgspec.Struct):
    """What belongs to a case beside its record; `grids` and `parts` are GeoJSON."""

    number: str
    clock: answers.RunningClock
    history: list[HistoryRow]
    actions: list[answers.ActionNow]
    duplicates: list[dict[str, Any]]
    near: list[NearCase]
    grids: answers.Shapes
    parts: answers.Shapes


class AroundController(Controller):
    """What stands round a case."""

    path = "/api/v1/cases"
    tags = ["cases"]

    @get(
        "/{number:str}/around",
        operation_id="case_around",
        responses={**answers.shows(AroundOut), **examples.refusals(401, 403, 404)},
    )
    async def around(
        self,
        request: Request[Any, Any, Any],
        number: str,
        metres: Annotated[
            int, Parameter(ge=10, le=METRES_AT_MOST, description="Half the width of the small map")
        ] = 120,
    ) -> Response[bytes]:
        """History, running clock, key bar, likely duplicates, and what lies near."""
        node, actor = node_of(request), actor_of_request(request)
        return json_bytes(await node.read(lambda connection: _around(connection, node, actor, number, metres)))


def _around(connection: Connection, node: Node, actor: Actor, number: str, metres: int) -> bytes:
    office = node.office
    record = msgspec.json.decode(listing.find_case(connection, office, actor, number))
    values = Plane.at(record["lon"], record["lat"]).box(metres)
    box = (values["west"], values["south"], values["east"], values["north"])
    page = listing.list_cases(connection, office, actor, listing.CaseFilter(bbox=box, limit=NEAR_CASES))
    found = {
        "number": number,
        "clock": running_clock(connection, office, actor, number),
        "history": listing.history(connection, office, actor, number),
        "actions": offered_actions(connection, office, actor, number),
        "duplicates": likely_duplicates(
            connection, office, actor, code=record["code"], lon=record["lon"], lat=record["lat"], part=record["part"]
        ),
        "near": [msgspec.json.decode(item, type=NearCase) for item in page.items],
        "grids": msgspec.Raw(shapes_in_box(connection, "grids", values, NEAR_GRIDS)),
        "parts": msgspec.Raw(shapes_in_box(connection, "parts", values, NEAR_PARTS)),
    }
    return msgspec.json.encode(found)
