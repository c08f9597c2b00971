"""Campaigns 专项普查 over HTTP: made and given targets by the office, answered from the field, read as table or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.response import Stream

from appliance.campaigns import answering, making, results
from appliance.campaigns.forms import FormField
from appliance.campaigns.sight import OFFICE
from appliance.moments import micros_of_field
from server import answers, campaign_answers, examples
from server.node import actor_of_request, node_of
from server.paging import PAGE, After, Limit, page, sent
from server.sign_in import require, require_person

MAKERS = ("assessor", "shift_leader", "leader", "admin")
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Code = Annotated[str, msgspec.Meta(max_length=60)]


class CampaignBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new campaign."""

    code: Code
    name: Text
    kind: Code
    about: Code
    form: list[FormField]
    starts_at: datetime
    ends_at: datetime
    note: Text = ""


class OwnBody(msgspec.Struct, forbid_unknown_fields=True):
    """An object of a campaign's own list."""

    subject: Code
    name: Text
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    department: Code | None = None


class TargetsBody(msgspec.Struct, forbid_unknown_fields=True):
    """Targets: all grids or parts whose codes begin so, or a list."""

    area: Code = ""
    type: Code = ""
    targets: Annotated[list[OwnBody], msgspec.Meta(max_length=20_000)] = []


class AssignBody(msgspec.Struct, forbid_unknown_fields=True):
    """Targets for a collector."""

    collector: Code
    subjects: Annotated[list[Code], msgspec.Meta(min_length=1, max_length=5000)]


class AnswerBody(msgspec.Struct, forbid_unknown_fields=True):
    """A filled form; `photos` name uploaded files by photo field."""

    subject: Code
    filled: dict[str, Any] = {}
    photos: dict[str, Code | Text] = {}
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    number: Code | None = None


