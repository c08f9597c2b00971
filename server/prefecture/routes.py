"""The routes of joining, below the platform's URL (ENROL.md): enrol, register, probe, leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar, cast

from litestar import Controller, Request, delete, post, put
from litestar.params import FromPath, JSONBody

from appliance.errors import WanmiError
from server.prefecture import enrolment
from server.prefecture.counties import PULL, change_county, the_county
from server.prefecture.enrolment import Caller, EnrolBody, Enrolled, RegisterBody
from server.prefecture.puller import probe
from server.prefecture.store import Platform
from server.problems import language_of

T = TypeVar("T")
BEARER = "bearer "


def platform_of(request: Request[Any, Any, Any]) -> Platform:
    """The platform behind a request."""
    return cast("Platform", request.app.state.platform)


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Who calls: a bearer token counts before a client certificate, so that a token can replace a revoked one."""
    written, state = request.headers.get("authorization", ""), request.scope["state"]
    token = written[len(BEARER) :].strip() if written.lower().startswith(BEARER) else None
    return Caller(token or None, state.get("peer"), state.get("peer_serial"))


async def thread(work: Callable[[], T]) -> T:
    """Run what asks the database or a county in a thread."""
    return await asyncio.to_thread(work)


def check_county(request: Request[Any, Any, Any], county: str) -> None:
    """Let a county's own calls through, by certificate or the token of its enrolment.

    Raises:
        NotSignedIn, Forbidden, NotFound: who calls is not this county.
    """
    platform, caller = platform_of(request), caller_of(request)
    with platform.begin() as connection:
        enrolment.authorise(connection, caller, county, platform.clock.now())


class JoiningController(Controller):
    """Joining and leaving."""

    @post("/enrol", status_code=201)
    async def enrol(self, request: Request[Any, Any, Any], data: JSONBody[EnrolBody]) -> Enrolled:
        """Step 1: a certificate for the county's request."""
        platform, caller = platform_of(request), caller_of(request)
        return await thread(lambda: enrolment.enrol(platform, caller, data))

    @put("/nodes/{county:str}", status_code=200)
    async def register(
        self, request: Request[Any, Any, Any], county: FromPath[str], data: JSONBody[RegisterBody]
    ) -> dict[str, Any]:
        """Step 2: where the county is reached."""
        platform, caller = platform_of(request), caller_of(request)
        await thread(lambda: enrolment.register(platform, caller, county, data))
        return {}

    @post("/nodes/{county:str}/probe", status_code=200)
    async def probe(self, request: Request[Any, Any, Any], county: FromPath[str]) -> dict[str, Any]:
        """Step 3: we ask the county's port then and there."""
        await thread(lambda: check_county(request, county))
        platform, language = platform_of(request), language_of(request)
        return await thread(lambda: _probed(platform, county, language))

    @delete("/nodes/{county:str}", status_code=200)
    async def leave(self, request: Request[Any, Any, Any], county: FromPath[str]) -> dict[str, Any]:
        """The county leaves: its certificates count no more."""
        platform, caller = platform_of(request), caller_of(request)
        await thread(lambda: enrolment.leave(platform, caller, county))
        return {}


def _probed(platform: Platform, code: str, language: str) -> dict[str, Any]:
    began = monotonic()
    with platform.begin() as connection:
        county = the_county(connection, code)
    if county.address is None:
        zh, en = (
            "平台还没有登记地址;请先登记 (PUT nodes/…)。",
            "No address is registered; register it first (PUT nodes/…).",
        )
        return {"ok": False, "why": zh if language == "zh" else en}
    with platform.begin() as connection:  # who asks to be called is one that is called, also where that fails now
        change_county(connection, code, mode=PULL)
    try:
        probe(platform, county)
    except WanmiError as error:
        return {"ok": False, "why": error.sentence(language)}
    with platform.begin() as connection:
        change_county(connection, code, next_at=platform.clock.now(), failures=0)
    return {"ok": True, "seconds": round(monotonic() - began, 3)}
