"""Outbound mode (docs/exchange.md): the county brings its feed to the platform and fetches what is sent down.

What the platform has on its disk is what its answers say, so whichever side is killed, the next page begins there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from urllib.parse import quote, urlsplit

import structlog

from appliance.clock import rfc3339
from appliance.errors import Forbidden, Gone, TooLarge, WanmiError
from appliance.exchange.clients import Confirmed
from appliance.exchange.kept import Kept, LastExchange
from appliance.exchange.kinds.all import find_kind
from appliance.exchange.links import Enrolment, LinkFolder, granted
from appliance.exchange.reading import Changes, FeedState, feed_state, read_changes, read_snapshot
from appliance.exchange.settings import Exchange, Link
from server.exchange.desk import Asker, Door, ExchangeDesk
from server.exchange.orders import Carrier
from server.exchange.platform_calls import FeedAnswer, Pause, PlatformCalls, Refused

LIMIT = 1000
HEARTBEAT_SECONDS = 30.0
"""After so long without news an empty page says that there are none."""
ORDERS_WAIT = 30.0
NOTED_SECONDS = 10.0
"""So often it is written down that all goes well."""


class Outbound:
    """One link that calls out. `open` it, let it `follow` the enrolment, `close` it."""

    def __init__(self, desk: ExchangeDesk, link: Link, enrolment: Enrolment, settings: Exchange) -> None:
        self.link = link
        self._desk = desk
        self._door = Door(link, enrolment, settings.requests_per_minute)
        self._kept = Kept(desk.office.records.home, link.url)
        self._carrier = Carrier(desk, self._door)
        self._calls: PlatformCalls | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._last, self._noted = self._kept.last(), 0.0
        self._troubles: dict[str, WanmiError] = {}

    async def open(self) -> None:
        """Begin to call.

        Raises:
            Forbidden: the enrolment lists no client. Refused: its certificate cannot be used.
        """
        enrolment, home = self._door.enrolment, self._desk.office.records.home
        if not enrolment.scopes:
            raise Forbidden(
                f"{self.link.url} 的答复没有列出任何客户端;请重新 wanmi join。",
                f"{self.link.url} lists no client; run wanmi join again.",
            )
        folder, county = LinkFolder(home, self.link.url), self._desk.office.settings.county
        try:
            self._calls = PlatformCalls(folder, enrolment, self.link.url, county)
        except OSError as error:
            raise Refused(
                f"{enrolment.folder} 的证书不能使用 ({error});请重新 wanmi join。",
                f"The certificate in {enrolment.folder} cannot be used ({error}); run wanmi join again.",
            ) from None
        self._tasks = [
            asyncio.create_task(self._forever("feed", Feeding(self))),
            asyncio.create_task(self._forever("orders", Fetching(self))),
        ]

    async def follow(self, enrolment: Enrolment) -> None:
        """Let a new enrolment count: its scopes, its certificate, its CA."""
        if enrolment.folder != self._door.enrolment.folder or not self._tasks:
            await self.close()
            self._door.enrolment = enrolment
            await self.open()

    async def close(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._calls is not None:
            await self._calls.close()
            self._calls = None

    @property
    def desk(self) -> ExchangeDesk:
        """The desk that all links share."""
        return self._desk

    @property
    def calls(self) -> PlatformCalls:
        """The platform; only while open."""
        assert self._calls is not None
        return self._calls

    @property
    def carrier(self) -> Carrier:
        """Who carries out orders."""
        return self._carrier

    @property
    def kept(self) -> Kept:
        """What the link keeps on the disk."""
        return self._kept

    def asker(self) -> Asker:
        """The platform as a reader: the first client of the enrolment, with its scopes."""
        client = next(iter(self._door.enrolment.scopes))
        grants = granted(self.link, self._door.enrolment, client)
        assert grants is not None
        return Asker(client, grants, self._door)

    async def went_well(self, what: str) -> None:
        """The platform answered the feed, or the orders."""
        if self._troubles.pop(what, None) is None and monotonic() - self._noted < NOTED_SECONDS:
            return
        self._noted = monotonic()
        await self._note(LastExchange(self._now(), *self._trouble()))

    async def failed(self, what: str, error: WanmiError) -> None:
        """It did not, or refused."""
        known = self._troubles.get(what)
        self._troubles[what] = error
        if known is None or known.en != error.en:
            structlog.get_logger("wanmi").error("outbound", link=self.link.url, what=what, error=error.en)
        await self._note(LastExchange(self._last.at, *self._trouble()))

    def _trouble(self) -> tuple[str | None, str | None, str | None]:
        """The trouble that there is, of either part: when it was seen, and its sentence in both languages."""
        error = next(iter(self._troubles.values()), None)
        return (None, None, None) if error is None else (self._now(), error.zh, error.en)

    async def _forever(self, what: str, part: Feeding | Fetching) -> None:
        """Go on whatever happens; what went wrong is told by `wanmi link status` and tried again."""
        pause = Pause()
        while True:
            try:
                await part.step()
                pause.end()
                await self.went_well(what)
                continue
            except WanmiError as error:
                seen: WanmiError = error
            except Exception as error:  # a full disk or a busy database must not end the exchange
                structlog.get_logger("wanmi").error("outbound", link=self.link.url, what=what, error=repr(error)[:300])
                name = type(error).__name__
                seen = Refused(
                    f"本机出错 ({name});见 log/exchange.log。", f"A fault here ({name}): see log/exchange.log."
                )
            with suppress(OSError):
                await self.failed(what, seen)
            part.begin_again()
            await asyncio.sleep(pause.seconds(seen))

    async def _note(self, last: LastExchange) -> None:
        self._last = last
        await self._desk.thread(lambda: self._kept.save_last(last))

    def _now(self) -> str:
        return rfc3339(self._desk.office.records.clock.now()) or ""


class Feeding:
    """Brings the feed: asks where the platform is, brings what it lacks, and then what comes."""

    def __init__(self, link: Outbound) -> None:
        self._link, self._desk = link, link.desk
        self._cursor: int | None = None
        self._feed = ""
        self._limit = LIMIT

    def begin_again(self) -> None:
        """Ask the platform anew where it is."""
        self._cursor = None

    async def step(self) -> None:
        """One page; waits for news where there are none."""
        if self._cursor is None:
            await self._ask_where()
        elif await self._bring(self._cursor):
            await self._wait_for_news()

    async def _ask_where(self) -> None:
        """An empty page after our newest change is answered with how far the platform is."""
        state = await self._desk.read(feed_state)
        await self._took(await self._post(Changes([], state.last, False, state), state.last), state)

    async def _bring(self, cursor: int) -> bool:
        """Bring the next page; whether the platform then has everything."""
        asker = self._link.asker()
        types, sights = asker.grants.types(), asker.sights(self._desk)
        try:
            page = await self._desk.read(
                lambda connection: read_changes(connection, cursor, self._limit, types, sights, self._feed)
            )
        except Gone:
            await self._snapshot()
            return False
        try:
            told = await self._post(page, cursor)
        except TooLarge:
            if self._limit == 1:
                raise
            self._limit = max(1, self._limit // 2)
            return False
        await self._took(told, page.state)
        return self._cursor == page.next and not page.more

    async def _post(self, page: Changes, after: int) -> FeedAnswer:
        headers = {
            "Wanmi-Feed": page.state.name, "Wanmi-After": str(after), "Wanmi-Next": str(page.next),
            "Wanmi-More": "1" if page.more else "0", "Wanmi-County-Last": str(page.state.last),
        }  # fmt: skip
        if page.items:
            size = sum(map(len, page.items)) + len(page.items)
            self._log("outbound changes", after=after, next=page.next, rows=len(page.items), bytes=size)
        return await self._link.calls.feed(page.items, headers)

    async def _took(self, told: FeedAnswer, state: FeedState) -> None:
        """Go on where the platform says that it is; that is confirmed.

        Raises:
            Refused: it names a place that this feed does not have.
        """
        if told.snapshot:
            await self._snapshot()
            return
        if told.feed != state.name or told.cursor > state.last:
            raise Refused(
                f"平台说有数据流 {told.feed[:40]} 的 {told.cursor},本县没有。",
                f"The platform names {told.cursor} of the feed {told.feed[:40]}, which this county does not have.",
            )
        self._feed, self._cursor = told.feed, told.cursor
        asker, now = self._link.asker(), self._desk.office.records.clock.now()
        self._desk.confirm(Confirmed(self._link.link.url, asker.client, told.feed, told.cursor, now))

    async def _snapshot(self) -> None:
        """Bring a snapshot, or the rest of one that the platform has begun; changes follow from where it begins."""
        asker = self._link.asker()
        state, types = await self._desk.read(feed_state), asker.grants.types()
        if not types:
            raise Forbidden("本县没有授予任何可读类型。", "This county grants no type that may be read.")
        self._cursor, type_, after = None, types[0], ""
        while True:
            kind = find_kind(type_)
            asker.grants.require(kind.scope)
            sight = asker.sights(self._desk)[kind.scope]
            lines, page = await self._desk.read(
                lambda connection, kind=kind, after=after, sight=sight: read_snapshot(  # type: ignore[misc]
                    connection, kind, after or None, sight
                )
            )
            headers = {
                "Wanmi-Feed": state.name, "Wanmi-Cursor": str(state.last), "Wanmi-After-Id": quote(after),
                "Wanmi-Next-Id": quote(page.next or ""),
            }  # fmt: skip
            body = b"".join(lines)
            self._log("outbound snapshot", types=[type_], next=page.next or "", rows=len(lines), bytes=len(body))
            taken, wanted = await self._link.calls.slice(type_, body, headers)
            if taken:
                await self._link.went_well("feed")
            if wanted.type is None:
                return
            if (wanted.type, wanted.after) == (type_, after):
                raise Refused(
                    f"平台不接受它要的快照片段 {type_} {after!r}。",
                    f"The platform does not take the slice of {type_} after {after!r} that it asks for.",
                )
            type_, after = wanted.type, wanted.after

    async def _wait_for_news(self) -> None:
        """Until the feed grows, or it is time for a sign of life."""
        assert self._cursor is not None
        listener, ends = self._desk.watcher.listen(self._link.asker().client), monotonic() + HEARTBEAT_SECONDS
        try:
            while (left := ends - monotonic()) > 0:
                listener.woken.clear()
                state = await self._desk.read(feed_state)
                if (state.name, state.last) != (self._feed, self._cursor):
                    break
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):  # wait_for would swallow a cancel that comes with the news
                        await listener.woken.wait()
        finally:
            self._desk.watcher.leave(listener)

    def _log(self, what: str, **told: object) -> None:
        """What leaves the county stands in the read log before it leaves, as where the platform pulls."""
        link = self._link.link
        address = urlsplit(link.url).hostname or ""
        self._desk.read_log.write(link=link.url, client=self._link.asker().client, address=address, what=what, **told)


class Fetching:
    """Fetches orders, carries each out and delivers its answer."""

    def __init__(self, link: Outbound) -> None:
        self._link = link
        self._left_over = True

    def begin_again(self) -> None:
        """Deliver first what could not be delivered."""
        self._left_over = True

    async def step(self) -> None:
        """What waits for delivery, and then the orders that are there or come soon."""
        link, calls = self._link, self._link.calls
        wait = 0.0 if self._left_over else ORDERS_WAIT  # the first answer tells at once that all is well
        if self._left_over:
            for kept in await link.desk.thread(link.kept.answers):
                await calls.answer(kept)
                link.kept.drop_answer(kept.id)
        orders = await calls.orders(wait)
        self._left_over = False
        for order in orders:
            answer = await link.carrier.answer(order)
            await calls.answer(answer)
            link.kept.drop_answer(order.id)
