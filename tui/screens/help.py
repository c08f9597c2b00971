"""Help, made from the bindings of the screen below and the actions on offer there."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from appliance.i18n.labels import Labels


class HelpScreen(ModalScreen[None]):
    """Keys and what they do; any of Escape, ? and F1 goes back."""

    DEFAULT_CSS = """
    HelpScreen { background: $background; }
    HelpScreen > VerticalScroll { border: solid $primary; padding: 0 2; }
    """
    BINDINGS = [
        Binding("escape", "back", "key.back", id="help.back"),
        Binding("question_mark,f1", "back", "key.back", id="help.again", show=False),
    ]

    def __init__(self, labels: Labels, title: str, groups: list[tuple[str, list[tuple[str, str]]]]) -> None:
        super().__init__()
        self._labels = labels
        self._title = title
        self._groups = groups

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(self.text(), markup=False)

    def text(self) -> Text:
        """The whole help."""
        text = Text(f"{self._title}\n", "bold")
        for name, pairs in self._groups:
            if not pairs:
                continue
            text.append(f"\n{name}\n", "bold underline")
            for key, what in pairs:
                text.append(f"  {key}" + " " * max(14 - cell_len(key), 1), "bold").append(f"{what}\n", "not bold")
        return text

    def action_back(self) -> None:
        self.dismiss(None)
