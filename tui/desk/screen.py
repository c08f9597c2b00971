"""The desk 案件台: the queue of cases, live, with the selected case beside it and its actions on single keys."""

from __future__ import annotations

from time import monotonic
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import Key, Resize
from textual.widgets import Input

from tui.desk.acting import FORM_SECONDS, DeskActing
from tui.desk.calls import DeskCalls
from tui.desk.detail import Detail
from tui.desk.filters import DeskFilters
from tui.desk.marking import DeskMarking
from tui.desk.papers import DeskPapers
from tui.desk.queue import Queue
from tui.desk.search import parse_search
from tui.desk.view_line import ViewLine
from tui.desk.views import View, views_for
from tui.keys import ActionKey, assign_keys
from tui.live import listen
from tui.messages import (
    CallHeard,
    CaseSeen,
    ChangeHeard,
    PageRead,
    SummaryRead,
    Surroundings,
    SurroundingsRead,
)
from tui.screens.base import SeatScreen
from tui.show import state_text
from tui.widgets.bars import Banner, KeyLine, TitleLine
from tui.work import worker

Record = dict[str, Any]
CLOCK_SECONDS = 20.0
"""How often the desk looks whether a case has become overdue; nothing is drawn unless one has."""
OPENING = {".", "R", "A", "B"}
PAPER = {"p", "P", "W"}
MOVES = frozenset(("up", "down", "pageup", "pagedown", "home", "end", "ctrl+home", "ctrl+end"))
MOVING_SECONDS = 0.15
"""After a cursor key the cursor is taken to be at rest when no other came for so long."""
"""Keys beside the actions' own that open a form or a list."""


