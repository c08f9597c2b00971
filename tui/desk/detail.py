"""The case under the cursor: record and history at the left, small map and what hangs on it at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize

from tui.desk.case_text import CaseText
from tui.map.canvas import Canvas
from tui.map.drawing import draw_map
from tui.map.layers import Content
from tui.map.viewport import Viewport
from tui.messages import Surroundings
from tui.widgets.line_pane import LinePane

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
    Detail > #facts { width: 3fr; padding: 0 1 0 0; }
    Detail > #beside { width: 2fr; border-left: solid $surface; padding: 0 0 0 1; }
    Detail #small-map { height: 3fr; }
    Detail #hanging { height: 2fr; }
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
        yield LinePane(id="facts")
        with Vertical(id="beside"):
            yield LinePane(id="small-map")
            yield LinePane(id="hanging")

    def show(self, record: Record | None, around: Surroundings | None = None) -> None:
        """Show a case; without surroundings those at hand stay when they are of the same case."""
        changed = (record or {}).get("number") != (self._record or {}).get("number")
        self._record = record
        if around is not None or changed:
            self._around = around
        self._draw(home=changed)

    def fold(self) -> None:
        """Change the column that shows where there is room for one."""
        self.toggle_class("-folded")
        self.call_after_refresh(self.relabel)

    def page(self, step: int) -> None:
        """Turn the column that shows by half a page."""
        narrow, folded = self.has_class("-narrow"), self.has_class("-folded")
        self.query_one("#hanging" if narrow and folded else "#facts", LinePane).page(step)

    def relabel(self) -> None:
        """Draw all anew."""
        self._draw(home=False)

    def _draw(self, *, home: bool) -> None:
        record, around = self._record, self._around
        facts, hanging = Text(self._seat.labels("desk.empty"), "dim"), Text("")
        if record is not None:
            text = CaseText(self._seat.labels, self._seat.reference)
            width = max(self.query_one("#facts").size.width - 1, 30)
            side = max(self.query_one("#hanging").size.width - 1, 24)
            facts, hanging = text.record(record, width, around), text.beside(record, around, side)
            if around is not None:
                facts = Text("\n").join((facts, text.history(around.history, width)))
        self.query_one("#facts", LinePane).put(facts, home=home)
        self.query_one("#hanging", LinePane).put(hanging, home=home)
        self.query_one("#small-map", LinePane).put(self._map(), home=True)

    @on(Resize)
    def _resized(self) -> None:
        self.set_class(self.app.size.width < NARROW, "-narrow")
        self.call_after_refresh(self.relabel)

    def _map(self) -> Text:
        record, around = self._record, self._around
        if record is None or around is None:
            return Text("")
        pane = self.query_one("#small-map").size
        width, height = max(pane.width - 1, 24), max(pane.height, 4)
        canvas = Canvas(width, height, braille=self._seat.braille is not False)
        view = Viewport(
            record["lon"], record["lat"], MAP_METRES * 2 / canvas.dots_wide, canvas.dots_wide, canvas.dots_high
        )
        places = {"grids": {"features": around.grids}, "parts": {"features": around.parts}}
        others = [item for item in around.near if item["number"] != record["number"]]
        draw_map(canvas, view, Content(places, {"items": [*others, record]}), selected=record["number"])
        return canvas.text()
