"""The doctor over HTTP, for the console's system screen."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get

from server import answers, examples
from server.node import json_bytes, node_of
from server.sign_in import require


class DoctorController(Controller):
    """Checks."""

    path = "/api/v1/doctor"
    tags = ["system"]

    @get(
        operation_id="doctor",
        guards=[require("admin", "technician", "shift_leader")],
        responses={**answers.shows(answers.Findings), **examples.refusals(401, 403, 500)},
    )
    async def examine(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Every check of every part, as `wanmi doctor --json` tells it. It takes seconds; who asks meanwhile waits."""
        found = await node_of(request).examination.findings()
        return json_bytes(msgspec.json.encode({"items": found}))
