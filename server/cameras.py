"""The video seat: the round through the cameras, each look logged, coverage of a period."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import Body, Parameter

from appliance.clock import rfc3339
from appliance.errors import FieldError, Invalid
from appliance.patrols import looks
from appliance.people.shifts import DESK_ROLES
from server import answers, examples
from server.cases.schemas import moment_of
from server.node import actor_of_request, node_of
from server.paging import PAGE, After, Limit, before_of, page, sent
from server.shifts import READERS
from server.sign_in import require

CAMERAS_AT_MOST = 50
"""A month of looks at so many cameras is what one page of coverage may read."""
CoverageLimit = Annotated[int, Parameter(ge=1, le=CAMERAS_AT_MOST)]
AfterCode = Annotated[str, Parameter(max_length=100, description="`next` of the page before")]


class LookBody(msgspec.Struct, forbid_unknown_fields=True):
    """What was seen; `case` is the number of the case that was registered from it."""

    found: Literal["nothing", "problem"]
    note: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    case: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class CameraOut(msgspec.Struct):
    """A camera; `round` is its street class in the table of rounds, `minutes` pass between two looks."""

    code: str
    name: str
    street_class: str | None
    url: str | None
    lon: float
    lat: float
    round: str
    minutes: float
    looked_at: datetime | None
    due_at: datetime | None


class Cameras(msgspec.Struct):
    """A page of cameras by code."""

    items: list[CameraOut]
    next: str | None


class RoundOut(msgspec.Struct):
    """The cameras to look through, the longest waiting first; how many there are, are due, were never seen."""

    at: datetime
    cameras: int
    due: int
    never: int
    items: list[CameraOut]


class LookOut(msgspec.Struct):
    """A look."""

    id: int
    camera: str
    account: str
    name: str
    at: datetime
    found: str
    note: str
    case: str | None


class Looks(msgspec.Struct):
    """A page of looks, newest first."""

    items: list[LookOut]
    next: str | None


class Gap(msgspec.Struct, rename={"from_": "from"}):
    """A stretch that no look covers."""

    from_: datetime
    to: datetime


class CoverageOut(msgspec.Struct):
    """A camera's looks in a period: how many, how many were due, the covered share, the first gaps."""

    code: str
    name: str
    round: str
    minutes: float
    looks: int
    due: int
    covered: float
    gaps: list[Gap]
    more_gaps: int
    longest_minutes: int


class CoveragePage(msgspec.Struct):
    """A page of coverage by camera."""

    items: list[CoverageOut]
    next: str | None


class CameraController(Controller):
    """Cameras."""

    path = "/api/v1/cameras"
    tags = ["video"]

    @get(
        operation_id="cameras", guards=[require(*DESK_ROLES)],
        responses={**answers.shows(Cameras), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def all(self, request: Request[Any, Any, Any], after: AfterCode = "", limit: Limit = PAGE) -> Response[bytes]:
        """All cameras by code, with their last look."""
        node = node_of(request)
        rows = await node.read(
            lambda connection: looks.cameras_page(connection, node.office, after=after, limit=limit + 1)
        )
        return sent(page([looks.told(row) for row in rows], limit, lambda row: row["code"]))

    @get(
        "/round", operation_id="camera_round", guards=[require(*DESK_ROLES)],
        responses={**answers.shows(RoundOut), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def round(
        self,
        request: Request[Any, Any, Any],
        street_class: str | None = None,
        everything: Annotated[bool, Parameter(query="all", description="Also those whose time has not come")] = False,
        limit: Limit = PAGE,
    ) -> Response[bytes]:
        """The cameras to look through now: never looked through first, then the longest overdue."""
        node = node_of(request)
        found = await node.read(
            lambda connection: looks.the_round(
                connection, node.office, street_class=street_class, everything=everything, limit=limit
            )
        )
        return sent(found)

    @post(
        "/{code:str}/looks", operation_id="look_through_camera", guards=[require(*DESK_ROLES)],
        responses={**answers.shows(CameraOut, 201), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def look(
        self,
        request: Request[Any, Any, Any],
        code: str,
        data: Annotated[LookBody, Body(examples=examples.body_example({"found": "nothing"}))],
    ) -> Response[bytes]:
        """Log a look; answers the camera as it is now."""
        node, actor = node_of(request), actor_of_request(request)
        camera = await node.office.records.write_async(
            lambda unit: looks.look(unit, node.office, actor, code, data.found, data.note, data.case)
        )
        return sent(looks.told(camera), 201)

    @get(
        "/{code:str}/looks", operation_id="camera_looks", guards=[require(*DESK_ROLES)],
        responses={**answers.shows(Looks), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def of_camera(
        self, request: Request[Any, Any, Any], code: str, after: After = None, limit: Limit = PAGE
    ) -> Response[bytes]:
        """The looks through one camera, newest first."""
        node = node_of(request)
        rows = await node.read(
            lambda connection: looks.looks_page(connection, node.office, code, before=before_of(after), limit=limit + 1)
        )
        answer = page(rows, limit, lambda row: row["at"])
        answer["items"] = [{**row, "at": rfc3339(row["at"]), "case": row.pop("number")} for row in answer["items"]]
        return sent(answer)

    @get(
        "/coverage", operation_id="camera_coverage", guards=[require(*READERS)],
        responses={**answers.shows(CoveragePage), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def coverage(
        self,
        request: Request[Any, Any, Any],
        first: Annotated[datetime, Parameter(query="from", description="Beginning, with its zone")],
        last: Annotated[datetime, Parameter(query="to", description="End, with its zone")],
        after: AfterCode = "",
        limit: CoverageLimit = CAMERAS_AT_MOST,
    ) -> Response[bytes]:
        """How well looks covered a period, camera by camera: looks, looks due, covered share, gaps."""
        node = node_of(request)
        start, end = _moment("from", first), _moment("to", last)
        rows = await node.read(
            lambda connection: looks.coverage_page(connection, node.office, start, end, after=after, limit=limit + 1)
        )
        return sent(page(rows, limit, lambda row: row["code"]))


def _moment(name: str, value: datetime) -> int:
    found = moment_of(name, value)
    if found is None:
        raise Invalid(f"缺少 {name}。", f"{name} is missing.", fields=(FieldError(name, "缺少", "missing"),))
    return found
