"""The shift desk 值班: who is on duty, handing over and taking over, roster, log, calls, leaders' instructions.

One table whose content is the page; the lines below it belong to the row under the cursor.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Static

from tui.cells import wrap
from tui.context import SEES_PHONES
from tui.fields import TEXT, Choice, Field, Form
from tui.screens.base import SeatScreen
from tui.screens.form import FormScreen
from tui.screens.pick import PickScreen
from tui.shift import text as shift_text
from tui.shift.calls import CaseRead, FormReady, ReplyReady, ShiftCalls, ShiftPageRead
from tui.show import ZONE
from tui.widgets.bars import Banner, KeyLine, TitleLine
from tui.widgets.rows import Rows

Record = dict[str, Any]
PAGES = ("now", "roster", "log", "calls", "instructions")
WATCHED = ("now", "roster", "instructions")
"""Pages of those who look on (leader, assessor, administrators). Departments and collectors have instructions alone."""
PAGE_OF_ACTION = {
    "sign_on": "now", "sign_off": "now", "confirm": "now", "turn": "roster", "week": "roster", "copy_week": "roster",
    "filter": "log", "answered": "calls", "reply": "instructions",
}  # fmt: skip
"""Actions that one page alone has; the others are everywhere."""
AT_THE_DESK = ("sign_on", "sign_off", "confirm", "entry")
WATCHERS = frozenset(["leader", "assessor", "admin", "technician"])
ROSTER_KEEPERS = frozenset(["shift_leader", "admin", "technician"])
FORM_SECONDS = 2.0
WEEK = timedelta(days=7)


class ShiftScreen(ShiftCalls, SeatScreen):
    """The shift of this seat and all that belongs to shifts."""

    TITLE_KEY = "screen.shift"
    DEFAULT_CSS = """
    ShiftScreen #pages { height: 1; background: $surface; }
    ShiftScreen #below { height: auto; max-height: 45%; border-top: solid $surface; padding: 0 1; }
    """
    BINDINGS = [
        Binding("left_square_bracket", "page(-1)", "key.previous_page", id="shift.previous"),
        Binding("right_square_bracket", "page(1)", "key.next_page", id="shift.next"),
        Binding("s", "sign_on", "key.sign_on", id="shift.sign_on"),
        Binding("o", "sign_off", "key.sign_off", id="shift.sign_off"),
        Binding("c", "confirm", "key.confirm", id="shift.confirm"),
        Binding("e", "entry", "key.entry", id="shift.entry"),
        Binding("1", "turn(1)", "key.turn", id="shift.turn"),
        *(Binding(str(at), f"turn({at})", "key.turn", id=f"shift.turn_{at}", show=False) for at in range(2, 10)),
        Binding("0,delete", "turn(0)", "key.rest", id="shift.rest"),
        Binding("less_than_sign,comma", "week(-1)", "key.week_before", id="shift.week_before"),
        Binding("greater_than_sign,full_stop", "week(1)", "key.week_after", id="shift.week_after"),
        Binding("y", "copy_week", "key.copy_week", id="shift.copy"),
        Binding("f", "filter", "key.filter", id="shift.filter"),
        Binding("a", "answered", "key.answered", id="shift.answered"),
        Binding("r", "reply", "key.reply", id="shift.reply"),
        Binding("J", "turn_below(1)", "key.scroll_down", id="shift.down"),
        Binding("K", "turn_below(-1)", "key.scroll_up", id="shift.up"),
        Binding("N", "reload", "key.reload", id="shift.reload"),
        Binding("escape", "leave", "key.back", id="shift.leave"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.page = ""
        self.log_kind = ""
        today = datetime.now(ZONE).date()
        self.first_day = (today - timedelta(days=today.weekday())).isoformat()
        self.found: dict[str, Record] = {}

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield Static("", id="pages", markup=False)
        yield Rows()
        with VerticalScroll(id="below", can_focus=False):
            yield Static("", id="text", markup=False)
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        self.page = self.pages[0]
        self.rows.focus()
        self.relabel()

    def on_screen_resume(self) -> None:
        self.console.let_keys_go()
        self.load()

    @property
    def rows(self) -> Rows:
        """The table."""
        return self.query_one(Rows)

    @property
    def pages(self) -> tuple[str, ...]:
        """The pages that this account may read."""
        if self.works_at_desk:
            return PAGES
        return WATCHED if self.context.roles & WATCHERS else ("instructions",)

    @property
    def works_at_desk(self) -> bool:
        """Whether this account has shifts."""
        return bool(self.context.roles & SEES_PHONES)

    @property
    def items(self) -> list[Record]:
        """The records of a page that is a list."""
        items: list[Record] = self.found.get(self.page, {}).get("items", [])
        return items

    @property
    def selected_item(self) -> Record | None:
        """The record under the cursor of a page that is a list."""
        return next((item for item in self.items if str(item["id"]) == self.rows.selected), None)

    @property
    def now(self) -> Record | None:
        """Who is on duty, once it was read."""
        return self.found.get("now", {}).get("now")

    @property
    def handover(self) -> Record | None:
        """The waiting handover under the cursor, else the only one."""
        waiting: list[Record] = self.found.get("now", {}).get("handovers", [])
        chosen = [item for item in waiting if f"handover {item['id']}" == self.rows.selected]
        return chosen[0] if chosen else waiting[0] if len(waiting) == 1 else None

    # Drawing.

    def relabel(self) -> None:
        self._draw(keep=True)

    def _draw(self, *, keep: bool) -> None:
        labels = self.context.labels
        line = Text(" ", no_wrap=True)
        for page in self.pages:
            line.append(f" {labels('shift.page_' + page)} ", "reverse" if page == self.page else "").append(" ")
        if self.page == "log":
            line.append(f" {labels('log.' + (self.log_kind or 'all'))}", "dim")
        self.query_one("#pages", Static).update(line, layout=False)
        self.draw_title(shift_text.running_text(self.now, labels) if self.now else "")
        found = self.found.get(self.page)
        columns, rows = self._rows(found) if found is not None else ([], [])
        self.rows.fill(columns, rows, by_cell=self.page == "roster", keep=keep)
        self._draw_below()
        self._draw_keys()

    def _rows(self, found: Record) -> Any:
        labels = self.context.labels
        if self.page == "now":
            return shift_text.now_rows(found["now"], found["handovers"], labels)
        if self.page == "roster":
            return shift_text.roster_rows(found, labels)
        make = {"log": shift_text.log_rows, "calls": shift_text.call_rows, "instructions": shift_text.instruction_rows}
        return make[self.page](found["items"], labels)

    def _draw_below(self) -> None:
        width = max(self.app.size.width - 3, 40)
        lines = [line for text in self._below() for line in wrap(text, width)]
        self.query_one("#text", Static).update(Text("\n".join(lines), no_wrap=True))

    def _below(self) -> list[str]:
        labels, item = self.context.labels, self.selected_item
        if self.page == "now" and self.now is not None:
            handover = self.handover
            told = shift_text.handover_text(handover, labels) if handover else []
            mine = [shift_text.my_shift(self.now, labels)] if self.works_at_desk else []
            return [*mine, *shift_text.patrols_text(self.found["now"].get("patrols"), labels), *told]
        if self.page == "roster" and "roster" in self.found:
            return [shift_text.roster_legend(self.found["roster"], labels)]
        if self.page == "log" and item is not None:
            return [shift_text.log_text(item)]
        if self.page == "instructions" and item is not None:
            return shift_text.instruction_text(item, labels)
        return []

    def _draw_keys(self) -> None:
        labels, item = self.context.labels, self.selected_item
        keys: list[tuple[str, str]] = []
        if self.page == "now" and self.now is not None and self.works_at_desk:
            mine = self.now["mine"]
            keys.append(("o", labels("key.sign_off")) if mine else ("s", labels("key.sign_on")))
            if mine and self.handover:
                keys.append(("c", labels("key.confirm")))
        elif self.page == "roster":
            if self._keeps_roster:
                keys += [("1-9", labels("key.turn")), ("0", labels("key.rest")), ("y", labels("key.copy_week"))]
            keys.append((",.", f"{labels('key.week_before')}/{labels('key.week_after')}"))
        elif self.page == "log":
            keys.append(("f", labels("key.filter")))
        elif self.page == "calls" and item is not None and item["answered_at"] is None:
            keys.append(("a", labels("key.answered")))
        elif self.page == "instructions" and item is not None:
            keys.append(("r", labels("key.reply")))
        if item is not None and item.get("case"):
            keys.append(("Enter", labels("key.open_case")))
        if self.works_at_desk:
            keys.append(("e", labels("key.entry")))
        self.draw_keys(keys)

    def always_keys(self) -> list[tuple[str, str]]:
        labels = self.context.labels
        return [("[ ]", labels("key.pages")), ("N", labels("key.reload")), ("?", labels("key.help"))]

    # What the node told.

    @on(ShiftPageRead)
    def _page_read(self, event: ShiftPageRead) -> None:
        if event.more and event.page in self.found:
            event.found["items"] = [*self.found[event.page]["items"], *event.found["items"]]
        self.found[event.page] = event.found
        if event.page == self.page:
            self._draw(keep=True)

    @on(FormReady)
    def _form_ready(self, event: FormReady) -> None:
        self._show(event.form, None, event.done)

    @on(ReplyReady)
    def _reply_ready(self, event: ReplyReady) -> None:
        self._show(event.form, event.version, "shift.replied")

    @on(CaseRead)
    async def _case_read(self, event: CaseRead) -> None:
        await self.console.open_case(event.record)

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._draw_below()
        self._draw_keys()

    @on(Rows.NearEnd)
    def _near_end(self) -> None:
        following = self.found.get(self.page, {}).get("next")
        if following is not None:
            self.found[self.page]["next"] = None
            self.load(after=following)

    @on(DataTable.RowSelected)
    def _row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        item = self.selected_item
        if self.page == "now" and self.works_at_desk:
            self.action_confirm()
        elif item is not None and item.get("case"):
            self.read_case(item["case"])

    # What the operator does.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return PAGE_OF_ACTION.get(action, self.page) == self.page and (action not in AT_THE_DESK or self.works_at_desk)

    def action_page(self, step: int) -> None:
        self.page = self.pages[(self.pages.index(self.page) + step) % len(self.pages)]
        self.say("")
        self._draw(keep=False)
        self.load()

    def action_reload(self) -> None:
        self.say("")
        self.load()

    def action_turn_below(self, step: int) -> None:
        below = self.query_one("#below", VerticalScroll)
        below.scroll_relative(y=step * max(below.size.height - 1, 1), animate=False)

    def action_sign_on(self) -> None:
        if self.now is not None and self.now["mine"] is None:
            self.console.hold_keys(FORM_SECONDS)
            self.build_sign_on(self.now)

    def action_sign_off(self) -> None:
        if self.now is not None and self.now["mine"] is not None:
            self.console.hold_keys(FORM_SECONDS)
            self.build_sign_off(self.now["mine"])

    def action_confirm(self) -> None:
        handover = self.handover
        if handover is None:
            self.say(self.context.labels("shift.no_handover"))
        else:
            self.post(f"/api/v1/handovers/{handover['id']}/confirm", {}, self.context.labels("shift.confirmed"))

    def action_entry(self) -> None:
        labels = self.context.labels
        choices = [Choice(kind, labels(f"log.{kind}"), str(at)) for at, kind in enumerate(shift_text.BY_HAND, 1)]

        def chosen(kind: str | None) -> None:
            if kind is not None:
                self.console.hold_keys(FORM_SECONDS)
                fields = (Field("text", TEXT, True),)
                form = Form(labels(f"log.{kind}"), "", "/api/v1/shift-log", fields, fixed=(("kind", kind),))
                self._show(form, None, "shift.entered")

        self.app.push_screen(PickScreen(labels("key.entry"), choices), chosen)

    def action_turn(self, at: int) -> None:
        roster, labels = self.found.get("roster"), self.context.labels
        column = self.rows.cursor_coordinate.column
        if roster is None or not self.rows.selected or column == 0 or at > len(roster["turns"]):
            return
        if not self._keeps_roster:
            self.say(labels("shift.roster_for_leader"))
            return
        turn = roster["turns"][at - 1]["turn"] if at else None
        entry = {"day": roster["days"][column - 1], "account": self.rows.selected, "shift": turn}
        self.post("/api/v1/roster", {"entries": [entry]}, labels("shift.saved"), method="PUT")

    def action_week(self, step: int) -> None:
        self.first_day = (date.fromisoformat(self.first_day) + step * WEEK).isoformat()
        self.load()

    def action_copy_week(self) -> None:
        if not self._keeps_roster:
            self.say(self.context.labels("shift.roster_for_leader"))
            return
        before = (date.fromisoformat(self.first_day) - WEEK).isoformat()
        body = {"from": before, "to": self.first_day}
        self.post("/api/v1/roster/copy", body, self.context.labels("shift.saved"))

    def action_filter(self) -> None:
        filters = shift_text.LOG_FILTERS
        self.log_kind = filters[(filters.index(self.log_kind) + 1) % len(filters)]
        self._draw(keep=False)
        self.load()

    def action_answered(self) -> None:
        item = self.selected_item
        if item is not None and item["answered_at"] is None:
            self.post(f"/api/v1/calls/{item['id']}/answered", {}, self.context.labels("shift.noted"))

    def action_reply(self) -> None:
        item = self.selected_item
        if item is not None:
            self.console.hold_keys(FORM_SECONDS)
            self.build_reply(item)

    async def action_leave(self) -> None:
        await self.console.action_go("desk")

    @property
    def _keeps_roster(self) -> bool:
        return not self.context.roles.isdisjoint(ROSTER_KEEPERS)

    def _show(self, form: Form, version: int | None, done: str) -> None:
        """Open a form; when the node took it, say so and read the page again."""
        self.say("")

        def ended(answer: Record | None) -> None:
            if answer is not None:
                turn = shift_text.turn_text(answer, self.context.labels) if "turn_name" in answer else ""
                self.say(self.context.labels(done, id=answer.get("id", ""), turn=turn), good=True)
                self.load()

        self.app.push_screen(FormScreen(self.context, form, version), ended)
