"""Cases: report, list, read, history, actions, requests."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Body, Parameter

from appliance.cases import listing
from appliance.cases.actions import act
from appliance.cases.report import report, report_once
from appliance.cases.requests import ask, decide
from appliance.errors import FieldError, Invalid
from appliance.people.actor import Actor
from appliance.records.writer import Unit
from server import examples
from server.cases.schemas import (
    ActionRequest,
    CaseOut,
    CasePage,
    DecisionBody,
    History,
    ReportBody,
    RequestBody,
    moment_ahead,
)
from server.node import CURSOR_AT_MOST, Node, actor_of_request, json_bytes, node_of

IfMatch = Annotated[str | None, Parameter(header="If-Match", description='The version you saw, as in `"3"`')]
CASE = {200: ResponseSpec(CaseOut, description="The case after it", examples=examples.body_example(examples.CASE))}


class CaseController(Controller):
    """Everything about cases."""

    path = "/api/v1/cases"
    tags = ["cases"]

    @post(
        operation_id="report_case",
        responses={
            201: ResponseSpec(CaseOut, description="The new case", examples=examples.body_example(examples.CASE)),
            **examples.refusals(401, 403, 409, 422),
        },
    )
    async def report(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[ReportBody, Body(examples=examples.body_example(examples.REPORT))],
        idempotency_key: Annotated[str | None, Parameter(header="Idempotency-Key", max_length=200)] = None,
    ) -> Response[bytes]:
        """Report a case. The same Idempotency-Key again answers the same case."""
        node, actor, new = node_of(request), actor_of_request(request), data.new_case()

        def work(unit: Unit) -> bytes:
            if idempotency_key is None:
                case = report(unit, node.office, actor, new)
            else:
                digest = hashlib.sha256(msgspec.json.encode(new)).hexdigest()
                case, _ = report_once(unit, node.office, actor, idempotency_key, digest, new)
            return listing.record_of(unit.connection, node.office, actor, case)

        body = await node.office.records.write_async(work)
        return json_bytes(body, 201)

    @get(
        operation_id="list_cases",
        responses={200: ResponseSpec(CasePage, description="A page"), **examples.refusals(401, 403, 422)},
    )
    async def page(
        self,
        request: Request[Any, Any, Any],
        states: Annotated[
            list[str] | None, Parameter(query="state", description="States; repeat, or separate by commas")
        ] = None,
        overdue: bool = False,
        department: list[str] | None = None,
        code: list[str] | None = None,
        kind: str | None = None,
        bbox: Annotated[str | None, Parameter(description="west,south,east,north in EPSG:4490")] = None,
        text: Annotated[str, Parameter(max_length=100)] = "",
        phone: Annotated[str, Parameter(max_length=20)] = "",
        collector: str | None = None,
        part: str | None = None,
        waiting: Annotated[bool, Parameter(description="Cases with a request that waits for a role of yours")] = False,
        awaiting_callback: Annotated[
            bool, Parameter(description="Checked or closed cases whose reporter was not called back, public ones first")
        ] = False,
        reopened: Annotated[bool, Parameter(description="Cases that were handled anew after closing")] = False,
        supervised: Annotated[bool, Parameter(description="Cases with a supervision that runs")] = False,
        after: str | None = None,
        limit: int = listing.PAGE,
    ) -> Response[bytes]:
        """Cases newest first, in keyset pages. With `bbox` only open cases unless `state` says else."""
        wanted = listing.CaseFilter(
            states=_many(states), overdue=overdue, departments=_many(department), codes=_many(code), kind=kind,
            bbox=None if bbox is None else box(bbox), text=text, phone=phone, collector=collector, part=part,
            waiting=waiting, awaiting_callback=awaiting_callback, reopened=reopened, supervised=supervised, after=after,
            limit=limit,
        )  # fmt: skip
        node, actor = node_of(request), actor_of_request(request)
        page = await node.read(lambda connection: listing.list_cases(connection, node.office, actor, wanted))
        tail = b"null" if page.next is None else b'"' + page.next.encode() + b'"'
        return json_bytes(b'{"items":[' + b",".join(page.items) + b'],"next":' + tail + b"}")

    @get("/{number:str}", operation_id="read_case", responses={**CASE, **examples.refusals(401, 403, 404)})
    async def read(self, request: Request[Any, Any, Any], number: str) -> Response[bytes]:
        """One case."""
        node, actor = node_of(request), actor_of_request(request)
        body = await node.read(lambda connection: listing.find_case(connection, node.office, actor, number))
        return json_bytes(body)

    @get(
        "/{number:str}/history",
        operation_id="case_history",
        responses={200: ResponseSpec(History, description="Rows in order"), **examples.refusals(401, 403, 404)},
    )
    async def history(self, request: Request[Any, Any, Any], number: str) -> Response[bytes]:
        """The history rows of a case in order."""
        node, actor = node_of(request), actor_of_request(request)
        rows = await node.read(lambda connection: listing.history(connection, node.office, actor, number))
        return json_bytes(msgspec.json.encode({"items": rows}))

    @post(
        "/{number:str}/actions/{action:str}",
        status_code=200,
        operation_id="act_on_case",
        responses={**CASE, **examples.refusals(401, 403, 404, 409, 422, 428)},
    )
    async def act(
        self,
        request: Request[Any, Any, Any],
        number: str,
        action: str,
        data: Annotated[ActionRequest, Body(examples=examples.body_example(examples.DISPATCH))],
        if_match: IfMatch = None,
    ) -> Response[bytes]:
        """Take an action of the workflow. `GET /api/v1/actions?state=` says which are possible."""
        node, actor, version = node_of(request), actor_of_request(request), version_of(if_match)
        body = data.body(node.office.records.clock.now())
        return await _written(node, actor, lambda unit: act(unit, node.office, actor, number, action, body, version))

    @post(
        "/{number:str}/requests",
        operation_id="ask_for",
        responses={201: CASE[200], **examples.refusals(401, 403, 404, 409, 422)},
    )
    async def ask(
        self,
        request: Request[Any, Any, Any],
        number: str,
        data: Annotated[RequestBody, Body(examples=examples.body_example(examples.REQUEST))],
    ) -> Response[bytes]:
        """Ask for an extension, a suspension, a return, a void, or appeal."""
        node, actor = node_of(request), actor_of_request(request)
        until = moment_ahead("until", data.until, node.office.records.clock.now())
        return await _written(
            node, actor, lambda unit: ask(unit, node.office, actor, number, data.kind, data.reason, until), 201
        )

    @post(
        "/{number:str}/requests/{request_id:int}/decision",
        status_code=200,
        operation_id="decide_request",
        responses={**CASE, **examples.refusals(401, 403, 404, 409, 422)},
    )
    async def decide(
        self,
        request: Request[Any, Any, Any],
        number: str,
        request_id: Annotated[int, Parameter(ge=0, le=CURSOR_AT_MOST)],
        data: Annotated[DecisionBody, Body(examples=examples.body_example(examples.DECISION))],
    ) -> Response[bytes]:
        """Approve or refuse; approval carries the action out in the same transaction."""
        node, actor = node_of(request), actor_of_request(request)
        return await _written(
            node,
            actor,
            lambda unit: decide(unit, node.office, actor, number, request_id, data.approve, data.note),
        )


def version_of(if_match: str | None) -> int | None:
    """The version in an If-Match header; None when there is none.

    Raises:
        Invalid: not a version.
    """
    if if_match is None:
        return None
    plain = if_match.strip().removeprefix("W/").strip('"')
    if not (plain.isascii() and plain.isdigit()) or len(plain) > listing.CURSOR_DIGITS:
        raise Invalid(
            f'If-Match 须为案件版本,例如 "3",得到 {if_match[:40]}。',
            f'If-Match must be the version of the case, as in "3"; got {if_match[:40]}.',
            fields=(FieldError("If-Match", "不是版本号", "not a version"),),
        )
    return int(plain)


def box(text: str) -> tuple[float, float, float, float]:
    """West, south, east, north of a query parameter.

    Raises:
        Invalid: not four numbers in order.
    """
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (west <= east and south <= north and west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise Invalid(
            f"bbox 须为 西,南,东,北 四个经纬度,得到 {text}。",
            f"bbox must be west,south,east,north in degrees; got {text}.",
            fields=(FieldError("bbox", "不是范围", "not a box"),),
        )
    return west, south, east, north


async def _written(node: Node, actor: Actor, work: Any, status: int = 200) -> Response[bytes]:
    """Run a change of a case in the writer and answer with the case."""

    def whole(unit: Unit) -> tuple[bytes, int]:
        case = work(unit)
        return listing.record_of(unit.connection, node.office, actor, case), case["version"]

    body, version = await node.office.records.write_async(whole)
    return json_bytes(body, status, {"ETag": f'"{version}"'})


def _many(values: list[str] | None) -> tuple[str, ...]:
    return tuple(part for value in values or () for part in value.split(",") if part)
