"""What citizens may ask without signing in: the stage of their case by its query code."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get

from appliance.cases.public import public_view
from server import answers, examples
from server.node import json_bytes, node_of


class PublicController(Controller):
    """The public view."""

    path = "/api/v1/public"
    tags = ["public"]

    @get(
        "/cases/{query_code:str}",
        operation_id="public_case",
        security=[{}],
        responses={**answers.shows(answers.PublicCase), **examples.refusals(404, 429)},
    )
    async def case(self, request: Request[Any, Any, Any], query_code: str) -> Response[bytes]:
        """Stage, dates, reason of rejection or waiting. Rate-limited by address."""
        node = node_of(request)
        node.public_rate.take(request.client.host if request.client else "")
        found = await node.read(lambda connection: public_view(connection, node.office, query_code))
        return json_bytes(msgspec.json.encode(found))
