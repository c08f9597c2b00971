"""A one-line input without a blinking cursor; the terminal's own cursor stands in it, so an input method follows."""

from __future__ import annotations

from textual.widgets import Input


class Line(Input):
    """A compact input line."""

    DEFAULT_CSS = """
    Line, Line:focus { border: none; height: 1; padding: 0 1; background: $surface; }
    Line:focus { background: $panel; }
    """

    def on_mount(self) -> None:
        self.cursor_blink = False

    def on_focus(self) -> None:
        if (let_go := getattr(self.app, "let_keys_go", None)) is not None:
            let_go()
