"""Monthly returns: what was handed in, the draft of a month, handing it in."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from appliance.papers import filing
from appliance.papers.files import FORMATS
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.periods import month_of
from appliance.scoring.return_files import XLSX
from server import answers, examples, paper_answers
from server.node import JSON, actor_of_request, node_of
from server.paging import PAGE, Limit, page, sent
from server.scores import evaluated_of
from server.sign_in import require

READERS = ("shift_leader", "dispatcher", "leader", "assessor", "admin", "technician")
MEDIA = {JSON: "json", "text/csv": "csv", XLSX: "xlsx"}
LAST = "9999-99"
Accept = Annotated[str, Parameter(header="Accept")]


class ReturnController(Controller):
    """The return due to the prefecture by the 10th."""

    path = "/api/v1/returns"
    tags = ["papers"]
    guards = [require(*READERS)]

    @get(operation_id="returns", responses={**answers.shows(paper_answers.Filings), **examples.refusals(401, 403, 422)})
    async def all(
        self,
        request: Request[Any, Any, Any],
        before: Annotated[str, Parameter(max_length=7, description="`next` of the page before")] = LAST,
        limit: Limit = PAGE,
    ) -> Response[bytes]:
        """The newest filing of each month that was handed in."""
        rows = await node_of(request).read(
            lambda connection: filing.filings_page(connection, before=before, limit=limit + 1)
        )
        return sent(page(rows, limit, lambda row: row["period"]))

    @get(
        "/{month:str}", operation_id="monthly_return",
        responses={
            200: ResponseSpec(paper_answers.ReturnOut, description="The return", generate_examples=False),
            **examples.refusals(401, 403, 422),
        },
    )  # fmt: skip
    async def one(
        self, request: Request[Any, Any, Any], month: str, draft: bool = False, accept: Accept = ""
    ) -> Response[bytes]:
        """The newest return that was handed in, else the draft; JSON, CSV or XLSX by `Accept` with the same cells."""
        node = node_of(request)
        records = node.office.records
        period = month_of(month, node.office.settings.zone, records.clock.now())
        evaluated = await evaluated_of(node, period)
        document = await node.read(
            lambda connection: filing.filed_or_draft(connection, Evaluation(records), evaluated, draft=draft)
        )
        media = paper_answers.wanted(accept, MEDIA)
        body = await node.thread(lambda: FORMATS[MEDIA[media]](document))
        headers = {"Vary": "Accept", "Cache-Control": "no-store"}
        if media != JSON:
            name = f"{document['county']}-{month}.{MEDIA[media]}"
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return Response(body, media_type=media, headers=headers)

    @post(
        "/{month:str}/submit", operation_id="submit_return", status_code=200,
        guards=[require(*sorted(filing.SIGNERS))],
        responses={**answers.shows(paper_answers.FilingOut), **examples.refusals(401, 403, 409, 422)},
    )  # fmt: skip
    async def submit(self, request: Request[Any, Any, Any], month: str) -> Response[bytes]:
        """Sign the return of a closed month and hand it in; again only when its content has changed."""
        node, actor = node_of(request), actor_of_request(request)
        evaluation = Evaluation(node.office.records)
        return sent(await node.office.records.write_async(lambda unit: filing.submit(unit, evaluation, actor, month)))
