"""Scores: any period by any pack in force, the cases behind a figure, trends, closing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Controller, Request, Response, get, post
from litestar.params import Parameter
from sqlalchemy import Connection, text

from appliance.clock import local, rfc3339
from appliance.scoring import store
from appliance.scoring.countable import countables
from appliance.scoring.evaluated import Evaluated, pack_among
from appliance.scoring.evaluation import Evaluation, check_scope
from appliance.scoring.figures import facts_of, indicator_told
from appliance.scoring.jobs import in_a_process
from appliance.scoring.periods import KINDS, Period, name_of, neighbours
from appliance.scoring.sight import OPEN_SCOPES, require_cases, require_span, seen
from server import answers, examples, score_answers
from server.node import Node, actor_of_request, node_of
from server.paging import PAGE, Limit, sent
from server.sign_in import require, require_person

Name = Annotated[str, Parameter(max_length=40, description="2026-10-08, 2026-W41, 2026-10, 2026-Q4, 2026, from..to")]
Whose = Annotated[
    str, Parameter(query="scope", max_length=20, description="department, region, collector … ; all where left out")
]
PackId = Annotated[str | None, Parameter(max_length=80, description="A pack's id; the county's own where left out")]
NUMBERS_AT_MOST = 1000
_PERIODS = text(
    "SELECT * FROM score_period WHERE kind = :kind OR :kind = '' ORDER BY starts_at DESC, kind LIMIT :limit"
)


class ScoreController(Controller):
    """Evaluation by the indicators."""

    path = "/api/v1/scores"
    tags = ["scores"]
    guards = [require_person()]

    @get(operation_id="scores", responses={**answers.shows(score_answers.Scores), **examples.refusals(401, 422)})
    async def scores(
        self, request: Request[Any, Any, Any], period: Name = "", whose: Whose = "", pack: PackId = None
    ) -> Response[bytes]:
        """Everybody's figures, scores and places; staff see their own row, the office sees all."""
        node, actor = node_of(request), actor_of_request(request)
        if whose:
            check_scope(whose)
        asked = period_of_request(node, period)
        require_span(actor, asked)
        await _require_pack(node, asked, pack)
        evaluated = await evaluated_of(node, asked)
        chosen = evaluated.pack(pack)
        document = evaluated.document(chosen, whose or None)
        for name, rows in (document.get("scopes") or {whose: document.get("rows", [])}).items():
            own = {row.subject for row in seen(actor, name, evaluated.scored(chosen, name))} if name else set()
            rows[:] = [row for row in rows if row["id"] in own]
        return sent(document | _around(node, asked))

    @get(
        "/cases", operation_id="score_cases",
        responses={**answers.shows(score_answers.FigureCases), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def cases(
        self,
        request: Request[Any, Any, Any],
        whose: Whose,
        code: Annotated[str, Parameter(max_length=60, description="An indicator, or a fact")],
        subject: Annotated[str, Parameter(max_length=80, description="Left out for the platform")] = "",
        period: Name = "",
        pack: PackId = None,
        start: Annotated[int, Parameter(ge=0, le=10_000_000)] = 0,
    ) -> Response[bytes]:
        """The cases behind a figure, by the facts it is made of; up to 1000 numbers of each, from `start` on."""
        node = node_of(request)
        check_scope(whose)
        require_cases(actor_of_request(request), whose, subject)
        asked = period_of_request(node, period)
        require_span(actor_of_request(request), asked)
        await _require_pack(node, asked, pack)
        facts = facts_of((await evaluated_of(node, asked)).pack(pack), whose, code)
        found = await node.read(
            lambda connection: Evaluation(node.office.records).cases_behind(
                connection, asked, whose, subject, facts, fresh_after=0
            )
        )
        told = [
            {
                "fact": fact, "name": countables()[whose][fact].chinese, "english": countables()[whose][fact].english,
                "cases": len(numbers), "numbers": numbers[start : start + NUMBERS_AT_MOST],
            }
            for fact, numbers in found.items()
        ]  # fmt: skip
        return sent({"period": asked.name, "scope": whose, "subject": subject, "code": code, "facts": told})

    @get(
        "/trend", operation_id="score_trend",
        responses={**answers.shows(score_answers.Trend), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def trend(
        self,
        request: Request[Any, Any, Any],
        whose: Whose,
        subject: Annotated[str, Parameter(max_length=80)] = "",
        kind: Literal["day", "week", "month", "quarter", "year"] = "month",
        pack: PackId = None,
        limit: Limit = 12,
    ) -> Response[bytes]:
        """Closed periods of one subject, newest first."""
        node = node_of(request)
        check_scope(whose)
        if whose not in OPEN_SCOPES:
            require_cases(actor_of_request(request), whose, subject)
        items = await node.read(
            lambda connection: store.score_history(connection, whose, subject, pack or "", kind, limit)
        )
        return sent({"scope": whose, "subject": subject, "items": items})

    @get(
        "/packs", operation_id="score_packs", responses={**answers.shows(score_answers.Packs), **examples.refusals(401)}
    )
    async def packs(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The packs in force with every indicator, its formula and source, and the grades."""
        node = node_of(request)
        items = [
            {
                "id": pack.id, "sha256": pack.sha256,
                "indicators": [indicator_told(each) for own in pack.indicators.values() for each in own.values()],
                "grades": [
                    {"code": grade.code, "name": grade.chinese, "english": grade.english, "bound": grade.bound,
                     "colour": grade.colour}
                    for grade in pack.grades
                ],
            }
            for pack in Evaluation(node.office.records).packs()
        ]  # fmt: skip
        return sent({"items": items})

    @get(
        "/periods", operation_id="score_periods",
        responses={**answers.shows(score_answers.Periods), **examples.refusals(401)},
    )  # fmt: skip
    async def periods(
        self,
        request: Request[Any, Any, Any],
        kind: Annotated[str, Parameter(max_length=10, description="One kind only; all where left out")] = "",
        limit: Limit = PAGE,
    ) -> Response[bytes]:
        """The periods that were counted, newest first; those with `closed_at` are frozen."""
        rows = await node_of(request).read(
            lambda connection: connection.execute(_PERIODS, {"kind": kind, "limit": limit}).all()
        )
        return sent({"items": [_period_told(row) for row in rows]})

    @post(
        "/periods/{name:str}/close", operation_id="close_period", status_code=200,
        guards=[require("assessor", "admin", "technician")],
        responses={**answers.shows(score_answers.PeriodOut), **examples.refusals(401, 403, 409, 422)},
    )  # fmt: skip
    async def close(self, request: Request[Any, Any, Any], name: str) -> Response[bytes]:
        """Close a period that is over; it is never counted again."""
        node, actor = node_of(request), actor_of_request(request)
        records = node.office.records
        await node.read(lambda connection: Evaluation(records).closable(connection, name))
        await node.thread(lambda: in_a_process(records.home, records.clock.now(), "close-as", actor.account, name))
        row = await node.read(lambda connection: store.read_period(connection, name))
        return sent(_period_told(row))


def period_of_request(node: Node, written: str) -> Period:
    """The period asked for; the running month where none is named."""
    office = node.office
    return Evaluation(office.records).period(
        written or f"{local(office.records.clock.now(), office.settings.zone):%Y-%m}"
    )


async def _require_pack(node: Node, period: Period, id_: str | None) -> None:
    """Refuse a pack that does not count for a period, before anything is counted."""
    if id_ is not None:
        evaluation = Evaluation(node.office.records)
        pack_among(await node.read(lambda connection: evaluation.packs_of(connection, period)), period, id_)


def _around(node: Node, period: Period) -> dict[str, Any]:
    """The periods that a reader may want next: before, after, and the running ones."""
    zone, now = node.office.settings.zone, node.office.records.clock.now()
    previous, following = neighbours(period, zone, now)
    today = local(now, zone).date()
    return {"previous": previous, "next": following, "running": {kind: name_of(kind, today) for kind in KINDS[:-1]}}


async def evaluated_of(node: Node, period: Period) -> Evaluated:
    """A period from the tables, counted before where it was not counted lately."""
    evaluation, count = Evaluation(node.office.records), node.score_count
    if not await node.read(lambda connection: count.is_fresh(connection, period)):
        await count.count(period.name)

    def read(connection: Connection) -> Evaluated:
        return evaluation.evaluate(connection, period, fresh_after=0)

    return await node.read(read)


def _period_told(row: Any) -> dict[str, Any]:
    return {
        "name": row.name, "kind": row.kind, "as_of": rfc3339(row.as_of), "counted_at": rfc3339(row.counted_at),
        "closed_at": rfc3339(row.closed_at), "closed_by": row.closed_by, "left_out": row.left_out,
    }  # fmt: skip
