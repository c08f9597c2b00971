"""Sentences to read: a heading and lines, Escape goes back."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from appliance.i18n.labels import Labels


class ToldScreen(ModalScreen[None]):
    """More than the banner can hold."""

    DEFAULT_CSS = """
    ToldScreen { align: center middle; background: $background; }
    ToldScreen > VerticalScroll {
        width: 90%; height: auto; max-height: 100%; border: solid $primary; padding: 0 1;
    }
    """
    BINDINGS = [Binding("escape,enter", "back", "key.back", id="told.back")]

    def __init__(self, labels: Labels, title: str, lines: list[str]) -> None:
        super().__init__()
        self._labels = labels
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(Text(self._title, "bold"))
            for line in self._lines:
                yield Static(line, markup=False)
            yield Static(Text(f"\nEsc {self._labels('key.back')}", "dim"))

    def action_back(self) -> None:
        self.dismiss(None)
