"""The ledger of leaders' instructions: what was instructed, when a reply is due, whether it came."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import Parameter

from appliance.cases.instructions import instructions_page
from server import answers, examples
from server.node import actor_of_request, node_of
from server.paging import PAGE, After, Limit, before_of, sent


class Reply(msgspec.Struct):
    """The first reply to an instruction: a note of the case that names it."""

    seq: int
    actor: str
    actor_name: str
    at: datetime
    note: str | None


class InstructionOut(msgspec.Struct):
    """An instruction; `seq` is its number in the history of its case. A reply names it as `instruction`."""

    id: int
    case: str
    seq: int
    actor: str
    actor_name: str
    at: datetime
    note: str | None
    due_at: datetime | None
    overdue: bool
    name: str
    address: str
    state: str
    department: str | None
    reply: Reply | None


class Instructions(msgspec.Struct):
    """A page of instructions, newest first."""

    items: list[InstructionOut]
    next: str | None


class InstructionController(Controller):
    """Instructions."""

    path = "/api/v1/instructions"
    tags = ["cases"]

    @get(operation_id="instructions", responses={**answers.shows(Instructions), **examples.refusals(401, 422)})
    async def all(
        self,
        request: Request[Any, Any, Any],
        replied: Annotated[bool | None, Parameter(description="Only those with a reply, or only those without")] = None,
        overdue: Annotated[bool, Parameter(description="Only those whose reply is overdue")] = False,
        after: After = None,
        limit: Limit = PAGE,
    ) -> Response[bytes]:
        """Instructions on the cases this account may see, newest first. The reply is the action `note` of the case."""
        node, actor = node_of(request), actor_of_request(request)
        now = node.office.records.clock.now()
        items, following = await node.read(
            lambda connection: instructions_page(
                connection, actor, now, before=before_of(after), limit=limit, replied=replied, overdue=overdue
            )
        )
        return sent({"items": items, "next": None if following is None else str(following)})
