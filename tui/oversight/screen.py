"""The oversight screen 监管: ledgers with limits, what is odd, campaigns, appeals; every line opens to its cases."""

from __future__ import annotations

from functools import partial
from typing import Any

from textual import on
from textual.binding import Binding
from textual.message import Message
from textual.widgets import DataTable

from tui.fields import Choice
from tui.messages import Told
from tui.oversight import text as oversight_text
from tui.oversight.text import PAGES
from tui.screens.paged import PagedScreen
from tui.widgets.rows import Rows
from tui.work import careful, worker

Record = dict[str, Any]
DECIDERS = frozenset(("assessor", "leader", "admin"))
LIMIT = 200


class PageRead(Message):
    """What a page shows."""

    def __init__(self, page: str, found: Record) -> None:
        super().__init__()
        self.page, self.found = page, found


class InsideRead(Message):
    """What a line opens to: the rows of a ledger, the cases of a finding, how far a campaign is."""

    def __init__(self, kind: str, name: str, found: Any) -> None:
        super().__init__()
        self.kind, self.name, self.found = kind, name, found


class OversightScreen(PagedScreen):
    """Four pages of one table; Enter opens a line, Escape comes back."""

    TITLE_KEY = "screen.oversight"
    BINDINGS = [
        Binding("less_than_sign,comma", "period('previous')", "key.period_before", id="oversight.before"),
        Binding("greater_than_sign,full_stop", "period('next')", "key.period_after", id="oversight.after"),
        Binding("y", "decide(True)", "key.approve", id="oversight.approve"),
        Binding("x", "decide(False)", "key.refuse", id="oversight.refuse"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.page, self.period = PAGES[0], ""
        self.found: dict[str, Record] = {}
        self.inside: tuple[str, str, Any] | None = None

    @property
    def items(self) -> list[Record]:
        """The records of the page."""
        items: list[Record] = self.found.get(self.page, {}).get("items", [])
        return items

    @property
    def selected(self) -> Record | None:
        """The record under the cursor, None inside a line."""
        if self.inside is not None:
            return None
        key = self.rows.selected
        return next((item for item in self.items if _key(self.page, item) == key), None)

    # Drawing.

    def relabel(self) -> None:
        self._draw(keep=True)

    def _draw(self, *, keep: bool) -> None:
        self.draw_pages(PAGES, self.page, "oversight")
        self.draw_title(self.period if self.page in ("ledgers", "findings") else "")
        if self.page in self.found:
            self.rows.fill(*self._table(), keep=keep)
        self._draw_below()
        self._draw_keys()

    def _table(self) -> Any:
        labels = self.context.labels
        if self.inside is not None and self.inside[0] == "ledger":
            return oversight_text.entry_rows(self.inside[2], labels)
        if self.inside is not None and self.inside[0] == "finding":
            return oversight_text.number_rows(self.inside[2], labels)
        make = {
            "ledgers": oversight_text.ledger_rows, "findings": oversight_text.finding_rows,
            "campaigns": oversight_text.campaign_rows, "appeals": oversight_text.appeal_rows,
        }  # fmt: skip
        return make[self.page](self.items, labels)

    def _draw_below(self) -> None:
        self.draw_below((line, "") for line in self._below())

    def _below(self) -> list[str]:
        labels, item = self.context.labels, self.selected
        if self.inside is not None:
            kind, name, found = self.inside
            return oversight_text.shares(found, labels) if kind == "campaign" else [name]
        if not self.items and self.page in self.found:
            return [labels(f"oversight.no_{self.page}")]
        if item is None:
            return []
        if self.page == "findings":
            kind = next(each for each in self.found["findings"]["kinds"] if each["kind"] == item["kind"])
            return [item["name"], labels.pick(kind["rule"], kind["rule_english"])]
        if self.page == "appeals":
            return [f"{item['scope']} {item['subject']} {item['number']}", item["reason"], item["note"] or ""]
        return []

    def _draw_keys(self) -> None:
        labels, item = self.context.labels, self.selected
        keys = [("Enter", labels("key.open_case" if self.inside else "key.cases_behind"))]
        if self.inside is not None:
            keys.append(("Esc", labels("key.back")))
        elif self.page in ("ledgers", "findings"):
            keys.append((",.", labels("key.periods")))
        elif self._may_decide(item):
            keys += [("y", labels("key.approve")), ("x", labels("key.refuse"))]
        self.draw_keys(keys)

    # What the node told.

    @on(PageRead)
    def _page_read(self, event: PageRead) -> None:
        self.found[event.page] = event.found
        if event.page == self.page:
            self.period = event.found.get("period", self.period)
            self._draw(keep=True)

    @on(InsideRead)
    def _inside_read(self, event: InsideRead) -> None:
        self.inside = (event.kind, event.name, event.found)
        self._draw(keep=event.kind == "campaign")

    @on(Rows.Moved)
    def _moved(self) -> None:
        if self.inside is not None and self.inside[0] == "campaign":
            self.inside = None
        self._draw_below()
        self._draw_keys()

    @on(DataTable.RowSelected)
    def _row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        item = self.selected
        if self.inside is not None:
            number = self.rows.selected.rpartition(" ")[2]
            if number and self.inside[0] != "campaign":
                self.console.open_number(number)
        elif item is None:
            return
        elif self.page == "findings":
            self.post_message(InsideRead("finding", item["name"], item["numbers"]))
        elif self.page == "appeals":
            self.console.open_number(item["number"])
        else:
            worker(self, partial(self._open, self.page, item), "inside")

    # Calls to the node.

    def _load(self, page: str) -> None:
        worker(self, partial(self._read, page), "page")

    @careful
    async def _read(self, page: str) -> None:
        client = self.context.client
        query: Record = {"period": self.period} if page in ("ledgers", "findings") else {}
        path = {"findings": "analysis"}.get(page, page)
        if page == "appeals":
            query["limit"] = LIMIT
        found = await client.get(f"/api/v1/{path}", **query)
        if page in ("ledgers", "findings"):
            scores = await client.get("/api/v1/scores", scope="platform", period=found["period"])
            found |= {"previous": scores["previous"], "next": scores["next"]}
        self.post_message(PageRead(page, found))

    @careful
    async def _open(self, page: str, item: Record) -> None:
        client = self.context.client
        if page == "ledgers":
            rows = await client.items(f"/api/v1/ledgers/{item['ledger']}", period=self.period, limit=LIMIT)
            self.post_message(InsideRead("ledger", item["name"], rows))
        else:
            found = await client.get(f"/api/v1/campaigns/{item['code']}/progress")
            self.post_message(InsideRead("campaign", item["name"], found))

    @careful
    async def _decide(self, id_: int, approve: bool) -> None:
        await self.context.client.post(f"/api/v1/appeals/{id_}/decision", {"approve": approve})
        self.post_message(Told(self.context.labels("appeal.decided"), good=True))
        await self._read("appeals")

    # What the operator does.

    def action_page(self, step: int) -> None:
        self.page, self.inside = PAGES[(PAGES.index(self.page) + step) % len(PAGES)], None
        self.say("")
        self.rows.fill([], [], keep=False)
        self._draw(keep=False)
        self._load(self.page)

    def action_period(self, which: str) -> None:
        name = self.found.get(self.page, {}).get(which)
        if name is not None and self.inside is None:
            self.period = name
            self._load(self.page)

    def _may_decide(self, item: Record | None) -> bool:
        waits = self.page == "appeals" and item is not None and item["approved"] is None
        return waits and bool(self.context.roles & DECIDERS)

    def action_decide(self, approve: bool) -> None:
        item, labels = self.selected, self.context.labels
        if item is None or not self._may_decide(item):
            return
        word = labels("key.approve" if approve else "key.refuse")
        choices = [Choice("no", labels("key.cancel"), "n"), Choice("yes", f"{word} {item['number']}", "y")]

        def chosen(answer: str) -> None:
            if answer == "yes":
                worker(self, self._decide(item["id"], approve), "decide")

        self.pick("oversight.decide", choices, chosen)

    def action_reload(self) -> None:
        self.inside = None
        self._load(self.page)

    async def action_leave(self) -> None:
        if self.inside is not None:
            self.inside = None
            self._draw(keep=False)
            return
        await super().action_leave()


def _key(page: str, item: Record) -> str:
    """The key of a record's row."""
    if page == "findings":
        return f"{item['kind']} {item['subject']}"
    return str(item[{"ledgers": "ledger", "campaigns": "code"}.get(page, "id")])
