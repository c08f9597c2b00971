"""The live view: Server-Sent Events from the change feed; the event id is the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from time import monotonic
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get
from litestar.params import Parameter
from litestar.response import Stream
from sqlalchemy import Connection, bindparam, text

from appliance.cases.listing import CURSOR_DIGITS
from appliance.cases.sight import sees_all, sees_case
from appliance.cases.walks import seen_ids
from appliance.clock import rfc3339
from appliance.errors import FieldError, Forbidden, Invalid, NotSignedIn
from appliance.patrols.position import Position
from appliance.people.actor import Actor
from appliance.people.sessions import FRESH_SECONDS
from appliance.records.feed import FeedRow, changes_after, last_seq
from server import examples
from server.node import CURSOR_AT_MOST, Node, actor_of_request, node_of
from server.positions import SEES, told
from server.sign_in import token_actor, token_of

PAGE = 500
HEARTBEAT_SECONDS = 25.0
GATHER_SECONDS = 0.1
"""After a wake so long is waited for more, so that ten seats do not read ten times for every commit."""

KNOWN_AT_MOST = 10_000
"""Cases that a stream remembers to have told of; the oldest are forgotten first."""

CASE_TYPES = ("case", "case_action")
_NUMBERS = text("SELECT number FROM cases WHERE id IN :ids ORDER BY id").bindparams(bindparam("ids", expanding=True))
_CASES = text(
    "SELECT number, department, sub_unit, collector, registered_by, duty_grid FROM cases WHERE number IN :numbers"
).bindparams(bindparam("numbers", expanding=True))


class EventController(Controller):
    """The event stream."""

    path = "/api/v1"
    tags = ["events"]

    @get("/events", operation_id="events", media_type="text/event-stream", responses=examples.refusals(401, 403, 422))
    async def events(
        self,
        request: Request[Any, Any, Any],
        after: Annotated[
            int | None,
            Parameter(ge=0, le=CURSOR_AT_MOST, description="Cursor; without it only what comes from now on"),
        ] = None,
        last_event_id: Annotated[str | None, Parameter(header="Last-Event-ID")] = None,
        vehicles: Annotated[bool, Parameter(description="Also positions of devices, as they move")] = False,
    ) -> Stream:
        """`event: change` with `{"seq","type","id","op","at"}`; `call` rings at this seat, `positions` has vehicles.

        `command` and `message` are for agents: there is something to fetch.
        """
        node, actor = node_of(request), actor_of_request(request)
        token = token_of(request.scope["headers"]) or ""
        cursor = _cursor(after, last_event_id)
        if cursor is None:
            cursor = await node.read(last_seq)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if vehicles and actor.roles.isdisjoint(SEES):
            raise Forbidden(
                "您的角色看不到车辆位置。", "Your role does not see where vehicles are.", needed=sorted(SEES)
            )
        return Stream(_stream(node, actor, token, cursor, vehicles), media_type="text/event-stream", headers=headers)


async def _stream(node: Node, actor: Actor, token: str, cursor: int, vehicles: bool) -> AsyncIterator[bytes]:
    """The lines of one stream; it ends when the node or the session does."""
    listener = node.watcher.listen(actor.account, actor.roles, vehicles=vehicles)
    told_at = monotonic()
    try:
        known = Known(
            () if sees_all(actor) else await node.read(lambda connection: _first_known(connection, node, actor))
        )
        yield b": cursor %d\n\n" % cursor
        while not node.watcher.ended:
            listener.woken.clear()
            try:
                actor = await token_actor(node, token)
            except NotSignedIn:
                return
            while listener.news:
                name, told_now = listener.news.pop(0)
                yield b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(told_now))
            if listener.vehicles and not actor.roles.isdisjoint(SEES):
                yield _moved(node, listener.vehicles)
            rows = await node.watcher.rows_after(cursor, lambda after: _page(node, after))
            visible = rows if sees_all(actor) else await _seen(node, actor, rows, known)
            if rows:
                cursor = rows[-1].seq
                lines = [_event(row) for row in visible]
                yield b"".join(lines) or b"id: %d\nevent: cursor\ndata: {}\n\n" % cursor
                if len(rows) == PAGE:
                    continue
            try:
                await asyncio.wait_for(listener.woken.wait(), FRESH_SECONDS)
                await asyncio.sleep(0 if node.watcher.ended else GATHER_SECONDS)
            except TimeoutError:
                if monotonic() - told_at >= HEARTBEAT_SECONDS:
                    told_at = monotonic()
                    yield b": still here\n\n"
    finally:
        node.watcher.leave(listener)


async def _page(node: Node, after: int) -> list[FeedRow]:
    return await node.read(lambda connection: changes_after(connection, after, PAGE))


class Known:
    """The cases whose reader knows of them: the next change is told even when it takes the case out of sight."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self._numbers = dict.fromkeys(numbers)

    def told(self, visible: set[str], touched: set[str]) -> set[str]:
        """Of the touched cases those to tell of: the visible ones, and for a last time the ones that went away."""
        lost = {number for number in touched - visible if number in self._numbers}
        for number in lost:
            del self._numbers[number]
        for number in visible:
            self._numbers.pop(number, None)
            self._numbers[number] = None
        for number in list(islice(self._numbers, max(len(self._numbers) - KNOWN_AT_MOST, 0))):
            del self._numbers[number]
        return visible | lost


def _first_known(connection: Connection, node: Node, actor: Actor) -> list[str]:
    """What stands in this person's lists when the stream begins."""
    ids = seen_ids(connection, actor, node.office.workflow.open_states)[:KNOWN_AT_MOST]
    return list(connection.execute(_NUMBERS, {"ids": ids}).scalars()) if ids else []


async def _seen(node: Node, actor: Actor, rows: list[FeedRow], known: Known) -> list[FeedRow]:
    """Those of the rows to tell this person of: visible cases and what happened to them, and cases that went away."""
    numbers = {row.id.split("/")[0] for row in rows if row.type in CASE_TYPES}
    if not numbers:
        return []

    def work(connection: Connection) -> set[str]:
        found = connection.execute(_CASES, {"numbers": list(numbers)})
        return {row.number for row in found if sees_case(actor, dict(row._mapping))}

    told = known.told(await node.read(work), numbers)
    return [row for row in rows if row.type in CASE_TYPES and row.id.split("/")[0] in told]


def _moved(node: Node, vehicles: dict[str, Position]) -> bytes:
    """Where the vehicles are that moved since the last time."""
    now = node.office.records.clock.now()
    items = [told(position, None, now) for position in vehicles.values()]
    vehicles.clear()
    return b"event: positions\ndata: %s\n\n" % msgspec.json.encode({"items": items})


def _event(row: FeedRow) -> bytes:
    data = {"seq": row.seq, "type": row.type, "id": row.id, "op": row.op, "at": rfc3339(row.at)}
    return b"id: %d\nevent: change\ndata: %s\n\n" % (row.seq, msgspec.json.encode(data))


def _cursor(after: int | None, last_event_id: str | None) -> int | None:
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit():
        if len(last_event_id) > CURSOR_DIGITS:
            raise Invalid(
                "Last-Event-ID 不是本节点给出的位置。",
                "Last-Event-ID is no cursor of this node.",
                fields=(FieldError("Last-Event-ID", "无效", "not valid"),),
            )
        return int(last_event_id)
    return after
