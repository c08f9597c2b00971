"""Telephone calls: the telephone system rings at a seat, the seat's console opens the caller; what became of each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import Body, Parameter

from appliance.cases import calls
from appliance.cases.sight import SEES_REPORTER
from server import answers, examples
from server.node import actor_of_request, node_of
from server.paging import PAGE, After, Key, Limit, before_of, page, sent
from server.sign_in import require


class CallBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who calls, and at which seat (an account)."""

    number: Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9*#-]{3,24}$")]
    seat: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    recording: str | None = None


class AnsweredBody(msgspec.Struct, forbid_unknown_fields=True):
    """The case that came of a call, if one did."""

    case: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class CallRow(msgspec.Struct, kw_only=True):
    """A call; `case` is the number of the case that was registered from it."""

    id: int
    number: str
    seat: str
    seat_name: str | None
    recording: str | None
    at: datetime
    answered_at: datetime | None
    answered_by: str | None
    case: str | None


class CallOut(CallRow):
    """A call that rang; `heard` counts the consoles that were told."""

    heard: int = 0


class Calls(msgspec.Struct):
    """A page of calls, newest first."""

    items: list[CallRow]
    next: str | None


class CallController(Controller):
    """Calls."""

    path = "/api/v1/calls"
    tags = ["calls"]

    @post(
        operation_id="ring", guards=[require("device", "acceptor", "shift_leader", "admin")],
        responses={**answers.shows(CallOut, 201), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def ring(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[CallBody, Body(examples=examples.body_example(examples.CALL))],
    ) -> Response[bytes]:
        """Open the caller on a seat."""
        node = node_of(request)
        call = calls.told(
            await node.office.records.write_async(
                lambda unit: calls.ring(unit, node.office, data.number, data.seat, data.recording)
            )
        )
        heard = {name: call[name] for name in ("id", "number", "seat", "recording", "at")}
        return sent({**call, "heard": node.watcher.ring(data.seat, heard)}, 201)

    @get(
        operation_id="calls", guards=[require(*SEES_REPORTER)],
        responses={**answers.shows(Calls), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def all(
        self,
        request: Request[Any, Any, Any],
        seat: str | None = None,
        shift: Annotated[After, Parameter(description="Only those at the seat of this shift, while it ran")] = None,
        unanswered: bool = False,
        after: After = None,
        limit: Limit = PAGE,
    ) -> Response[bytes]:
        """The calls that are still kept, newest first."""
        rows = await node_of(request).read(
            lambda connection: calls.calls_page(
                connection, before=before_of(after), limit=limit + 1, seat=seat, shift_id=shift, unanswered=unanswered
            )
        )
        return sent(page([calls.told(row) for row in rows], limit, lambda row: row["id"]))

    @get("/last", operation_id="last_call", responses={**answers.shows(CallRow), **examples.refusals(401, 404)})
    async def last(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The newest call at one's own seat."""
        actor = actor_of_request(request)
        found = await node_of(request).read(lambda connection: calls.last_call(connection, actor.account))
        return sent(calls.told(found))

    @post(
        "/{call_id:int}/answered", status_code=200, operation_id="answer_call",
        guards=[require("device", *sorted(SEES_REPORTER))],
        responses={**answers.shows(CallRow), **examples.refusals(401, 403, 404, 409, 422)},
    )  # fmt: skip
    async def answered(
        self,
        request: Request[Any, Any, Any],
        call_id: Key,
        data: Annotated[AnsweredBody, Body(examples=examples.body_example({"case": "4110812026100800001"}))],
    ) -> Response[bytes]:
        """Note that a call was answered, and which case came of it; one registered for the caller is linked anyway."""
        node, actor = node_of(request), actor_of_request(request)
        call = await node.office.records.write_async(lambda unit: calls.answer(unit, actor, call_id, data.case))
        return sent(calls.told(call))
