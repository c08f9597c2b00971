"""Marking a case as an emergency, which is told to the county's emergency webhook at once."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, post

from appliance.cases import listing
from appliance.messages.emergency import mark
from appliance.records.writer import Unit
from server import examples
from server.cases.routes import CASE, IfMatch, version_of
from server.node import actor_of_request, json_bytes, node_of


class EmergencyBody(msgspec.Struct, forbid_unknown_fields=True):
    """Whether the case is an emergency, and why."""

    emergency: bool
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class EmergencyController(Controller):
    """Emergencies."""

    path = "/api/v1/cases"
    tags = ["cases"]

    @post(
        "/{number:str}/emergency", operation_id="mark_emergency", status_code=200,
        responses={**CASE, **examples.refusals(401, 403, 404, 409, 422, 428)},
    )  # fmt: skip
    async def mark(
        self, request: Request[Any, Any, Any], number: str, data: EmergencyBody, if_match: IfMatch = None
    ) -> Response[bytes]:
        """Mark a case as an emergency, or take the mark back; a history row `note` with the fact `emergency`."""
        node, actor, version = node_of(request), actor_of_request(request), version_of(if_match)

        def work(unit: Unit) -> tuple[bytes, int]:
            case = mark(unit, node.office, actor, number, emergency=data.emergency, note=data.note, version=version)
            return listing.record_of(unit.connection, node.office, actor, case), int(case["version"])

        body, now = await node.office.records.write_async(work)
        if node.office.settings.messages.emergency_webhook:
            node.watcher.tell("device", "message", {"written": 1})
        return json_bytes(body, 200, {"ETag": f'"{now}"'})
