"""The map as a widget: a view on the county, drawn row by row; only cells that changed go over the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.events import Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.map.canvas import Canvas
from tui.map.changed import changed_cells
from tui.map.drawing import draw_map
from tui.map.layers import Content
from tui.map.viewport import Viewport, fitting

if TYPE_CHECKING:
    from tui.context import Context


class MapView(Widget):
    """A piece of the county.

    Attributes:
        viewport: None until the map knows where to look.
    """

    DEFAULT_CSS = "MapView { height: 1fr; }"

    class Moved(Message):
        """Another piece of the county is to be seen; `resized` when only the widget's size changed."""

        def __init__(self, view: Viewport, *, resized: bool = False) -> None:
            super().__init__()
            self.view, self.resized = view, resized

    def __init__(self, context: Context, *, cross: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seat = context
        self._cross = cross
        self._rows: list[Text] = []
        self.viewport: Viewport | None = None
        self.content = Content()
        self.hidden: frozenset[str] = frozenset()
        self.selected: str | None = None

    @property
    def dots(self) -> tuple[int, int]:
        """Width and height in dots."""
        return max(self.size.width, 10) * 2, max(self.size.height, 3) * 4

    def look(self, view: Viewport) -> None:
        """Look at another piece; what is at hand is drawn at once."""
        self.viewport = view.sized(*self.dots)
        self.draw()
        self.post_message(self.Moved(self.viewport))

    def look_at(self, lon: float, lat: float, metres: float) -> None:
        """Look at a place, so many metres a dot."""
        self.look(Viewport(lon, lat, metres, *self.dots))

    def look_over(self, box: tuple[float, float, float, float]) -> None:
        """Look at a whole box."""
        self.look(fitting(box, *self.dots))

    def show(self, content: Content) -> None:
        """Draw what the node told."""
        self.content = content
        self.draw()

    def draw(self) -> None:
        """Draw anew; cells that look the same are not sent again."""
        view = self.viewport
        if view is None or not self.size:
            return
        canvas = Canvas(self.size.width, self.size.height, braille=self._seat.braille is not False)
        draw_map(canvas, view, self.content, self.hidden, self.selected, cross=self._cross)
        rows, before = canvas.rows(), self._rows
        self._rows = rows
        if len(rows) != len(before):
            self.refresh()
            return
        changed = [
            Region(first, y, width, 1)
            for y, (row, old) in enumerate(zip(rows, before, strict=True))
            for first, width in changed_cells(old, row)
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        line = Strip(self._rows[y].render(self.app.console), self.size.width)
        return line.apply_style(self.rich_style)

    def on_resize(self, event: Resize) -> None:
        if self.viewport is not None:
            self.viewport = self.viewport.sized(*self.dots)
            self.draw()
            self.post_message(self.Moved(self.viewport, resized=True))
