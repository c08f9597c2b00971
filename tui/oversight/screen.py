"""The oversight screen 监管: ledgers with limits, what is odd, campaigns, appeals, spot checks; every line opens."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual import on
from textual.binding import Binding
from textual.widgets import DataTable

from tui.oversight import finding_map, spot_text
from tui.oversight import text as oversight_text
from tui.oversight.calls import WITH_PERIOD, FormReady, Inside, InsideRead, PageRead
from tui.oversight.campaigns import Campaigns
from tui.oversight.plans import Plans, PlansRead
from tui.oversight.registers import Registers
from tui.oversight.spot_checks import READERS as SPOT_READERS
from tui.oversight.spot_checks import SpotChecks
from tui.oversight.text import PAGES
from tui.screens.paged import PagedScreen
from tui.widgets.rows import Rows

Record = dict[str, Any]
OFFICE = frozenset(("shift_leader", "leader", "assessor", "admin", "technician"))
"""Who oversees; the others follow their own appeals."""
DECIDERS = frozenset(("assessor", "leader", "admin"))
ONE = {"ledgers": "ledger", "campaigns": "campaign", "spot_checks": "draw"}
"""What a line of these pages opens to, read from the node."""
OPENS = {"appeals": "key.open_case", "campaigns": "key.open_line", "spot_checks": "key.open_line"}


class OversightScreen(Registers, Campaigns, Plans, SpotChecks, PagedScreen):
    """Pages of one table; Enter opens a line, Escape comes back."""

    TITLE_KEY = "screen.oversight"
    BINDINGS = [
        Binding("less_than_sign,comma", "period('previous')", "key.period_before", id="oversight.before"),
        Binding("greater_than_sign,full_stop", "period('next')", "key.period_after", id="oversight.after"),
        Binding("e", "enter", "key.enter_record", id="oversight.enter"),
        Binding("c", "close_entry", "key.close_entry", id="oversight.close_entry"),
        Binding("m", "make_campaign", "key.make_campaign", id="oversight.make_campaign"),
        Binding("t", "targets", "key.give_targets", id="oversight.targets"),
        Binding("X", "end_campaign", "key.end_campaign", id="oversight.end_campaign"),
        Binding("p", "plans", "key.plans", id="oversight.plans"),
        Binding("d", "draw", "key.draw", id="oversight.draw"),
        Binding("r", "finding", "key.finding", id="oversight.finding"),
        Binding("s", "settlement", "key.settlement", id="oversight.settlement"),
        Binding("y", "decide(True)", "key.approve", id="oversight.approve"),
        Binding("x", "decide(False)", "key.refuse", id="oversight.refuse"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.page, self.period = PAGES[0], ""
        self.found: dict[str, Record] = {}
        self.inside: Inside | None = None

    def on_mount(self) -> None:
        self.page = self.pages[0]

    @property
    def pages(self) -> tuple[str, ...]:
        """The pages that this account may read."""
        roles = self.context.roles
        if roles & SPOT_READERS:
            return PAGES
        return PAGES[:-1] if roles & OFFICE else ("appeals",)

    @property
    def items(self) -> list[Record]:
        """The records of the page."""
        items: list[Record] = self.found.get(self.page, {}).get("items", [])
        return items

    @property
    def selected(self) -> Record | None:
        """The record of the page under the cursor; None where a line is open to rows of its own."""
        if self.inside is not None and self.inside.kind != "campaign":
            return None
        key = self.rows.selected
        return next((item for item in self.items if _key(self.page, item) == key), None)

    @property
    def selected_inside(self) -> Record | None:
        """The row under the cursor of a ledger or a draw that is open."""
        if self.inside is None or self.inside.kind not in ("ledger", "draw"):
            return None
        key = self.rows.selected.partition(" ")[0]
        rows: list[Record] = self.inside.found
        return next((row for row in rows if str(row["id"]) == key), None)

    def ledger_kind(self, ledger: str) -> str:
        items: list[Record] = self.found.get("ledgers", {}).get("items", [])
        return next((str(item["kind"]) for item in items if item["ledger"] == ledger), "")

    def campaigns_there(self) -> list[Record]:
        items: list[Record] = self.found.get("campaigns", {}).get("items", [])
        return items

    # Drawing.

    def relabel(self) -> None:
        self._draw(keep=True)

    def _draw(self, *, keep: bool) -> None:
        self.draw_pages(self.pages, self.page, "oversight")
        self.draw_title(self.period if self.page in WITH_PERIOD else "")
        if self.page in self.found:
            self.rows.fill(*self._table(), keep=keep)
        self._draw_below()
        self._draw_keys()

    def _table(self) -> Any:
        labels, inside = self.context.labels, self.inside
        if inside is not None and inside.kind == "ledger":
            return oversight_text.entry_rows(inside.found, labels)
        if inside is not None and inside.kind == "finding":
            return oversight_text.number_rows(inside.found["item"]["numbers"], labels)
        if inside is not None and inside.kind == "draw":
            return spot_text.check_rows(inside.found, self._kind_of_draw(inside.key), labels)
        make = {
            "ledgers": oversight_text.ledger_rows, "findings": oversight_text.finding_rows,
            "campaigns": oversight_text.campaign_rows, "appeals": oversight_text.appeal_rows,
            "spot_checks": spot_text.draw_rows,
        }  # fmt: skip
        return make[self.page](self.items, labels)

    def _kind_of_draw(self, key: str) -> str:
        draws: list[Record] = self.found.get("spot_checks", {}).get("items", [])
        return next((str(draw["kind"]) for draw in draws if str(draw["id"]) == key), "")

    def _draw_below(self) -> None:
        self.draw_below(((line, "") for line in self._below()), self._picture())

    def _picture(self) -> Text | None:
        """The small map of the finding under the cursor, or of the cases of the one that is open."""
        inside, item, braille = self.inside, self.selected, self.context.braille is not False
        if inside is not None and inside.kind == "finding":
            ground, item, number = inside.found["ground"], inside.found["item"], self.rows.selected
            at = item["numbers"].index(number) if number in item["numbers"] else None
            if ground is None:
                return None
            return finding_map.draw(ground.view, ground.content, item, hidden=finding_map.CLOSE, at=at, braille=braille)
        if self.page != "findings" or item is None or not item["points"]:
            return None
        ground, others = self.found["findings"]["ground"], [one for one in self.items if one["kind"] == item["kind"]]
        return finding_map.draw(ground.view, ground.content, item, others, braille=braille)

    def _below(self) -> list[str]:
        labels, item = self.context.labels, self.selected
        if self.inside is not None:
            if self.inside.kind == "campaign":
                return oversight_text.shares(self.inside.found, labels)
            row, empty = self.selected_inside, self.inside.kind == "ledger" and not self.inside.found
            told = [labels("ledger.empty")] if empty else [] if row is None else self._about_row(row)
            return [self.inside.name, *told]
        if not self.items and self.page in self.found:
            return [labels(f"oversight.no_{self.page}")]
        if item is None:
            return []
        if self.page == "findings":
            kind = next(each for each in self.found["findings"]["kinds"] if each["kind"] == item["kind"])
            told = [item["name"], labels.pick(kind["rule"], kind["rule_english"]), finding_map.course(item, labels)]
            return [line for line in told if line]
        if self.page == "appeals":
            return [f"{item['scope']} {item['subject']} {item['number']}", item["reason"], item["note"] or ""]
        return spot_text.draw_lines(item, labels) if self.page == "spot_checks" else []

    def _about_row(self, row: Record) -> list[str]:
        labels, is_draw = self.context.labels, self.inside is not None and self.inside.kind == "draw"
        return spot_text.check_lines(row, labels) if is_draw else oversight_text.entry_lines(row, labels)

    def _opens(self) -> str:
        """The label of what Enter opens; empty where there is nothing to open."""
        if self.inside is not None and self.inside.kind != "campaign":
            return "key.open_case" if self.rows.selected.rpartition(" ")[2] else ""
        return OPENS.get(self.page, "key.cases_behind") if self.rows.selected else ""

    def _draw_keys(self) -> None:
        labels, item = self.context.labels, self.selected
        keys = [("Enter", labels(opens))] if (opens := self._opens()) else []
        keys += self.register_keys() + self.campaign_keys() + self.plan_keys() + self.spot_keys()
        if self.inside is not None:
            keys.append(("Esc", labels("key.back")))
        elif self.page in WITH_PERIOD:
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
        if event.again and (self.inside is None or self.inside.key != event.inside.key):
            return  # it was left meanwhile
        self.inside = event.inside
        if not event.again:
            self.say("")
        self._draw(keep=event.again or event.inside.kind == "campaign")

    @on(FormReady)
    def _form_ready(self, event: FormReady) -> None:
        self.ask(event.form, event.done)

    @on(PlansRead)
    def _plans_read(self, event: PlansRead) -> None:
        self.offer_plans(event.plans)

    @on(Rows.Moved)
    def _moved(self) -> None:
        if self.inside is not None and self.inside.kind == "campaign":
            self.inside = None
        self._draw_below()
        self._draw_keys()

    @on(DataTable.RowSelected)
    def _row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        item, inside = self.selected, self.inside
        if inside is not None and inside.kind != "campaign":
            number = self.rows.selected.rpartition(" ")[2]
            if number:
                self.console.open_number(number)
        elif item is None:
            return
        elif self.page == "findings":
            self.open_finding(_key(self.page, item), item)
        elif self.page == "appeals":
            self.console.open_number(item["number"])
        else:
            name = oversight_text.name_of(self.page, item, self.context.labels)
            self.open_line(ONE[self.page], _key(self.page, item), name)

    # What the operator does.

    def action_page(self, step: int) -> None:
        pages = self.pages
        self.page, self.inside = pages[(pages.index(self.page) + step) % len(pages)], None
        self.say("")
        self.rows.fill([], [], keep=False)
        self._draw(keep=False)
        self.load(self.page)

    def action_period(self, which: str) -> None:
        name = self.found.get(self.page, {}).get(which)
        if name is not None and self.inside is None:
            self.period = name
            self.load(self.page)

    def _may_decide(self, item: Record | None) -> bool:
        waits = self.page == "appeals" and item is not None and item["approved"] is None
        return waits and bool(self.context.roles & DECIDERS)

    def action_decide(self, approve: bool) -> None:
        item, labels = self.selected, self.context.labels
        if item is None or not self._may_decide(item):
            return
        word = labels("key.approve" if approve else "key.refuse")
        path, body = f"/api/v1/appeals/{item['id']}/decision", {"approve": approve}
        self.sure(
            "oversight.decide", labels("key.cancel"), f"{word} {item['number']}",
            lambda: self.post(path, body, labels("appeal.decided")),
        )  # fmt: skip

    def come_back(self) -> None:
        """Read the page again; a line that is open stays open and is read again too."""
        inside = self.inside
        if inside is not None and inside.kind in ONE.values():
            self.open_line(inside.kind, inside.key, inside.name, again=True)
        self.load(self.page)

    def action_reload(self) -> None:
        self.inside = None
        self.load(self.page)

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
    return str(item[oversight_text.KEYS.get(page, "id")])
