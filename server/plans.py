"""Plans for weather and emergencies: started and ended by the office; their classes come first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post

from appliance.campaigns import plans
from server import answers, examples
from server.node import Node, actor_of_request, node_of
from server.paging import sent
from server.sign_in import require, require_person

STARTERS = ("shift_leader", "leader", "admin")


class ReasonBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why it is started."""

    reason: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ClassOut(msgspec.Struct):
    """A class that comes first."""

    kind: str
    code: str
    name: str


class PlanOut(msgspec.Struct):
    """A plan; new cases of its classes carry the flag `plan_NAME` while it runs."""

    plan: str
    name: str
    english: str
    advice: str
    runs: bool
    classes: list[ClassOut]


class PlanRun(msgspec.Struct):
    """When a plan ran."""

    plan: str
    reason: str
    started_by: str
    started_at: datetime
    ended_by: str | None
    ended_at: datetime | None


class Plans(msgspec.Struct):
    """Every plan, and when they ran, newest first."""

    plans: list[PlanOut]
    history: list[PlanRun]


class PlanController(Controller):
    """Plans."""

    path = "/api/v1/plans"
    tags = ["campaigns"]
    guards = [require_person()]

    @get(operation_id="plans", responses={**answers.shows(Plans), **examples.refusals(401)})
    async def all(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Every plan with the classes that it puts first, and which run."""
        return sent(await _standing(node_of(request)))

    @post(
        "/{plan:str}/start", operation_id="start_plan", status_code=200, guards=[require(*STARTERS)],
        responses={**answers.shows(Plans), **examples.refusals(401, 403, 404, 409)},
    )  # fmt: skip
    async def start(self, request: Request[Any, Any, Any], plan: str, data: ReasonBody) -> Response[bytes]:
        """Start a plan: from now on its classes come first."""
        node, actor = node_of(request), actor_of_request(request)
        await node.office.records.write_async(lambda unit: plans.start(unit, actor, plan, data.reason))
        return sent(await _standing(node))

    @post(
        "/{plan:str}/end", operation_id="end_plan", status_code=200, guards=[require(*STARTERS)],
        responses={**answers.shows(Plans), **examples.refusals(401, 403, 404, 409)},
    )  # fmt: skip
    async def end(self, request: Request[Any, Any, Any], plan: str) -> Response[bytes]:
        """End a plan; the flags of its cases stay."""
        node, actor = node_of(request), actor_of_request(request)
        await node.office.records.write_async(lambda unit: plans.end(unit, actor, plan))
        return sent(await _standing(node))


async def _standing(node: Node) -> dict[str, Any]:
    book, edition = node.office.book, node.office.settings.edition
    classes = [each for (own, _, _), each in book.classes.items() if own == edition]
    return await node.read(lambda connection: plans.standing(connection, classes))
