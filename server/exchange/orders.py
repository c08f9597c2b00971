"""Orders that the county fetches, carried out on its own exchange routes, so that door, scopes, limits and log hold."""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from typing import Any

import httpx
import msgspec
from litestar.types import Receive, Scope, Send

from appliance.exchange.kept import Kept, Order, OrderAnswer
from server.exchange.app import create_exchange_app
from server.exchange.desk import PREFIX, Door, ExchangeDesk
from server.problems import PROBLEM

CLIENT = "Wanmi-Client"
KEY = "idempotency-key"
SECONDS = 300.0
AGAIN_LATER = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Answers that are not kept: the same order may succeed when it comes again."""

_NOT_PASSED_ON = frozenset(
    ("wanmi-client", "host", "content-length", "transfer-encoding", "connection", "accept-encoding", "te", "upgrade")
)
_ANSWER_HEADERS = ("content-type", "content-range", "etag", "retry-after", "wanmi-feed", "wanmi-next", "wanmi-cursor")


class Carrier:
    """Carries out the orders of one link, each once.

    Args:
        door: of the link; who is not listed there is refused, as on the port.
        keeps_all: also keep answers after which the order may succeed later; they too must be told.
    """

    def __init__(self, desk: ExchangeDesk, door: Door, *, keeps_all: bool = False) -> None:
        self._keeps_all = keeps_all
        self._kept = Kept(desk.office.records.home, door.link.url)
        self._desk = desk
        self._app: Any = create_exchange_app(desk, door)

    async def answer(self, order: Order) -> OrderAnswer:
        """The answer to an order: the one that is kept, else what comes of it now, which is kept from then on."""
        known = await self._desk.thread(lambda: self._kept.answer_to(order.id))
        if known is not None:
            return known
        made = await self._carry_out(order)
        if self._keeps_all or made.status not in AGAIN_LATER:
            await self._desk.thread(lambda: self._kept.keep_answer(made))
        return made

    async def _carry_out(self, order: Order) -> OrderAnswer:
        if not order.path.startswith(f"{PREFIX}/"):
            return _refused(order, 404, f"指令须指向 {PREFIX}/…。 An order names a route below {PREFIX}/.")
        try:
            body = base64.b64decode(order.body or "", validate=True)
        except (binascii.Error, ValueError):
            return _refused(order, 400, "指令的 body 不是 Base64。 The order's body is no Base64.")
        named = {name.lower(): value for name, value in order.headers.items()}
        passed = {name: value for name, value in named.items() if name not in _NOT_PASSED_ON}
        passed.setdefault(KEY, f"order {sha256(order.id.encode()).hexdigest()}")  # killed before the answer was kept
        transport = httpx.ASGITransport(self._known_as(named.get(CLIENT.lower())))
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://county", timeout=SECONDS) as client:
                told = await client.request(order.method, order.path, headers=passed, content=body)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
            return _refused(order, 400, f"指令无法执行 (cannot be carried out): {type(error).__name__}")
        headers = {name: told.headers[name] for name in _ANSWER_HEADERS if name in told.headers}
        return OrderAnswer(order.id, told.status_code, headers, base64.b64encode(told.content).decode())

    def _known_as(self, client: str | None) -> Any:
        """The application, to which this client seems to be at the other end of TLS."""

        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            await self._app({**scope, "state": {"peer": client}}, receive, send)

        return asked


def _refused(order: Order, status: int, detail: str) -> OrderAnswer:
    body = msgspec.json.encode({"type": "/problems/invalid", "title": "Order", "status": status, "detail": detail})
    return OrderAnswer(order.id, status, {"content-type": PROBLEM}, base64.b64encode(body).decode())
