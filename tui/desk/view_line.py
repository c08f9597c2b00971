"""The line above the queue: saved views, how many rows there are, what waits, and the search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.desk.views import View
from tui.widgets.line import Line
from tui.widgets.still import Still

if TYPE_CHECKING:
    from tui.context import Context


class ViewLine(Horizontal):
    """Views of the queue; the search line opens in it."""

    DEFAULT_CSS = """
    ViewLine { height: 1; }
    ViewLine > #views { width: 1fr; }
    ViewLine > #search { width: 30; display: none; }
    ViewLine.-searching > #search { display: block; }
    """

    def __init__(self, context: Context) -> None:
        super().__init__(id="view-line")
        self._seat = context

    def compose(self) -> ComposeResult:
        yield Still(id="views")
        yield Line(id="search")

    @property
    def search(self) -> Line:
        """The search line."""
        return self.query_one("#search", Line)

    def open_search(self) -> None:
        """Show the search line and go into it."""
        self.add_class("-searching")
        self.search.placeholder = self._seat.labels("search.hint")
        self.search.focus()

    def close_search(self) -> None:
        """Put the search away."""
        self.search.value = ""
        self.remove_class("-searching")

    def show(self, views: tuple[View, ...], current: View, counts: str) -> None:
        """The views around the current one that fit, and the counts at the right."""
        labels = self._seat.labels
        names = [labels.pick(view.chinese, view.english) for view in views]
        at = views.index(current)
        searching = 30 if self.has_class("-searching") else 0
        room = max(self.app.size.width - searching - cell_len(counts) - 2, 12)
        first, last = _fitting(names, at, room)
        line = Text(" " if first == 0 else "<", no_wrap=True)
        for index in range(first, last):
            line.append(f" {names[index]} ", "reverse" if index == at else "").append(" ")
        line.append(">" if last < len(names) else "")
        line.append(" " * max(room - line.cell_len, 0) + counts, "dim")
        self.query_one("#views", Still).put(line, layout=False)


def _fitting(names: list[str], at: int, room: int) -> tuple[int, int]:
    """The range of names around `at` that fits into `room` cells, as far left as possible."""
    first, last = at, at + 1
    left = room - cell_len(names[at]) - 5
    while True:
        if first > 0 and left - cell_len(names[first - 1]) - 3 >= 0:
            first -= 1
            left -= cell_len(names[first]) + 3
        elif last < len(names) and left - cell_len(names[last]) - 3 >= 0:
            left -= cell_len(names[last]) + 3
            last += 1
        else:
            return first, last
