"""The routes of outbound mode (docs/exchange.md): a county that cannot be called brings changes, fetches orders."""

from __future__ import annotations

import asyncio
import base64
import binascii
from time import monotonic
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from appliance.errors import Invalid
from server.node import CURSOR_AT_MOST, json_bytes
from server.prefecture.arriving import FeedPage, SnapshotSlice, take_page, take_slice
from server.prefecture.county_port import Answer
from server.prefecture.down import finish, hand_out
from server.prefecture.routes import caller_of, check_county, platform_of, thread

LONGEST_WAIT = 60.0
LOOK_SECONDS = 0.5
"""Orders are written by commands in other processes too; so often it is looked for them."""


class OrderAnswer(msgspec.Struct):
    """What came of an order in the county; `body` in Base64."""

    status: Annotated[int, msgspec.Meta(ge=100, le=599)]
    headers: dict[str, str] = {}
    body: str | None = None


class OutboundController(Controller):
    """What a county brings and fetches."""

    path = "/nodes/{county:str}"

    @post("/feed", status_code=200)
    async def feed(
        self,
        request: Request[Any, Any, Any],
        county: FromPath[str],
        feed: Annotated[str, HeaderParameter(name="Wanmi-Feed")],
        after: Annotated[int, HeaderParameter(name="Wanmi-After", ge=0, le=CURSOR_AT_MOST)],
        next_: Annotated[int, HeaderParameter(name="Wanmi-Next", ge=0, le=CURSOR_AT_MOST)],
        last: Annotated[int, HeaderParameter(name="Wanmi-County-Last", ge=0, le=CURSOR_AT_MOST)],
        more: Annotated[str, HeaderParameter(name="Wanmi-More")] = "0",
    ) -> dict[str, Any]:
        """A page of changes; how far we have it."""
        await thread(lambda: check_county(request, county))
        platform, lines = platform_of(request), await request.body()
        serial = caller_of(request).serial
        page = FeedPage(feed, after, next_, more == "1", last, lines)
        return await thread(lambda: take_page(platform, county, page, serial))

    @post("/snapshot/{type_:str}", status_code=200)
    async def snapshot(
        self,
        request: Request[Any, Any, Any],
        county: FromPath[str],
        type_: FromPath[str],
        feed: Annotated[str, HeaderParameter(name="Wanmi-Feed")],
        cursor: Annotated[int, HeaderParameter(name="Wanmi-Cursor", ge=0, le=CURSOR_AT_MOST)],
        after: Annotated[str, HeaderParameter(name="Wanmi-After-Id")] = "",
        next_: Annotated[str, HeaderParameter(name="Wanmi-Next-Id")] = "",
    ) -> Response[bytes]:
        """A slice of a snapshot; which one is wanted next."""
        await thread(lambda: check_county(request, county))
        platform, lines = platform_of(request), await request.body()
        serial = caller_of(request).serial
        part = SnapshotSlice(feed, type_, cursor, unquote(after), unquote(next_), lines)
        wanted, told = await thread(lambda: take_slice(platform, county, part, serial))
        return json_bytes(msgspec.json.encode(told), 200 if wanted else 409)

    @get("/orders")
    async def orders(
        self,
        request: Request[Any, Any, Any],
        county: FromPath[str],
        wait: Annotated[float, QueryParameter(name="wait", ge=0, le=LONGEST_WAIT)] = 0.0,
    ) -> dict[str, Any]:
        """What the county is to carry out; with `wait` the answer comes as soon as there is something."""
        await thread(lambda: check_county(request, county))
        platform, ends, ending = platform_of(request), monotonic() + wait, request.app.state.ending
        while not (items := await thread(lambda: hand_out(platform, county))) and monotonic() < ends and not ending():
            await asyncio.sleep(min(LOOK_SECONDS, max(0.0, ends - monotonic())))
        return {"items": items}

    @post("/orders/{id_:str}", status_code=200)
    async def answered(
        self, request: Request[Any, Any, Any], county: FromPath[str], id_: FromPath[str], data: JSONBody[OrderAnswer]
    ) -> dict[str, Any]:
        """What came of an order."""
        await thread(lambda: check_county(request, county))
        platform = platform_of(request)
        try:
            body = base64.b64decode(data.body or "", validate=True)
        except (binascii.Error, ValueError):
            raise Invalid("body 不是 Base64。", "body is no Base64.") from None
        await thread(lambda: finish(platform, county, id_, Answer(data.status, data.headers, body)))
        return {}
