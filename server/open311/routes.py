"""Open311 GeoReport v2 at `/open311/v2`, and the same for trying out at `/open311/test/v2`, where nothing is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from sqlalchemy import Connection

from appliance.cases.report import NewCase, report
from appliance.errors import WanmiError
from appliance.people.actor import Actor
from appliance.records.writer import Unit
from server.node import Node, node_of
from server.open311 import posting, requests, services
from server.open311.answer import Open311Error, answer, failure, form_of, single
from server.problems import language_of

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CHANGESET = "2026-11-22T00:00:00Z"


class ErrorOut(msgspec.Struct):
    """One error of the array that a refusal is."""

    code: int
    description: str


def route(name: str, *statuses: int, good: int = 200, shape: Any = list[dict[str, Any]]) -> dict[str, Any]:
    """How a call stands in the OpenAPI document: an operation id for each address, and its responses."""

    def identity(_handler: Any, _method: Any, components: list[Any]) -> str:
        last = str(components[-1])
        words = ["open311", *(["trial"] if "test" in components else []), name]
        return "_".join([*words, last.rpartition(".")[2]] if "." in last else words)

    texts = {400: "A field is missing or wrong", 403: "api_key is missing or not known", 404: "Not there"}
    answers = {status: ResponseSpec(list[ErrorOut], description=texts[status]) for status in statuses}
    found = ResponseSpec(shape, description="As GeoReport v2 says, in JSON or XML")
    return {"operation_id": identity, "responses": {good: found, **answers}}


class TrialOver(Exception):
    """Carries the answer of a trial post out of the unit of work, which is taken back."""

    def __init__(self, case: dict[str, Any]) -> None:
        super().__init__()
        self.case = case


class Open311Controller(Controller):
    """The routes; `trial` posts are checked like real ones and taken back."""

    path = "/open311/v2"
    tags = ["open311"]
    security: ClassVar[list[dict[str, list[str]]]] = [{}]
    trial = False

    @get(["/discovery.json", "/discovery.xml"], **route("discovery", shape=dict[str, Any]))
    async def discovery(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What is offered where."""
        node = node_of(request)
        base = str(request.base_url).rstrip("/")
        endpoints = [
            {
                "specification": SPECIFICATION, "url": f"{base}{path}", "changeset": CHANGESET, "type": kind,
                "formats": ["text/xml", "application/json"],
            }
            for kind, path in (("production", "/open311/v2"), ("test", "/open311/test/v2"))
        ]  # fmt: skip
        row = {
            "changeset": CHANGESET,
            "contact": f"{node.office.settings.name or node.office.settings.county} 12319",
            "key_service": "由县数字城管中心发放 / given out by the county office (wanmi keys add NAME)",
            "endpoints": endpoints,
        }
        return single(form_of(request.url.path), "discovery", row)

    @get(["/services.json", "/services.xml"], **route("services", 404))
    async def services(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The service list."""
        node = node_of(request)
        return await _read(request, "services", "service", lambda _: services.all_services(node.office))

    @get("/services/{name:str}", **route("service", 404, shape=dict[str, Any]))
    async def definition(self, request: Request[Any, Any, Any], name: str) -> Response[bytes]:
        """The attributes of a service."""
        node, form = node_of(request), form_of(name)
        try:
            _jurisdiction(request)
            return single(form, "service_definition", services.definition(node.office, _stem(name)))
        except Open311Error as error:
            return failure(form, error)

    @get(["/requests.json", "/requests.xml"], **route("requests", 400, 404))
    async def requests(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Requests of the last 90 days or 1,000, or as asked."""
        node = node_of(request)
        wanted = {name: value for name, value in request.query_params.items() if value}

        def work(connection: Connection) -> list[dict[str, Any]]:
            if "service_request_id" in wanted:
                numbers = [part.strip() for part in wanted["service_request_id"].split(",") if part.strip()]
                return requests.by_numbers(connection, node.office, numbers)
            return requests.listed(connection, node.office, wanted)

        return await _read(request, "service_requests", "request", work)

    @get("/requests/{name:str}", **route("request", 400, 404))
    async def request_by_id(self, request: Request[Any, Any, Any], name: str) -> Response[bytes]:
        """One request."""
        node = node_of(request)

        def work(connection: Connection) -> list[dict[str, Any]]:
            found = requests.by_numbers(connection, node.office, _stem(name).split(","))
            if not found:
                raise Open311Error(404, f"service_request_id {_stem(name)} was not found")
            return found

        return await _read(request, "service_requests", "request", work, form_of(name))

    @get("/tokens/{name:str}", **route("token", 404))
    async def token(self, request: Request[Any, Any, Any], name: str) -> Response[bytes]:
        """The request id of a token (the query code)."""

        def work(connection: Connection) -> list[dict[str, Any]]:
            return [{"service_request_id": requests.by_token(connection, _stem(name)), "token": _stem(name)}]

        return await _read(request, "service_requests", "request", work, form_of(name))

    @get(["/servicerequestupdates.json", "/servicerequestupdates.xml"], **route("updates", 400))
    async def updates(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What happened to public requests in a period."""
        node, query = node_of(request), request.query_params

        def work(connection: Connection) -> list[dict[str, Any]]:
            return requests.updates(connection, node.office, query.get("start_date"), query.get("end_date"))

        return await _read(request, "service_request_updates", "request_update", work)

    @post(["/requests.json", "/requests.xml"], **route("new_request", 400, 403, 404, good=201))
    async def new_request(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """A new request from a form post."""
        node, form = node_of(request), form_of(request.url.path)
        values = posting.form_values(await request.body(), request.url.query or "")
        try:
            _jurisdiction(request, values.get("jurisdiction_id"))
            actor, new = await node.read(lambda connection: _prepared(connection, node, values))
            case = await node.office.records.write_async(lambda unit: self._report(unit, node, actor, new))
        except TrialOver as over:
            case = over.case
        except Open311Error as error:
            return failure(form, error)
        except WanmiError as error:
            return failure(form, Open311Error(400, error.sentence(language_of(request))))
        row = {
            "service_request_id": case["number"],
            "service_notice": f"查询码 {case['query_code']}" if case["query_code"] else "",
            "account_id": values.get("account_id", ""),
        }
        return answer(form, "service_requests", "request", [row], 201)

    def _report(self, unit: Unit, node: Node, actor: Actor, new: NewCase) -> dict[str, Any]:
        case = report(unit, node.office, actor, new)
        if self.trial:
            raise TrialOver(case)
        return case


class Open311TrialController(Open311Controller):
    """For trying out: posts are checked and answered, and nothing is kept."""

    path = "/open311/test/v2"
    trial = True


ROUTES = [Open311Controller, Open311TrialController]


def _prepared(connection: Connection, node: Node, values: dict[str, str]) -> tuple[Actor, NewCase]:
    actor, source = posting.key_holder(connection, values)
    return actor, posting.new_case(connection, node.office, values, source)


async def _read(
    request: Request[Any, Any, Any],
    root: str,
    item: str,
    work: Callable[[Connection], list[dict[str, Any]]],
    form: str | None = None,
) -> Response[bytes]:
    form = form or form_of(request.url.path)
    node = node_of(request)
    try:
        node.public_rate.take(request.client.host if request.client else "")
        _jurisdiction(request)
        return answer(form, root, item, await node.read(work))
    except Open311Error as error:
        return failure(form, error)
    except WanmiError as error:
        return failure(
            form, Open311Error(429 if error.kind == "too-many" else 400, error.sentence(language_of(request)))
        )


def _jurisdiction(request: Request[Any, Any, Any], given: str | None = None) -> None:
    wanted = given or request.query_params.get("jurisdiction_id")
    county = node_of(request).office.settings.county
    if wanted and wanted != county:
        raise Open311Error(404, f"jurisdiction_id {wanted} is not served here; this is {county}")


def _stem(name: str) -> str:
    return name.removesuffix(".json").removesuffix(".xml")
