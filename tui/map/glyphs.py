"""The glyph check: asks once whether this terminal's font has braille dots, and keeps the answer for the terminal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.seat.files import Preferences

if TYPE_CHECKING:
    from tui.context import Context

KEY = "braille"
ROW = "⠁⠂⠄⡀⢀⠠⠐⠈⠉⠒⠤⣀⣀⠤⠒⠉⣿⣶⣤⣀"


def known_braille() -> bool | None:
    """What was answered for this kind of terminal; None when nobody was asked."""
    answers = Preferences().get(KEY)
    found = answers.get(_terminal()) if isinstance(answers, dict) else None
    return found if isinstance(found, bool) else None


def keep_braille(has: bool) -> None:
    """Keep the answer for this kind of terminal."""
    answers = Preferences().get(KEY)
    Preferences().set(KEY, {**(answers if isinstance(answers, dict) else {}), _terminal(): has})


def _terminal() -> str:
    return " ".join(filter(None, (os.environ.get("TERM"), os.environ.get("TERM_PROGRAM")))) or "?"


class GlyphScreen(ModalScreen[bool]):
    """Do you see a row of dots? y or n; Escape asks again at the next start."""

    DEFAULT_CSS = """
    GlyphScreen { align: center middle; background: $background; }
    GlyphScreen > Vertical { width: 60; height: auto; border: solid $primary; padding: 1 2; }
    """
    BINDINGS = [
        Binding("y,enter", "answer(True)", "key.yes", id="glyphs.yes"),
        Binding("n", "answer(False)", "key.no", id="glyphs.no"),
        Binding("escape", "later", "key.cancel", id="glyphs.later"),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._seat = context

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(f"{self._seat.labels('map.glyphs')}\n\n  {ROW}\n", markup=False)
            yield Static(self._seat.labels("map.glyph_keys"), markup=False)

    def action_answer(self, has: bool) -> None:
        self._seat.braille = has
        keep_braille(has)
        self.dismiss(has)

    def action_later(self) -> None:
        self.dismiss(True)
