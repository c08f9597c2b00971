"""The oversight screen's calls to the node. They run in workers, touch no widget and end in a message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.fields import Choice, Form
from tui.messages import Told
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
        self.post_message(PageRead(page, found))

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
