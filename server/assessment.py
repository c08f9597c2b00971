"""Spot checks by lot, the month's settlement, attendance and workload, training: what assessors keep."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import Parameter

from appliance.assessment import sheets, spot_checks, workload
from appliance.assessment.found_cases import FoundClass
from appliance.errors import FieldError, Invalid
from appliance.people import training
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.periods import Period, month_of
from server import answers, examples
from server.node import Node, actor_of_request, node_of
from server.paging import PAGE, After, Key, Limit, page, sent
from server.scores import Name, evaluated_of, period_of_request
from server.sign_in import require

ASSESSORS = ("assessor", "leader", "admin")
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Code = Annotated[str, msgspec.Meta(max_length=80)]


class DrawBody(msgspec.Struct, forbid_unknown_fields=True):
    """What to draw from, and how many."""

    period: Code
    kind: Code
    wanted: int


class ResultBody(msgspec.Struct, forbid_unknown_fields=True):
    """What was found; `deduction` in yuan is charged to a unit or a person.

    A bad finding without `number` becomes a case; `kind` and `code` are its class, needed for what is found in a grid.
    """

    good: bool
    note: Text = ""
    number: Code | None = None
    kind: Code | None = None
    code: Code | None = None
    charged_to: Code | None = None
    deduction: float = 0.0


class TrainingBody(msgspec.Struct, forbid_unknown_fields=True):
    """A course, an exam with its points, or a skill grade."""

    account: Code
    kind: Code
    name: Text
    day: Code
    points: float | None = None
    grade: Code | None = None


class DrawnOut(msgspec.Struct):
    """What was drawn: lowest SHA-256 of `seed|subject` first."""

    id: int
    seed: str
    population: int
    subjects: list[str]


class DrawOut(msgspec.Struct):
    """A draw and how far it is."""

    id: int
    period: str
    kind: str
    seed: str
    population: int
    population_sha256: str
    wanted: int
    drawn_by: str
    drawn_at: datetime
    checked: int
    bad: int
    deduction: float


class Draws(msgspec.Struct):
    """Draws, newest first."""

    items: list[DrawOut]


class SpotCheckOut(msgspec.Struct):
    """A drawn subject and its result; money in yuan."""

    id: int
    draw: int
    subject: str
    good: bool | None
    note: str
    number: str | None
    charged_to: str | None
    deduction: float
    checked_by: str | None
    checked_at: datetime | None


class SpotChecks(msgspec.Struct):
    """The subjects of a draw."""

    items: list[SpotCheckOut]


class SettlementLine(msgspec.Struct):
    """A line of the sheet in yuan: `contractor`, `deposit` a unit's, `charged` somebody without either.

    Without a score there is no share, and nothing is earned or paid: somebody has to decide.
    """

    kind: str
    subject: str
    name: str
    sum: float
    score: float | None
    share: float | None
    earned: float | None
    deduction: float
    paid: float | None


class ContractOut(msgspec.Struct):
    """The contract that a sheet was made by; money in yuan a month."""

    contractor: str
    monthly_fee: float
    deposits: dict[str, float]
    shares: dict[str, float]


class Settlement(msgspec.Struct):
    """The settlement of a month; `closed` whether its scores are frozen, `kept_at` since when the sheet is."""

    period: str
    closed: bool
    kept_at: datetime | None
    contract: ContractOut
    items: list[SettlementLine]


class CollectorWork(msgspec.Struct):
    """A collector's attendance and workload."""

    account: str
    name: str
    days: int
    present: int
    rounds_due: int
    rounds_done: int
    grids_passed: int
    reports: int
    self_handled: int
    verifications: int
    checks: int
    unproven: int


class SeatWork(msgspec.Struct):
    """A seat's shifts and work."""

    account: str
    name: str
    on_roster: int
    shifts: int
    hours: float
    actions: int
    looks: int


class Work(msgspec.Struct):
    """Who worked how much."""

    period: str
    collectors: list[CollectorWork]
    seats: list[SeatWork]


class TrainingOut(msgspec.Struct):
    """A record of training."""

    id: int
    account: str
    person: str
    kind: str
    name: str
    day: str
    points: float | None
    grade: str | None
    entered_by: str
    at: datetime


class Trainings(msgspec.Struct):
    """A page of records."""

    items: list[TrainingOut]
    next: str | None


class EnteredOut(msgspec.Struct):
    """The key of what was entered."""

    id: int


