"""The feed and the snapshots (CONTRACT.md "Exchange with the prefecture", ENROL.md "Feed")."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import Parameter
from litestar.response import Stream
from sqlalchemy import Connection

from appliance.exchange.clients import Confirmed
from appliance.exchange.kinds.all import find_kind
from appliance.exchange.kinds.base import Kind, Sight
from appliance.exchange.reading import ITEMS_AT_MOST, Changes, FeedState, feed_state, read_changes, read_snapshot
from server.exchange.desk import PREFIX, Asker, ExchangeDesk, asker_of, desk_of, log_read
from server.exchange.encoding import chosen, streamed, whole
from server.node import CURSOR_AT_MOST, json_bytes

NDJSON = "application/x-ndjson"
LONGEST_WAIT = 60.0
LIMIT = 1000
Cursor = Annotated[int, Parameter(ge=0, le=CURSOR_AT_MOST)]
Encoding = Annotated[str, Parameter(header="Accept-Encoding")]


class FeedController(Controller):
    """What a client reads to follow the county."""

    path = PREFIX
    tags = ["exchange"]

    @get("/")
    async def info(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Which county this is, its feed, and what this client may read of it."""
        desk, asker = desk_of(request), asker_of(request)
        state, settings = await desk.read(feed_state), desk.office.settings
        log_read(request, "info")
        told = {
            "county": settings.county, "name": settings.name, "contract": "1", "feed": state.name,
            "editions": sorted({item.edition for item in desk.office.book.classes.values()}), "first": state.first,
            "last": state.last, "feeds": list(asker.grants.types()), "scopes": sorted(asker.grants.areas),
        }  # fmt: skip
        return json_bytes(msgspec.json.encode(told))

    @get("/changes")
    async def changes(
        self,
        request: Request[Any, Any, Any],
        after: Cursor = 0,
        limit: Annotated[int, Parameter(ge=1, le=ITEMS_AT_MOST)] = LIMIT,
        types: str | None = None,
        wait: Annotated[float, Parameter(ge=0, le=LONGEST_WAIT)] = 0.0,
        feed: str | None = None,
        accept: Annotated[str, Parameter(header="Accept")] = "",
        accept_encoding: Encoding = "",
        if_none_match: Annotated[str, Parameter(header="If-None-Match")] = "",
    ) -> Response[bytes]:
        """A page of changes after a cursor; with `wait` the answer comes as soon as there is one."""
        desk, asker = desk_of(request), asker_of(request)
        names = asker.grants.require_types(None if types is None else types.split(","))
        page = await _page(desk, asker, after, limit, names, feed)
        _confirm(desk, asker, page.state, after)
        if not page.items and wait:
            page = await _waited(desk, asker, page, after, limit, names, wait)
        tag = f'W/"{page.state.name}-{after}-{page.next}-{page.state.last}"'
        headers = {
            "Wanmi-Feed": page.state.name,
            "Wanmi-Next": str(page.next),
            "ETag": tag,
            "Cache-Control": "no-store",
        }
        if tag in if_none_match:
            return Response(b"", status_code=304, headers=headers)
        ndjson = NDJSON in accept
        body, more = await desk.thread(lambda: whole(_body(page, ndjson), chosen(accept_encoding)))
        log_read(
            request, "changes", types=list(names), after=after, next=page.next, rows=len(page.items), bytes=len(body)
        )
        return Response(body, media_type=NDJSON if ndjson else "application/json", headers=headers | more)

    @get("/snapshot/{type_:str}")
    async def snapshot(
        self,
        request: Request[Any, Any, Any],
        type_: str,
        cursor: Annotated[int | None, Parameter(ge=0, le=CURSOR_AT_MOST)] = None,
        after: str | None = None,
        feed: str | None = None,
        accept_encoding: Encoding = "",
    ) -> Stream:
        """Every record of a type in the order of the keys; changes after `Wanmi-Cursor` complete it."""
        desk, asker = desk_of(request), asker_of(request)
        kind = find_kind(type_)
        asker.grants.require(kind.scope)
        state = await desk.read(feed_state)
        begins = state.last if cursor is None else cursor
        state.check(begins, feed)
        sight = asker.sights(desk)[kind.scope]
        log_read(request, "snapshot", types=[kind.name], after=after or "", cursor=begins)
        first, next_ = await desk.read(lambda connection: _slice(connection, kind, after or None, sight))
        slices = _slices(desk, request, kind, sight, first, next_)
        encoding = chosen(accept_encoding)
        headers = {"Wanmi-Cursor": str(begins), "Wanmi-Feed": state.name, "Vary": "Accept-Encoding"}
        if encoding:
            headers["Content-Encoding"] = encoding
        return Stream(streamed(slices, encoding), media_type=NDJSON, headers=headers)


async def _page(
    desk: ExchangeDesk, asker: Asker, after: int, limit: int, types: tuple[str, ...], feed: str | None
) -> Changes:
    sights = asker.sights(desk)
    return await desk.read(lambda connection: read_changes(connection, after, limit, types, sights, feed))


async def _waited(
    desk: ExchangeDesk, asker: Asker, page: Changes, after: int, limit: int, types: tuple[str, ...], wait: float
) -> Changes:
    """The first page that holds something, or the empty one when the time is over."""
    listener, ends = desk.watcher.listen(asker.client), monotonic() + wait
    try:
        while not page.items and not desk.watcher.ended and (left := ends - monotonic()) > 0:
            listener.woken.clear()
            page = await _page(desk, asker, after, limit, types, page.state.name)
            if page.items:
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(listener.woken.wait(), left)
    finally:
        desk.watcher.leave(listener)
    return page


def _confirm(desk: ExchangeDesk, asker: Asker, state: FeedState, after: int) -> None:
    """Whoever asks for what comes after n has everything up to n."""
    now = desk.office.records.clock.now()
    desk.confirm(Confirmed(asker.door.link.url, asker.client, state.name, after, now))


def _body(page: Changes, ndjson: bool) -> bytes:
    if ndjson:
        return b"".join(item + b"\n" for item in page.items)
    tail = b'],"next":%d,"more":%s}' % (page.next, b"true" if page.more else b"false")
    return b'{"items":[' + b",".join(page.items) + tail


def _slice(connection: Connection, kind: Kind, after: str | None, sight: Sight) -> tuple[list[bytes], str | None]:
    lines, page = read_snapshot(connection, kind, after, sight)
    return lines, page.next


async def _slices(
    desk: ExchangeDesk, request: Request[Any, Any, Any], kind: Kind, sight: Sight, lines: list[bytes], next_: str | None
) -> AsyncIterator[bytes]:
    """Slice after slice, each read in a transaction of its own; what was sent is written down at the end."""
    rows, last = 0, ""
    try:
        while True:
            rows += len(lines)
            if lines:
                yield b"".join(lines)
            if next_ is None:
                return
            if desk.watcher.ended:
                raise ConnectionAbortedError("the node is being stopped")  # cut off, or the type would seem whole
            last = next_
            lines, next_ = await desk.read(partial(_slice, kind=kind, after=last, sight=sight))
    finally:
        with suppress(OSError):  # that it was begun is written down
            log_read(request, "snapshot ended", types=[kind.name], rows=rows, next=last)
