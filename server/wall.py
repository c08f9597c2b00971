"""The figures of the wall screen, for a key of role `wall` or an account that sees all cases."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get

from appliance.cases.wall import WallFigures, wall
from server import answers, examples
from server.node import json_bytes, node_of
from server.sign_in import require


class WallController(Controller):
    """The wall."""

    path = "/api/v1/wall"
    tags = ["cases"]

    @get(
        operation_id="wall",
        guards=[
            require(
                "wall", "device", "acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin", "technician"
            )
        ],
        responses={**answers.shows(WallFigures), **examples.refusals(401, 403)},
    )
    async def figures(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Today's and this month's figures, units, urgent and latest cases; no reporter and no text of a caller."""
        node = node_of(request)
        return json_bytes(await node.read(lambda connection: msgspec.json.encode(wall(connection, node.office))))
