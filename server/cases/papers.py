"""What a case has beside its record: its running clock, and the slip to print."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.openapi.datastructures import ResponseSpec

from appliance.cases.running import running_clock
from appliance.cases.slip import slip_page, slip_rows, slip_text
from server import answers, examples
from server.node import actor_of_request, json_bytes, node_of

HTML, TEXT = "text/html", "text/plain"


class PaperController(Controller):
    """Clock and slip of a case."""

    path = "/api/v1/cases"
    tags = ["cases"]

    @get(
        "/{number:str}/clock",
        operation_id="case_clock",
        responses={**answers.shows(answers.RunningClock), **examples.refusals(401, 403, 404)},
    )
    async def clock(self, request: Request[Any, Any, Any], number: str) -> Response[bytes]:
        """The running clock, and how much of the limit is left now in the limit's own unit."""
        node, actor = node_of(request), actor_of_request(request)
        found = await node.read(lambda connection: running_clock(connection, node.office, actor, number))
        return json_bytes(msgspec.json.encode(found))

    @get(
        "/{number:str}/slip",
        operation_id="case_slip",
        responses={
            200: ResponseSpec(str, description="The slip", media_type="text/html", generate_examples=False),
            **examples.refusals(401, 403, 404, 422),
        },
    )
    async def slip(self, request: Request[Any, Any, Any], number: str) -> Response[str]:
        """The dispatch slip to print: a page, or plain text where `Accept` asks for text/plain."""
        node, actor = node_of(request), actor_of_request(request)
        rows = await node.read(lambda connection: slip_rows(connection, node.office, actor, number))
        county = node.office.settings.name or node.office.settings.county
        if "text/plain" in request.headers.get("accept", ""):
            return Response(slip_text(rows, county), media_type=TEXT)
        return Response(slip_page(rows, county), media_type=HTML)
