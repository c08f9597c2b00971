"""What the exchange's routes share: the open office, the link they serve, and who asks.

Every request passes the door: a client that the link does not list is refused on every route (ENROL.md "Who may read
what"), one that asks too often waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from litestar import Request
from litestar.types import ASGIApp, Receive, Scope, Send
from sqlalchemy import Connection

from appliance.cases.office import Office
from appliance.errors import Forbidden, WanmiError
from appliance.exchange.clients import Confirmed, save_confirmed
from appliance.exchange.kinds.base import Sight
from appliance.exchange.links import Enrolment, granted
from appliance.exchange.read_log import ReadLog
from appliance.exchange.scopes import Grants
from appliance.exchange.settings import Link
from appliance.people.actor import Actor, machine
from server.problems import PROBLEM, refusal
from server.rates import Rates
from server.watcher import Watcher

T = TypeVar("T")
READERS = 3
PREFIX = "/exchange/v1"


class ExchangeDesk:
    """Shared by the ports of all links: one office, one watch of the feed, one ledger of who has what."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.watcher = Watcher(office.records)
        self.read_log = ReadLog(office.records.home)
        self._confirmed: dict[tuple[str, str], Confirmed] = {}
        self._saved: dict[tuple[str, str], Confirmed] = {}
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="wanmi-exchange")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a reading function on a pooled connection in a reading thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._reading, work)

    async def thread(self, work: Callable[[], T]) -> T:
        """Run something slow that is no reading of records."""
        return await asyncio.to_thread(work)

    def confirm(self, confirmed: Confirmed) -> None:
        """Note how far a client is; `keep_confirmed` writes it down."""
        self._confirmed[confirmed.link, confirmed.client] = confirmed

    async def keep_confirmed(self) -> None:
        """Write down what was noted since the last time."""
        news = {key: item for key, item in self._confirmed.items() if self._saved.get(key) is not item}
        if news:
            await self.office.records.write_async(lambda unit: save_confirmed(unit, news.values()))
            self._saved |= news

    def close(self) -> None:
        """End the threads and close the office."""
        self._threads.shutdown(wait=True)
        self.read_log.close()
        self.office.close()

    def _reading(self, work: Callable[[Connection], T]) -> T:
        with self.office.records.read() as connection:
            self.office.refresh(connection)
            return work(connection)


class Door:
    """The door of one link: whom it lists, and how often each asks. `enrolment` is replaced when a new one counts."""

    def __init__(self, link: Link, enrolment: Enrolment, requests_per_minute: int) -> None:
        self.link = link
        self.enrolment = enrolment
        self.rates = Rates(requests_per_minute, 60.0)

    def enter(self, client: str | None) -> Grants:
        """What a client may do.

        Raises:
            Forbidden: it is not listed. TooMany: it asks too often.
        """
        found = None if client is None else granted(self.link, self.enrolment, client)
        if client is None or found is None:
            raise Forbidden(
                f"证书 {client or '(无)'} 不在本县授权的客户端之列;请由本县技术员重新 wanmi join。",
                f"The certificate {client or '(none)'} is no client that this county lists; its technician may run "
                "wanmi join again.",
            )
        self.rates.take(client)
        return found


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the client's name (its certificate's CN), what it may do, and the door it came in by."""

    client: str
    grants: Grants
    door: Door

    @property
    def actor(self) -> Actor:
        """The client as somebody who acts on cases; the link is part of the account."""
        return machine("prefecture", f"prefecture:{self.client}@{self.door.link.url}", f"上级平台 {self.client}")

    def sights(self, desk: ExchangeDesk) -> dict[str, Sight]:
        """How records are shown to this client now, by the scope it needs to read them."""
        now, yellow_at = desk.office.records.clock.now(), desk.office.settings.desk.yellow_at
        return {scope: self.grants.sight(scope, now, yellow_at) for scope in self.grants.areas}


class Guarded:
    """An application behind a door: whoever is not let in gets no further, whatever the address."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the client in and put it into `scope["user"]`, or refuse it."""
        client: str | None = scope["state"].get("peer")
        try:
            scope["user"] = Asker(client or "", self._door.enter(client), self._door)
        except WanmiError as error:
            answer = refusal(Request(scope), error)
            headers = {**answer.headers, "Content-Type": PROBLEM, "Content-Length": str(len(answer.content))}
            raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": answer.status_code or 500, "headers": raw})
            await send({"type": "http.response.body", "body": answer.content, "more_body": False})
            return
        await self._app(scope, receive, send)


def desk_of(request: Request[Any, Any, Any]) -> ExchangeDesk:
    """The desk behind a request."""
    return cast("ExchangeDesk", request.app.state.desk)


def asker_of(request: Request[Any, Any, Any]) -> Asker:
    """Who asks."""
    return cast("Asker", request.scope["user"])


def log_read(request: Request[Any, Any, Any], what: str, **told: Any) -> None:
    """Write down what was read."""
    asker, peer = asker_of(request), request.client
    address = peer.host if peer else ""
    desk_of(request).read_log.write(link=asker.door.link.url, client=asker.client, address=address, what=what, **told)
