"""Lines of text that scroll by themselves and send only the lines that changed.

A static text in a scrolling container is laid out and painted anew as a whole when one line of it changes.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

_PLAIN = Console(force_terminal=True, width=400)


class LinePane(Widget):
    """A window on lines; `page` turns it."""

    DEFAULT_CSS = "LinePane { height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Text] = []
        self._top = 0

    def put(self, text: Text, *, home: bool = False) -> None:
        """Show these lines; `home` goes back to the first one. Only lines that changed are painted."""
        before = self._window()
        self._lines = list(text.split("\n", allow_blank=True)) if text.plain else []
        self._top = 0 if home else min(self._top, self._last_top())
        after = self._window()
        for y in range(max(len(before), len(after))):
            old = before[y] if y < len(before) else Text()
            new = after[y] if y < len(after) else Text()
            if old.plain != new.plain or old.spans != new.spans or old.style != new.style:
                self.refresh(Region(0, y, self.size.width, 1))

    def page(self, step: int) -> None:
        """Turn by half of what shows, forward or back."""
        top = min(max(self._top + step * max(self.size.height // 2, 1), 0), self._last_top())
        if top != self._top:
            self._top = top
            self.refresh()

    def render_line(self, y: int) -> Strip:
        at = self._top + y
        if at >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        line = self._lines[at]
        segments = [segment for segment in line.render(_PLAIN) if segment.text]
        strip = Strip(segments).apply_style(self.rich_style)
        return strip.adjust_cell_length(self.size.width, self.rich_style)

    def _window(self) -> list[Text]:
        return self._lines[self._top : self._top + self.size.height]

    def _last_top(self) -> int:
        return max(len(self._lines) - max(self.size.height, 1), 0)
