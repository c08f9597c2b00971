"""The line of the template keys above the intake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text
from textual.widgets import Static

from tui.cells import fit

if TYPE_CHECKING:
    from tui.context import Context

DIGITS = "1234567890"
NAME_CELLS = 10


class TemplateLine(Static):
    """`^T 1 井盖  2 垃圾 …`: as many as fit."""

    DEFAULT_CSS = "TemplateLine { height: 1; padding: 0 1; color: $text-muted; }"

    def __init__(self, context: Context) -> None:
        super().__init__("", markup=False)
        self._seat = context

    def show(self, templates: list[dict[str, Any]]) -> None:
        """Draw the keys of these classes."""
        labels = self._seat.labels
        if not templates:
            self.update(Text(labels("intake.no_templates"), no_wrap=True), layout=False)
            return
        line = Text("^T ", no_wrap=True)
        room = max(self.app.size.width - 6, 20)
        for digit, item in zip(DIGITS, templates, strict=False):
            name = fit(labels.pick(item["name"], item["english"]), NAME_CELLS).rstrip()
            if cell_len(name) + 4 > room:
                break
            line.append(digit, "bold").append(f" {name}  ")
            room -= cell_len(name) + 4
        self.update(line, layout=False)
