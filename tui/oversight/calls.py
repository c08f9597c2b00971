"""The oversight screen's calls to the node. They run in workers, touch no widget and end in a message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.fields import Choice, Form
from tui.map.engine import MapEngine
from tui.map.layers import Content
from tui.map.viewport import Viewport
from tui.messages import Told
from tui.oversight import finding_map
from tui.screens.form import FormScreen
from tui.work import careful, worker

if TYPE_CHECKING:
    from tui.screens.base import SeatScreen

    Base = SeatScreen
else:
    Base = object

Record = dict[str, Any]
LIMIT, ROWS_AT_MOST = 200, 2000
FORM_SECONDS = 2.0
LINES_ABOVE_MAP = 4
"""The rule between table and text, and what a finding says of itself."""
PATHS = {"findings": "analysis", "spot_checks": "assessment/spot-checks"}
WITH_PERIOD = ("ledgers", "findings")
"""Pages that belong to a period, which is turned by keys."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What a line of a page opens to: `kind` is ledger, finding, campaign or draw; `key` names the line."""

    kind: str
    key: str
    name: str
    found: Any


class PageRead(Message):
    """What a page shows."""

    def __init__(self, page: str, found: Record) -> None:
        super().__init__()
        self.page, self.found = page, found


class InsideRead(Message):
    """What a line opens to; `again` where it was open before."""

    def __init__(self, inside: Inside, *, again: bool = False) -> None:
        super().__init__()
        self.inside, self.again = inside, again


class FormReady(Message):
    """A form to fill, and the label of what is said when the node took it."""

    def __init__(self, form: Form, done: str) -> None:
        super().__init__()
        self.form, self.done = form, done


@dataclass(frozen=True, slots=True)
class Ground:
    """What a small map lies on: a view and the places in it."""

    view: Viewport
    content: Content


class OversightCalls(Base):
    """Reads pages and what their lines open to; posts what needs no form; opens forms."""

    page: str
    period: str
    inside: Inside | None

    if TYPE_CHECKING:

        @property
        def selected(self) -> Record | None: ...
        @property
        def selected_inside(self) -> Record | None: ...

    def load(self, page: str) -> None:
        """Read a page."""
        worker(self, partial(self._load, page), "page")

    @careful
    async def _load(self, page: str) -> None:
        client = self.context.client
        query: Record = {"period": self.period} if page in WITH_PERIOD else {}
        if page == "appeals":
            query["limit"] = LIMIT
        found = await client.get(f"/api/v1/{PATHS.get(page, page)}", **query)
        if page in WITH_PERIOD:
            scores = await client.get("/api/v1/scores", scope="platform", period=found["period"])
            found |= {"previous": scores["previous"], "next": scores["next"]}
        if page == "findings" and found["items"]:
            found["ground"] = await self._county()
        self.post_message(PageRead(page, found))

    async def _county(self) -> Ground:
        """The county with its streets, for the small map of the findings."""
        engine, size = MapEngine(self.context.client), self.small_map_size
        view = finding_map.county_view(await engine.whole(), *size)
        return Ground(view, await engine.content(view, finding_map.FAR, positions=False))

    @property
    def small_map_size(self) -> tuple[int, int]:
        """Cells of the map below the table."""
        return finding_map.size_of(self.app.size.width, self.app.size.height, LINES_ABOVE_MAP)

    def open_finding(self, key: str, item: Record) -> None:
        """Read the places around the cases of a finding and open it."""
        worker(self, partial(self._open_finding, key, item), "inside")

    @careful
    async def _open_finding(self, key: str, item: Record) -> None:
        view, ground = finding_map.close_view(item["points"], *self.small_map_size), None
        if view is not None:
            engine = MapEngine(self.context.client)
            ground = Ground(view, await engine.content(view, finding_map.CLOSE, positions=False))
        self.post_message(InsideRead(Inside("finding", key, item["name"], {"item": item, "ground": ground})))

    def open_line(self, kind: str, key: str, name: str, *, again: bool = False) -> None:
        """Read what a line opens to."""
        worker(self, partial(self._open_line, kind, key, name, again), "inside")

    @careful
    async def _open_line(self, kind: str, key: str, name: str, again: bool) -> None:
        client, found = self.context.client, None
        if kind == "ledger":
            found = await self._rows_of_ledger(key)
        elif kind == "draw":
            found = await client.items(f"/api/v1/assessment/spot-checks/{key}")
        else:
            found = await client.get(f"/api/v1/campaigns/{key}/progress")
        self.post_message(InsideRead(Inside(kind, key, name, found), again=again))

    async def _rows_of_ledger(self, ledger: str) -> list[Record]:
        """The rows of a ledger in the period, oldest first, so that the newest entry is among them."""
        rows: list[Record] = []
        query: Record = {"period": self.period, "limit": LIMIT}
        while len(rows) < ROWS_AT_MOST:
            page = await self.context.client.get(f"/api/v1/ledgers/{ledger}", **query)
            rows += page["items"]
            if page["next"] is None:
                break
            query["after"] = page["next"]
        return rows

    def post(self, path: str, body: Record, said: str) -> None:
        """Post something that needs no form, say it, and read the page again."""
        worker(self, partial(self._post, path, body, said), "post")

    @careful
    async def _post(self, path: str, body: Record, said: str) -> None:
        await self.context.client.post(path, body)
        self.post_message(Told(said, good=True))
        await self._load(self.page)

    # What the forms share.

    def may_here(self, page: str, roles: frozenset[str]) -> bool:
        """Whether a key works on this page for this account; where it does not, a sentence says why."""
        labels = self.context.labels
        if self.page != page:
            self.say(labels("oversight.elsewhere", page=labels(f"oversight.{page}")))
        elif self.context.roles.isdisjoint(roles):
            self.say(labels("oversight.not_yours"))
        else:
            return True
        return False

    def sure(self, title: str, no: str, yes: str, then: Callable[[], None]) -> None:
        """Ask before something that cannot be taken back; `no` and `yes` are texts, `title` the key of a label."""

        def chosen(answer: str) -> None:
            if answer == "yes":
                then()

        self.pick(title, [Choice("no", no, "n"), Choice("yes", yes, "y")], chosen)

    def ask(self, form: Form, done: str) -> None:
        """Open a form; when the node took it, say so. The page is read again by itself."""
        self.say("")

        def ended(answer: Record | None) -> None:
            if answer is not None:
                told = {name: answer.get(name, "") for name in ("id", "targets", "subjects")}
                told["subjects"] = len(told["subjects"])
                self.say(self.context.labels(done, **told), good=True)

        self.app.push_screen(FormScreen(self.context, form, None), ended)