class DeskScreen(DeskActing, DeskMarking, DeskFilters, DeskPapers, DeskCalls, SeatScreen):
    """Queue, detail, actions."""

    TITLE_KEY = "screen.desk"
    BINDINGS = [
        Binding("slash", "search", "key.search", id="desk.search"),
        Binding("escape", "leave_search", "key.leave_search", id="desk.leave"),
        Binding("left_square_bracket", "view(-1)", "key.previous_view", id="desk.previous_view"),
        Binding("right_square_bracket", "view(1)", "key.next_view", id="desk.next_view"),
        Binding("space", "mark", "key.mark", id="desk.mark"),
        Binding("M", "mark_all", "key.mark_all", id="desk.mark_all"),
        Binding("tab", "fold", "key.fold", id="desk.fold"),
        Binding("J", "scroll(1)", "key.scroll_down", id="desk.scroll_down"),
        Binding("K", "scroll(-1)", "key.scroll_up", id="desk.scroll_up"),
        Binding("N", "reload", "key.reload", id="desk.reload"),
        Binding("full_stop", "all_actions", "key.all_actions", id="desk.actions"),
        Binding("R", "request", "key.request", id="desk.request"),
        Binding("A", "decide", "key.decide", id="desk.decide"),
        Binding("B", "on_behalf", "key.on_behalf", id="desk.behalf"),
        Binding("F", "filter", "key.filter", id="desk.filter"),
        Binding("X", "forget_view", "key.forget_view", id="desk.forget_view"),
        Binding("p", "pictures", "evidence.title", id="desk.pictures"),
        Binding("P", "print_slip", "key.print_slip", id="desk.slip"),
        Binding("W", "case_paper", "key.case_paper", id="desk.paper"),
        Binding("E", "emergency", "key.emergency", id="desk.emergency"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.action_keys: tuple[ActionKey, ...] = ()
        self.around: Surroundings | None = None
        self.search_filter: Record = {}
        self.following: str | None = None
        self.new_rows: set[str] = set()
        self.changed: set[str] = set()
        self.offers: dict[tuple[str, int], list[Record]] = {}
        self.view: View | None = None
        self.summary: Record = {}
        self._keep_cursor = True
        self._moved_at = 0.0
        self._rung: set[str] = set()

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield ViewLine(self.context)
        yield Queue(self.context)
        yield Detail(self.context)
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        self.views = views_for(self.context.roles)
        self.view = self.views[0]
        self.queue.focus()
        self.relabel()
        self.load()
        self.load_own_views()
        worker(self, listen(self), "live")
        self.set_interval(CLOCK_SECONDS, self.look_at_clock)

    @property
    def queue(self) -> Queue:
        """The table of cases."""
        return self.query_one(Queue)

    def relabel(self) -> None:
        self.queue.relabel()
        self.query_one(Detail).relabel()
        self.draw_lines()

    @on(Resize)
    def _resized(self) -> None:
        self.draw_lines()

    def draw_lines(self) -> None:
        """Title, views and keys."""
        labels = self.context.labels
        states = self.summary.get("states", {})
        mine = [state for state in ("reported", "accepted", "filed", "handled", "checked") if states.get(state)]
        figures = [f"{state_text(state, labels)} {states[state]}" for state in mine[:3]]
        if self.summary:
            figures.append(f"{labels('view.overdue')} {self.summary['overdue']}")
        self.draw_title("  ".join(figures))
        if self.view is not None:
            rows = f"{self.queue.row_count}{'+' if self.following else ''}"
            new = labels("desk.new_rows", count=len(self.new_rows)) + " " if self.new_rows else ""
            marked = labels("desk.marked", count=len(self.queue.marked)) + " " if self.queue.marked else ""
            self.query_one(ViewLine).show(self.views, self.view, f"{marked}{new}{rows}")
        self._draw_keys()

    def _draw_keys(self) -> None:
        labels, record = self.context.labels, self.queue.selected
        first: list[tuple[str, str]] = []
        if self.queue.marked:
            first = [(key.key, labels.pick(key.chinese, key.english)) for key in self.action_keys]
        elif record is not None:
            forms = self.context.forms
            if forms.waiting_for_me(record):
                first.append(("A", labels("key.decide")))
            moving: list[tuple[str, str]] = []
            others: list[tuple[str, str]] = []
            for key in self.action_keys:
                steps = any(item["action"] == key.action and item["target"] for item in self._offered())
                (moving if steps else others).append((key.key, labels.pick(key.chinese, key.english)))
            first += moving
            if forms.behalf_keys(record):
                first.append(("B", labels("key.on_behalf")))
            first += others
        self.draw_keys(first)

    def always_keys(self) -> list[tuple[str, str]]:
        labels = self.context.labels
        return [("/", labels("key.search")), ("?", labels("key.help"))]

    def _offered(self) -> list[Record]:
        return self.around.actions if self.around else []

    # What the node told.

    @on(PageRead)
    def _page_read(self, event: PageRead) -> None:
        self.following = event.following
        if event.more:
            self.queue.append(event.items)
        else:
            self.new_rows.clear()
            self.offers.clear()
            self.queue.show(event.items, keep=self._keep_cursor)
            self._keep_cursor = True
        self.draw_lines()

    @on(SummaryRead)
    def _summary_read(self, event: SummaryRead) -> None:
        more = event.summary["overdue"] - self.summary.get("overdue", event.summary["overdue"]) - len(self._rung)
        self.summary = event.summary
        self._rung.clear()
        if more > 0 and self.context.sees_all:
            self._ring(more)
        self.draw_lines()

    def _ring(self, count: int) -> None:
        self.app.bell()
        self.say(self.context.labels("desk.new_overdue", count=count))

    @on(ChangeHeard)
    def _change_heard(self, event: ChangeHeard) -> None:
        self.changed.add(event.number)
        self.read_changes()

    @on(CallHeard)
    async def _call_heard(self, event: CallHeard) -> None:
        await self.console.call_heard(event.number)

    @on(CaseSeen)
    def _case_seen(self, event: CaseSeen) -> None:
        record, view = event.record, self.view
        number = record["number"]
        fits = view is None or view.fits(record)
        if number in self.queue.records:
            before = self.queue.records[number]
            if before["light"] != "red" and record["light"] == "red":
                self._rung.add(number)
                self._ring(1)
            self.queue.change(record, gone=not fits)
            selected = self.queue.selected
            if selected and selected["number"] == number:
                self.query_one(Detail).show(record)
                if before["version"] != record["version"] or self.around is None:
                    self.load_surroundings(record)
        elif fits and not self.search_filter and not (view and view.is_told_by_the_node):
            self.new_rows.add(number)
        self.draw_lines()

    @on(SurroundingsRead)
    def _surroundings_read(self, event: SurroundingsRead) -> None:
        record = self.queue.selected
        if record is None or record["number"] != event.found.number:
            return
        self.around = event.found
        if not self.queue.marked:
            self.action_keys = assign_keys(event.found.actions, self.reserved_keys(), self.context.own_keys)
        self.query_one(Detail).show(record, event.found)
        self._draw_keys()
        if not self._is_moving:
            self.console.let_keys_go()

    def draw_around(self) -> None:
        """The keys of the case under the cursor, after the marks are gone."""
        if self.around is not None:
            self.action_keys = assign_keys(self.around.actions, self.reserved_keys(), self.context.own_keys)
        self._draw_keys()

    @on(Queue.Selected)
    def _selected(self, event: Queue.Selected) -> None:
        same = self.around and event.record and self.around.number == event.record["number"]
        if not same:
            self.around = None
            if not self.queue.marked:
                self.action_keys = ()
        self.query_one(Detail).show(event.record)
        self._draw_keys()
        if event.record is not None:
            self.load_surroundings(event.record)

    @on(Queue.NearEnd)
    def _near_end(self) -> None:
        if self.following is not None and not any(job.group == "queue" and job.is_running for job in self.workers):
            self.load(more=True)

    # What the operator does.

    def reserved_keys(self) -> set[str]:
        """Signs that no action may have here, because a binding of this screen, the queue or the app has them."""
        signs = {"slash": "/", "question_mark": "?", "full_stop": "."}
        named = {"left_square_bracket": "[", "right_square_bracket": "]", "space": " "}
        found = set()
        for node in (type(self), Queue, type(self.app)):
            for binding in node.BINDINGS:
                keys = binding.key if isinstance(binding, Binding) else binding[0]
                found |= {(signs | named).get(key, key) for key in keys.split(",")}
        return found

    def seconds_to_wait(self, event: Key) -> float:
        """How long a key that acts on a case waits for the cursor to come to rest and the case to be known.

        Over a slow line keys come in bursts; without this the second one would still meet the case before.
        """
        if event.key in MOVES:
            self._moved_at = monotonic()
            self.set_timer(MOVING_SECONDS, self.console.let_keys_go)
            return 0
        sign = event.character or ""
        if not sign.isprintable() or sign in self.reserved_keys() - OPENING - PAPER or self.queue.selected is None:
            return 0
        return FORM_SECONDS if self._is_moving or not self.is_known else 0

    @property
    def _is_moving(self) -> bool:
        return monotonic() - self._moved_at < MOVING_SECONDS

    @property
    def is_known(self) -> bool:
        """Whether what is around the case under the cursor has come."""
        record = self.queue.selected
        return record is not None and self.around is not None and self.around.number == record["number"]

    def seconds_to_open(self, event: Key) -> float:
        """How long the form or list that a key opens may take; what is typed meanwhile is meant for it."""
        opening = {key.key for key in self.action_keys} | OPENING
        return FORM_SECONDS if self.queue.selected is not None and event.character in opening else 0

    def on_key(self, event: Key) -> None:
        if isinstance(self.focused, Input) or not event.character:
            return
        for key in self.action_keys:
            if event.character == key.key:
                event.stop()
                self.start_action(key)
                return

    def action_view(self, step: int) -> None:
        if self.view is not None:
            self.show_view(self.views[(self.views.index(self.view) + step) % len(self.views)])

    def show_view(self, view: View) -> None:
        """Show another view of the queue."""
        self.view = view
        self._keep_cursor = False
        self.load()

    def action_fold(self) -> None:
        self.query_one(Detail).fold()

    def action_scroll(self, step: int) -> None:
        self.query_one(Detail).page(step)

    def action_reload(self) -> None:
        self.say("")
        self.load()

    def action_search(self) -> None:
        self.query_one(ViewLine).open_search()
        self.draw_lines()

    def action_leave_search(self) -> None:
        self.say("")
        if self.unmark():
            self.draw_around()
            return
        line = self.query_one(ViewLine)
        self.queue.focus()
        if line.has_class("-searching"):
            line.close_search()
            self.search_filter = {}
            self.load()

    @on(Input.Submitted, "#search")
    def _searched(self, event: Input.Submitted) -> None:
        reference = self.context.reference
        self.search_filter = parse_search(
            event.value, reference.book, reference.edition, sees_phones=self.context.sees_phones
        )
        if not self.search_filter:
            self.action_leave_search()
            return
        self.queue.focus()
        self._keep_cursor = False
        self.load()
