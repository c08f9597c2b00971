"""Jump mode: a letter stands on everything that can have the focus; the letter goes there."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import Key
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

LETTERS = "asdfghjklqwertyuiopzxcvbnm"


class JumpScreen(ModalScreen[Widget | None]):
    """The screen below shines through; any other key goes back."""

    DEFAULT_CSS = """
    JumpScreen { background: transparent; }
    JumpScreen > Static { position: absolute; width: 3; height: 1; background: $accent; color: $background; }
    """
    BINDINGS = [Binding("escape", "give_up", "key.cancel", id="jump.cancel")]

    def __init__(self, below: Screen[None]) -> None:
        super().__init__()
        self._targets = dict(zip(LETTERS, targets(below), strict=False))

    def compose(self) -> ComposeResult:
        for letter, widget in self._targets.items():
            label = Static(f" {letter} ", markup=False)
            label.absolute_offset = widget.region.offset
            yield label

    def on_key(self, event: Key) -> None:
        event.stop()
        self.dismiss(self._targets.get(event.character or ""))

    def action_give_up(self) -> None:
        self.dismiss(None)


def targets(screen: Screen[None]) -> list[Widget]:
    """What can have the focus and is seen, from the top left to the bottom right."""
    found = [widget for widget in screen.focus_chain if widget.region.area and widget.is_on_screen]
    return sorted(found, key=lambda widget: (widget.region.y, widget.region.x))
