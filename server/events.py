"""The live view: Server-Sent Events from the change feed; the event id is the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get
from litestar.params import Parameter
from litestar.response import Stream
from sqlalchemy import Connection, bindparam, text

from appliance.cases.sight import sees_all, sees_case
from appliance.clock import rfc3339
from appliance.errors import FieldError, Invalid
from appliance.people.actor import Actor
from appliance.records.feed import FeedRow, changes_after, last_seq
from server import examples
from server.node import Node, actor_of_request, node_of

PAGE = 500
HEARTBEAT_SECONDS = 25.0
GATHER_SECONDS = 0.1
"""After a wake so long is waited for more, so that ten seats do not read ten times for every commit."""

_CASES = text(
    "SELECT number, department, sub_unit, collector, registered_by, duty_grid FROM cases WHERE number IN :numbers"
).bindparams(bindparam("numbers", expanding=True))


class EventController(Controller):
    """The event stream."""

    path = "/api/v1"
    tags = ["events"]

    @get("/events", operation_id="events", media_type="text/event-stream", responses=examples.refusals(401, 422))
    async def events(
        self,
        request: Request[Any, Any, Any],
        after: Annotated[int | None, Parameter(description="Cursor; without it only what comes from now on")] = None,
        last_event_id: Annotated[str | None, Parameter(header="Last-Event-ID")] = None,
    ) -> Stream:
        """`event: change` with `{"seq","type","id","op","at"}`; `event: call` rings at this seat."""
        node, actor = node_of(request), actor_of_request(request)
        cursor = _cursor(after, last_event_id)
        if cursor is None:
            cursor = await node.read(last_seq)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return Stream(_stream(node, actor, cursor), media_type="text/event-stream", headers=headers)


async def _stream(node: Node, actor: Actor, cursor: int) -> AsyncIterator[bytes]:
    listener = node.watcher.listen(actor.account)
    try:
        yield b": cursor %d\n\n" % cursor
        while not node.watcher.ended:
            listener.woken.clear()
            while listener.calls:
                yield b"event: call\ndata: " + msgspec.json.encode(listener.calls.pop(0)) + b"\n\n"
            rows = await node.watcher.rows_after(cursor, lambda after: _page(node, after))
            visible = rows if sees_all(actor) else await _seen(node, actor, rows)
            if rows:
                cursor = rows[-1].seq
                lines = [_event(row) for row in visible]
                yield b"".join(lines) or b"id: %d\nevent: cursor\ndata: {}\n\n" % cursor
                if len(rows) == PAGE:
                    continue
            try:
                await asyncio.wait_for(listener.woken.wait(), HEARTBEAT_SECONDS)
                await asyncio.sleep(0 if node.watcher.ended else GATHER_SECONDS)
            except TimeoutError:
                yield b": still here\n\n"
    finally:
        node.watcher.leave(listener)


async def _page(node: Node, after: int) -> list[FeedRow]:
    return await node.read(lambda connection: changes_after(connection, after, PAGE))


async def _seen(node: Node, actor: Actor, rows: list[FeedRow]) -> list[FeedRow]:
    """Those of the rows that this person may see: cases and what happened to them."""
    numbers = {row.id.split("/")[0] for row in rows if row.type in ("case", "case_action")}
    if not numbers:
        return []

    def work(connection: Connection) -> set[str]:
        found = connection.execute(_CASES, {"numbers": list(numbers)})
        return {row.number for row in found if sees_case(actor, dict(row._mapping))}

    seen = await node.read(work)
    return [row for row in rows if row.type in ("case", "case_action") and row.id.split("/")[0] in seen]


def _event(row: FeedRow) -> bytes:
    data = {"seq": row.seq, "type": row.type, "id": row.id, "op": row.op, "at": rfc3339(row.at)}
    return b"id: %d\nevent: change\ndata: %s\n\n" % (row.seq, msgspec.json.encode(data))


def _cursor(after: int | None, last_event_id: str | None) -> int | None:
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit():
        return int(last_event_id)
    if after is not None and after < 0:
        raise Invalid(
            "after 不能为负。",
            "after must not be negative.",
            fields=(FieldError("after", "不能为负", "must not be negative"),),
        )
    return after
