"""Text that is sent again only when it has become another: over a slow line every needless repaint is felt."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class Still(Static):
    """A static text that compares before it draws."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__("", id=id, classes=classes, markup=False)
        self._drawn = Text()

    def put(self, text: Text, *, layout: bool = True) -> None:
        """Draw a text; nothing happens when it stands there already. `layout` only where its height may change."""
        if text.plain == self._drawn.plain and text.spans == self._drawn.spans and text.style == self._drawn.style:
            return
        same_height = text.plain.count("\n") == self._drawn.plain.count("\n")
        self._drawn = text
        self.update(text, layout=layout and not same_height)
