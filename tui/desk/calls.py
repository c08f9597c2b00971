"""The desk's calls to the node. They run in workers, touch no widget and end in a message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tui.client import NodeAway, Refused
from tui.desk.detail import MAP_METRES
from tui.fields import Form
from tui.messages import CaseSeen, PageRead, SummaryRead, Surroundings, SurroundingsRead
from tui.show import moment
from tui.work import careful, worker

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.context import Context
    from tui.desk.queue import Queue
    from tui.desk.views import View

    Base = Screen[None]
else:
    Base = object

Record = dict[str, Any]
PAGE = 100
SETTLE_SECONDS = 0.12
"""A cursor that runs through the list asks for surroundings only where it stops."""
GATHER_SECONDS = 0.15
ONE_BY_ONE = 30
"""So many changed cases that are not in the queue are looked at; more of them come with the next reload."""
STALE_TICKS = 30
"""Every so many looks at the clock the loaded cases with a due time are read anew."""


class DeskCalls(Base):
    """Loads pages, surroundings, changes."""

    context: Context
    view: View | None
    search_filter: Record
    following: str | None
    changed: set[str]
    _ticks = 0

    if TYPE_CHECKING:

        @property
        def queue(self) -> Queue: ...

    def load(self, *, more: bool = False) -> None:
        """Read the first page of the view, or the next one."""
        if not more:
            self.following = None
        worker(self, self._load(self.following), "queue")

    @careful
    async def _load(self, after: str | None) -> None:
        client = self.context.client
        parameters = dict(self.view.parameters()) if self.view else {}
        parameters |= self.search_filter
        page = await client.get("/api/v1/cases", **parameters, limit=PAGE, after=after)
        self.post_message(PageRead(page["items"], page["next"], more=after is not None))
        if after is None:
            self.post_message(SummaryRead(await client.get("/api/v1/summary")))

    def look_at_clock(self) -> None:
        """Time went on: read the figures, and the cases whose due time has passed meanwhile."""
        now = datetime.now(UTC)
        due = {
            number
            for number, record in self.queue.records.items()
            if record["light"] != "red" and (at := moment(record["due_at"])) is not None and at < now
        }
        self._ticks += 1
        if self._ticks % STALE_TICKS == 0:  # lights turn yellow and hours run down with time alone
            due |= {number for number, record in self.queue.records.items() if record["due_at"]}
        self.changed |= due or {""}
        self.read_changes()

    def load_surroundings(self, record: Record) -> None:
        """Read what belongs to a case beside its record."""
        worker(self, self._load_surroundings(record), "surroundings")

    @careful
    async def _load_surroundings(self, record: Record) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        number = record["number"]
        found = await self.context.client.get(f"/api/v1/cases/{number}/around", metres=round(MAP_METRES))
        others = [item for item in found["duplicates"] if item["number"] != number]
        around = Surroundings(
            number, found["history"], found["actions"], others, found["near"], found["grids"]["features"],
            found["parts"]["features"], found["clock"],
        )  # fmt: skip
        self.post_message(SurroundingsRead(around))

    def read_changes(self) -> None:
        """Read the changed cases; what is heard meanwhile waits for the next turn."""
        if not any(job.group == "changes" and job.is_running for job in self.workers):
            worker(self, self._read_changes(), "changes")

    @careful
    async def _read_changes(self) -> None:
        client = self.context.client
        while self.changed:
            await asyncio.sleep(GATHER_SECONDS)
            unread = self.changed - {""}
            self.changed = set()
            known = [number for number in self.queue.records if number in unread]
            strange = sorted(unread - set(known))[:ONE_BY_ONE]
            try:
                for number in (*known, *strange):
                    await self._read_one(number)
                    unread.discard(number)
                self.post_message(SummaryRead(await client.get("/api/v1/summary")))
            except NodeAway:
                self.changed |= unread | {""}
                raise

    async def _read_one(self, number: str) -> None:
        try:
            self.post_message(CaseSeen(await self.context.client.get(f"/api/v1/cases/{number}")))
        except Refused as error:
            if error.status not in (403, 404):
                raise

    @careful
    async def build_form(self, building: Awaitable[Form]) -> None:
        """Await a form and show it."""
        form = await building
        self.call_later(self.show_form, form)

    def show_form(self, form: Form) -> None:
        """Open a form; the screen itself knows how."""
        raise TypeError("the desk screen shows forms")