class AssessmentController(Controller):
    """Assessment."""

    path = "/api/v1/assessment"
    tags = ["scores"]

    @get(
        "/spot-checks", operation_id="spot_draws", guards=[require(*ASSESSORS, "shift_leader")],
        responses={**answers.shows(Draws), **examples.refusals(401, 403)},
    )  # fmt: skip
    async def draws(self, request: Request[Any, Any, Any], period: Name = "") -> Response[bytes]:
        """The draws, newest first, with how far they are."""
        return sent({"items": await node_of(request).read(lambda connection: spot_checks.draws(connection, period))})

    @post(
        "/spot-checks", operation_id="draw_spot_checks", status_code=201, guards=[require(*ASSESSORS)],
        responses={**answers.shows(DrawnOut, 201), **examples.refusals(401, 403, 409, 422)},
    )  # fmt: skip
    async def draw(self, request: Request[Any, Any, Any], data: DrawBody) -> Response[bytes]:
        """Draw closed cases of a period, or unit grids, by lot; the seed proves the draw."""
        node, actor = node_of(request), actor_of_request(request)
        asked = period_of_request(node, data.period)
        drawn = await node.office.records.write_async(
            lambda unit: spot_checks.draw(unit, actor, asked, data.kind, data.wanted)
        )
        return sent(drawn, 201)

    @get(
        "/spot-checks/{draw:int}", operation_id="spot_checks", guards=[require(*ASSESSORS, "shift_leader")],
        responses={**answers.shows(SpotChecks), **examples.refusals(401, 403)},
    )  # fmt: skip
    async def checks(self, request: Request[Any, Any, Any], draw: Key) -> Response[bytes]:
        """The subjects of a draw and what was found."""
        return sent({"items": await node_of(request).read(lambda connection: spot_checks.checks(connection, draw))})

    @post(
        "/spot-checks/{check:int}/result", operation_id="spot_result", status_code=200, guards=[require(*ASSESSORS)],
        responses={**answers.shows(SpotCheckOut), **examples.refusals(401, 403, 404, 409, 422)},
    )  # fmt: skip
    async def result(self, request: Request[Any, Any, Any], check: Key, data: ResultBody) -> Response[bytes]:
        """What was found, once; a bad finding that names no case becomes one, and may charge a deduction."""
        node, actor = node_of(request), actor_of_request(request)
        found = _found_class(data)
        told = await node.office.records.write_async(
            lambda unit: spot_checks.result(
                unit, node.office, actor, check, good=data.good, note=data.note, number=data.number, found=found,
                charged_to=data.charged_to, yuan=data.deduction,
            )
        )  # fmt: skip
        return sent(told)

    @get(
        "/settlement", operation_id="settlement", guards=[require(*ASSESSORS)],
        responses={**answers.shows(Settlement), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def settlement(self, request: Request[Any, Any, Any], period: Name = "") -> Response[bytes]:
        """What the contractor's fee and the units' deposits come to; a closed month's sheet never changes."""
        node, account = node_of(request), actor_of_request(request).account
        asked = month_of_request(node, period)
        kept = await node.read(lambda connection: sheets.kept_sheet(connection, asked.name))
        if kept is not None:
            return sent(kept)
        evaluated, evaluation = await evaluated_of(node, asked), Evaluation(node.office.records)
        if evaluated.closed_at is None:
            return sent(await node.read(lambda connection: sheets.sheet_now(connection, evaluation, evaluated)))
        return sent(
            await node.office.records.write_async(lambda unit: sheets.keep_sheet(unit, evaluation, asked.name, account))
        )

    @get(
        "/work", operation_id="work", guards=[require(*ASSESSORS, "shift_leader")],
        responses={**answers.shows(Work), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def work(self, request: Request[Any, Any, Any], period: Name = "") -> Response[bytes]:
        """Attendance and workload of collectors, shifts and work of seats."""
        node = node_of(request)
        evaluated = await evaluated_of(node, period_of_request(node, period))
        settings, named = node.office.settings, evaluated.named["collector"]
        told = await node.read(
            lambda connection: {
                "period": evaluated.period.name,
                "collectors": workload.collectors(connection, evaluated.period, settings, named),
                "seats": workload.seats(connection, evaluated.period, settings),
            }
        )
        return sent(told)

    @get(
        "/training", operation_id="trainings", guards=[require(*ASSESSORS, "shift_leader")],
        responses={**answers.shows(Trainings), **examples.refusals(401, 403)},
    )  # fmt: skip
    async def trainings(
        self, request: Request[Any, Any, Any], after: After = None, limit: Limit = PAGE,
        account: Annotated[str, Parameter(max_length=80, description="One account only")] = "",
    ) -> Response[bytes]:  # fmt: skip
        """Courses, exams and skill grades."""
        rows = await node_of(request).read(
            lambda connection: training.page(connection, account=account, after=after or 0, limit=limit + 1)
        )
        return sent(page(rows, limit, lambda row: row["id"]))

    @post(
        "/training", operation_id="enter_training", status_code=201, guards=[require(*ASSESSORS, "shift_leader")],
        responses={**answers.shows(EnteredOut, 201), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def train(self, request: Request[Any, Any, Any], data: TrainingBody) -> Response[bytes]:
        """Enter a course, an exam or a skill grade."""
        node, actor = node_of(request), actor_of_request(request)
        id_ = await node.office.records.write_async(
            lambda unit: training.enter(
                unit, actor, data.account, data.kind, data.name, data.day, points=data.points, grade=data.grade
            )
        )
        return sent({"id": id_}, 201)


def month_of_request(node: Node, written: str) -> Period:
    """The month asked for; the running one where none is named.

    Raises:
        Invalid: no month.
    """
    if not written:
        return period_of_request(node, "")
    return month_of(written, node.office.settings.zone, node.office.records.clock.now())


def _found_class(data: ResultBody) -> FoundClass | None:
    if data.kind is None and data.code is None:
        return None
    if data.kind is None or data.code is None:
        raise Invalid(
            "类别须同时写明 kind 和 code。", "A class is named by kind and code together.",
            fields=(FieldError("kind" if data.kind is None else "code", "缺少", "missing"),),
        )  # fmt: skip
    return FoundClass(data.kind, data.code)
