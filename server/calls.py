"""Telephone calls: the telephone system rings at a seat, the seat's console opens the caller."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import Body
from sqlalchemy import Connection, text

from appliance.clock import moment, rfc3339
from appliance.errors import NotFound
from appliance.records.writer import Unit
from server import examples
from server.node import actor_of_request, node_of
from server.sign_in import require

_INSERT = text("INSERT INTO seat_call (number, seat, recording, at) VALUES (:number, :seat, :recording, :at)")
_LAST = text("SELECT number, seat, recording, at FROM seat_call WHERE seat = :seat ORDER BY id DESC LIMIT 1")


class CallBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who calls, and at which seat (an account)."""

    number: Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9*#-]{3,24}$")]
    seat: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    recording: str | None = None


class CallOut(msgspec.Struct):
    """A call that rang; `heard` counts the consoles that were told."""

    number: str
    seat: str
    recording: str | None
    at: datetime
    heard: int = 0


class CallController(Controller):
    """Calls."""

    path = "/api/v1/calls"
    tags = ["calls"]

    @post(
        operation_id="ring", guards=[require("device", "acceptor", "shift_leader", "admin")],
        responses=examples.refusals(401, 403, 422),
    )  # fmt: skip
    async def ring(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[CallBody, Body(examples=examples.body_example(examples.CALL))],
    ) -> CallOut:
        """Open the caller on a seat."""
        node = node_of(request)

        def work(unit: Unit) -> int:
            values = {"number": data.number, "seat": data.seat, "recording": data.recording, "at": unit.now}
            unit.connection.execute(_INSERT, values)
            return unit.now

        at = await node.office.records.write_async(work)
        call = {"number": data.number, "seat": data.seat, "recording": data.recording, "at": rfc3339(at)}
        return CallOut(data.number, data.seat, data.recording, moment(at), node.watcher.ring(data.seat, call))

    @get("/last", operation_id="last_call", responses=examples.refusals(401, 404))
    async def last(self, request: Request[Any, Any, Any]) -> CallOut:
        """The newest call at one's own seat."""
        actor = actor_of_request(request)

        def work(connection: Connection) -> CallOut:
            row = connection.execute(_LAST, {"seat": actor.account}).one_or_none()
            if row is None:
                raise NotFound("这个坐席还没有来电。", "No call has rung at this seat yet.")
            return CallOut(row.number, row.seat, row.recording, moment(row.at))

        return await node_of(request).read(work)
