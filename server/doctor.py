"""The doctor over HTTP, for the console's system screen."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get

from appliance.errors import Broken
from server import answers, examples
from server.node import json_bytes, node_of
from server.sign_in import require

PATIENCE = 120.0
"""Seconds after which an examination that does not end is ended."""


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
        """Every check of every part, as `wanmi doctor --json` tells it. It takes seconds."""
        home = node_of(request).office.records.home
        # a process of its own: the checks load libraries that must come before SpatiaLite (docs/adr/0001)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance", "doctor", "--home", str(home), "--json",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            out, said = await asyncio.wait_for(process.communicate(), PATIENCE)
        except (TimeoutError, asyncio.CancelledError):
            process.kill()
            await process.wait()
            raise Broken(
                "自检超时,请在本机运行 wanmi doctor。", "The examination took too long; run wanmi doctor."
            ) from None
        try:
            findings = msgspec.json.decode(out, type=list[answers.FindingOut])
        except msgspec.MsgspecError:
            text = said.decode(errors="replace").strip()[-400:]
            raise Broken(f"自检没有结果: {text}", f"The examination gave no result: {text}") from None
        return json_bytes(msgspec.json.encode({"items": findings}))
