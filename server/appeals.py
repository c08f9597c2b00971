"""Appeals against scores of closed periods."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post

from appliance.scoring import appeals
from appliance.scoring.evaluation import Evaluation
from server import answers, examples, score_answers
from server.node import actor_of_request, node_of
from server.paging import PAGE, After, Key, Limit, page, sent
from server.scores import Name
from server.sign_in import require_person


class AppealBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which case is not to count for whose score, and why."""

    period: Annotated[str, msgspec.Meta(max_length=40)]
    scope: Annotated[str, msgspec.Meta(max_length=20)]
    subject: Annotated[str, msgspec.Meta(max_length=80)]
    number: Annotated[str, msgspec.Meta(max_length=80)]
    reason: str


class DecisionBody(msgspec.Struct, forbid_unknown_fields=True):
    """The decision on an appeal."""

    approve: bool
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class AppealController(Controller):
    """Appeals."""

    path = "/api/v1/appeals"
    tags = ["scores"]
    guards = [require_person()]

    @get(operation_id="appeals", responses={**answers.shows(score_answers.Appeals), **examples.refusals(401)})
    async def all(
        self, request: Request[Any, Any, Any], period: Name = "", waiting: bool = False, after: After = None,
        limit: Limit = PAGE,
    ) -> Response[bytes]:  # fmt: skip
        """Appeals, oldest first: the office sees all, others those of their own scores."""
        actor = actor_of_request(request)
        rows = await node_of(request).read(
            lambda connection: appeals.page(
                connection, actor, period=period, waiting=waiting, after=after or 0, limit=limit + 1
            )
        )
        return sent(page(rows, limit, lambda row: row["id"]))

    @post(
        operation_id="appeal", status_code=201,
        responses={**answers.shows(score_answers.AppealOut, 201), **examples.refusals(401, 403, 404, 409, 422)},
    )  # fmt: skip
    async def ask(self, request: Request[Any, Any, Any], data: AppealBody) -> Response[bytes]:
        """Appeal against a case in one's own score of a closed period."""
        node, actor = node_of(request), actor_of_request(request)
        id_ = await node.office.records.write_async(
            lambda unit: appeals.ask(unit, actor, data.period, data.scope, data.subject, data.number, data.reason)
        )
        made = await node.read(lambda connection: appeals.find(connection, id_))
        return sent(made, 201)

    @post(
        "/{appeal:int}/decision", operation_id="decide_appeal", status_code=200,
        responses={**answers.shows(score_answers.AppealOut), **examples.refusals(401, 403, 404, 409, 422)},
    )  # fmt: skip
    async def decide(self, request: Request[Any, Any, Any], appeal: Key, data: DecisionBody) -> Response[bytes]:
        """Decide on an appeal; an approved one takes the case off, and the scores get their next revision."""
        node, actor = node_of(request), actor_of_request(request)
        evaluation = Evaluation(node.office.records)
        return sent(
            await node.office.records.write_async(
                lambda unit: appeals.decide(unit, evaluation, actor, appeal, data.approve, data.note)
            )
        )