class CampaignController(Controller):
    """Campaigns."""

    path = "/api/v1/campaigns"
    tags = ["campaigns"]
    guards = [require_person()]

    @get(operation_id="campaigns", responses={**answers.shows(campaign_answers.Campaigns), **examples.refusals(401)})
    async def all(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Every campaign, newest first, with its form and how far it is."""
        return sent({"items": await node_of(request).read(results.campaigns)})

    @post(
        operation_id="make_campaign", status_code=201, guards=[require(*MAKERS)],
        responses={**answers.shows(campaign_answers.Number, 201), **examples.refusals(401, 403, 409, 422)},
    )  # fmt: skip
    async def make(self, request: Request[Any, Any, Any], data: CampaignBody) -> Response[bytes]:
        """Make a campaign over unit grids, parts or a list of its own; it has no target yet."""
        node, actor = node_of(request), actor_of_request(request)
        new = making.NewCampaign(
            data.code, data.name, data.kind, data.about, data.form, micros_of_field("starts_at", data.starts_at),
            micros_of_field("ends_at", data.ends_at), data.note,
        )  # fmt: skip
        await node.office.records.write_async(lambda unit: making.make(unit, actor, new))
        return sent({"targets": 0}, 201)

    @post(
        "/{code:str}/targets", operation_id="add_targets", status_code=200, guards=[require(*MAKERS)],
        responses={**answers.shows(campaign_answers.Number), **examples.refusals(401, 403, 404, 409, 422)},
    )  # fmt: skip
    async def add(self, request: Request[Any, Any, Any], code: str, data: TargetsBody) -> Response[bytes]:
        """Give it targets, each to the collector of its duty grid; those it has stay as they are."""
        node, actor = node_of(request), actor_of_request(request)
        own = [making.Own(each.subject, each.name, each.lon, each.lat, each.department) for each in data.targets]
        number = await node.office.records.write_async(
            lambda unit: making.add_targets(unit, actor, code, area=data.area, type_=data.type, own=own)
        )
        return sent({"targets": number})

    @post(
        "/{code:str}/assign", operation_id="assign_targets", status_code=200, guards=[require(*MAKERS)],
        responses={**answers.shows(campaign_answers.Number), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def assign(self, request: Request[Any, Any, Any], code: str, data: AssignBody) -> Response[bytes]:
        """Give some of its targets to a collector."""
        node, actor = node_of(request), actor_of_request(request)
        number = await node.office.records.write_async(
            lambda unit: making.assign(unit, actor, code, data.collector, data.subjects)
        )
        return sent({"targets": number})

    @post(
        "/{code:str}/end", operation_id="end_campaign", status_code=200, guards=[require(*MAKERS)],
        responses={**answers.shows(campaign_answers.Progress), **examples.refusals(401, 403, 404, 409)},
    )  # fmt: skip
    async def end(self, request: Request[Any, Any, Any], code: str) -> Response[bytes]:
        """End it before its time; what was answered stays."""
        node, actor = node_of(request), actor_of_request(request)
        await node.office.records.write_async(lambda unit: making.end(unit, actor, code))
        return sent({"campaign": code, **await node.read(lambda connection: results.progress(connection, actor, code))})

    @post(
        "/{code:str}/answers", operation_id="answer_campaign", status_code=201,
        guards=[require("collector", *answering.OFFICE)],
        responses={**answers.shows(campaign_answers.AnswerOut, 201), **examples.refusals(401, 403, 404, 409, 422)},
    )  # fmt: skip
    async def answer(self, request: Request[Any, Any, Any], code: str, data: AnswerBody) -> Response[bytes]:
        """Fill the form for a target; again replaces it in the results, the old answer stays in the records."""
        node, actor = node_of(request), actor_of_request(request)
        taken = await node.office.records.write_async(
            lambda unit: answering.answer(
                unit, actor, code, data.subject, data.filled, photos=data.photos, lon=data.lon, lat=data.lat,
                number=data.number,
            )
        )  # fmt: skip
        return sent(taken, 201)

    @get(
        "/{code:str}/progress", operation_id="campaign_progress",
        responses={**answers.shows(campaign_answers.Progress), **examples.refusals(401, 404)},
    )  # fmt: skip
    async def progress(self, request: Request[Any, Any, Any], code: str) -> Response[bytes]:
        """How far it is and its points by street, unit and collector; a unit and a collector see their own targets."""
        node, actor = node_of(request), actor_of_request(request)
        found = await node.read(lambda connection: results.progress(connection, actor, code))
        return sent({"campaign": code, **found})

    @get(
        "/{code:str}/targets", operation_id="campaign_targets",
        responses={**answers.shows(campaign_answers.Targets), **examples.refusals(401, 404, 422)},
    )  # fmt: skip
    async def targets(
        self, request: Request[Any, Any, Any], code: str, after: After = None, limit: Limit = PAGE
    ) -> Response[bytes]:
        """Its targets with their newest answers; a unit sees those of its subtree, a collector the own ones."""
        node, actor = node_of(request), actor_of_request(request)
        rows = await node.read(
            lambda connection: results.targets_page(connection, actor, code, after=after or 0, limit=limit + 1)
        )
        return sent(page(rows, limit, lambda row: row["id"]))

    @get(
        "/{code:str}/results.csv", operation_id="campaign_results", guards=[require(*OFFICE)],
        responses=examples.refusals(401, 403, 404),
    )  # fmt: skip
    async def export(self, request: Request[Any, Any, Any], code: str) -> Stream:
        """The results as CSV: a row a target, a column a field of the form; for the office."""
        node, actor = node_of(request), actor_of_request(request)
        await node.read(lambda connection: making.running(connection, code))

        def lines() -> Iterator[bytes]:
            with node.office.records.read() as connection:
                yield from results.results_csv(connection, actor, code)

        headers = {"Content-Disposition": f'attachment; filename="{code}.csv"'}
        return Stream(lines(), media_type="text/csv; charset=utf-8", headers=headers)


class CampaignTaskController(Controller):
    """What a collector has to look at in campaigns."""

    path = "/api/v1/campaign-tasks"
    tags = ["campaigns"]
    guards = [require("collector")]

    @get(
        operation_id="campaign_tasks",
        responses={**answers.shows(campaign_answers.Tasks), **examples.refusals(401, 403)},
    )
    async def own(self, request: Request[Any, Any, Any], after: After = None, limit: Limit = PAGE) -> Response[bytes]:
        """The own targets without an answer in campaigns that run now."""
        node, actor = node_of(request), actor_of_request(request)
        now = node.office.records.clock.now()
        rows = await node.read(
            lambda connection: answering.tasks(connection, actor.account, now, after=after or 0, limit=limit + 1)
        )
        return sent(page(rows, limit, lambda row: row["id"]))
