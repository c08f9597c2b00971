"""Pick one of a few things: which action, which request."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.fields import Choice
from tui.type_ahead import TypeAhead


class PickScreen(ModalScreen[str | None]):
    """A list; Enter or the letter before a line takes it."""

    DEFAULT_CSS = """
    PickScreen { align: center middle; background: $background; }
    PickScreen > Vertical { width: 60; height: auto; max-height: 100%; border: solid $primary; padding: 0 1; }
    PickScreen OptionList { height: auto; max-height: 20; border: none; }
    """
    BINDINGS = [Binding("escape", "give_up", "key.cancel", id="pick.cancel")]

    def __init__(self, title: str, choices: list[Choice]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._title, markup=False)
            options = [
                Option(f"{choice.letters} {choice.text}".strip(), id=str(at)) for at, choice in enumerate(self._choices)
            ]
            yield OptionList(*options, markup=False)

    def on_mount(self) -> None:
        if isinstance(self.app, TypeAhead):
            self.app.let_keys_go()

    def on_key(self, event: Key) -> None:
        for choice in self._choices:
            if event.character and choice.letters == event.character:
                event.stop()
                self.dismiss(choice.value)
                return

    def action_give_up(self) -> None:
        self.dismiss(None)

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._choices[int(event.option_id or 0)].value)
