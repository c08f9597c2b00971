"""The case under the cursor: record and history at the left, small map and what hangs on it at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from tui.case_text import CaseText
from tui.map.canvas import Canvas
from tui.map.drawing import draw_map
from tui.map.layers import Content
from tui.map.viewport import Viewport
from tui.messages import Surroundings

if TYPE_CHECKING:
    from tui.context import Context

Record = dict[str, Any]
NARROW = 100
MAP_METRES = 120.0
"""Half the width of the small map on the ground."""


class Detail(Horizontal):
    """Everything about one case. In narrow terminals one column shows, `fold` changes which."""

    DEFAULT_CSS = """
    Detail { height: 45%; border-top: solid $surface; }
    Detail > VerticalScroll { width: 3fr; scrollbar-size-vertical: 1; }
    Detail > #beside { width: 2fr; border-left: solid $surface; padding: 0 0 0 1; }
    Detail.-narrow > #beside { display: none; }
    Detail.-narrow.-folded > #beside { display: block; width: 1fr; border-left: none; }
    Detail.-narrow.-folded > #facts { display: none; }
    """

    def __init__(self, context: Context) -> None:
        super().__init__(id="detail")
        self._seat = context
        self._record: Record | None = None
        self._around: Surroundings | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="facts"):
            yield Static("", id="record", markup=False)
            yield Static("", id="history", markup=False)
        with VerticalScroll(id="beside"):
            yield Static("", id="small-map", markup=False)
            yield Static("", id="hanging", markup=False)

    def show(self, record: Record | None, around: Surroundings | None = None) -> None:
        """Show a case; without surroundings those at hand stay when they are of the same case."""
        changed = (record or {}).get("number") != (self._record or {}).get("number")
        self._record = record
        if around is not None or changed:
            self._around = around
        if changed:
            self.query_one("#facts", VerticalScroll).scroll_home(animate=False)
        self.relabel()

    def fold(self) -> None:
        """Change the column that shows where there is room for one."""
        self.toggle_class("-folded")
        self.call_after_refresh(self.relabel)

    def page(self, step: int) -> None:
        """Turn the column that shows by half a page."""
        narrow, folded = self.has_class("-narrow"), self.has_class("-folded")
        column = self.query_one("#beside" if narrow and folded else "#facts", VerticalScroll)
        column.scroll_relative(y=step * max(column.size.height // 2, 1), animate=False)

    def relabel(self) -> None:
        """Draw all anew."""
        record, around = self._record, self._around
        record_text, history, hanging = Text(""), Text(""), Text("")
        if record is not None:
            text = CaseText(self._seat.labels, self._seat.reference)
            width = max(self.query_one("#facts").size.width - 2, 30)
            side = max(self.query_one("#beside").size.width - 2, 24)
            record_text, hanging = text.record(record, width), text.beside(record, around, side)
            history = text.history(around.history, width) if around else Text("...", "dim")
        self.query_one("#record", Static).update(record_text)
        self.query_one("#history", Static).update(history)
        self.query_one("#hanging", Static).update(hanging)
        self.query_one("#small-map", Static).update(self._map())

    @on(Resize)
    def _resized(self) -> None:
        self.set_class(self.app.size.width < NARROW, "-narrow")
        self.call_after_refresh(self.relabel)

    def _map(self) -> Text:
        record, around = self._record, self._around
        if record is None or around is None:
            return Text("")
        beside = self.query_one("#beside").size
        width, height = max(beside.width - 2, 24), max(beside.height * 3 // 5, 4)
        canvas = Canvas(width, height, braille=self._seat.braille is not False)
        view = Viewport(
            record["lon"], record["lat"], MAP_METRES * 2 / canvas.dots_wide, canvas.dots_wide, canvas.dots_high
        )
        places = {"grids": {"features": around.grids}, "parts": {"features": around.parts}}
        others = [item for item in around.near if item["number"] != record["number"]]
        draw_map(canvas, view, Content(places, {"items": [*others, record]}), selected=record["number"])
        return canvas.text()


def small_box(record: Record) -> str:
    """The box of the small map, as the node wants it."""
    return Viewport(record["lon"], record["lat"], 1.0, round(MAP_METRES * 2), round(MAP_METRES * 2)).box_text
