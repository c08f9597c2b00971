"""The command palette: everything that can be done now, found by Chinese, English or pinyin initials."""

from __future__ import annotations

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.cells import fit
from tui.fields import Choice
from tui.type_ahead import TypeAhead
from tui.widgets.line import Line

WIDTH = 56
KEY_CELLS = 10


class PaletteScreen(ModalScreen[str | None]):
    """Type a few letters, Enter does the first, Down walks. `letters` of a choice is its key, shown at the right."""

    DEFAULT_CSS = """
    PaletteScreen { align: center top; background: $background 60%; }
    PaletteScreen > Vertical {
        width: 64; max-width: 100%; height: auto; max-height: 90%; margin: 2 0 0 0; border: solid $primary;
        background: $background;
    }
    PaletteScreen OptionList { height: auto; max-height: 16; border: none; }
    """
    BINDINGS = [
        Binding("escape", "give_up", "key.cancel", id="palette.cancel"),
        Binding("down", "walk(1)", "key.next_choice", id="palette.next", show=False),
        Binding("up", "walk(-1)", "key.previous_choice", id="palette.previous", show=False),
    ]

    def __init__(self, title: str, choices: list[Choice]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._found = choices

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._title, markup=False)
            yield Line(id="wanted")
            yield OptionList(markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._show()
        self.query_one("#wanted", Line).focus()
        if isinstance(self.app, TypeAhead):
            self.app.let_keys_go()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        wanted = event.value.strip()
        plain = [Choice(choice.value, choice.text) for choice in self._choices]
        self._found = [
            choice for choice, without_key in zip(self._choices, plain, strict=True) if without_key.matches(wanted)
        ]
        if wanted.isdigit() and len(wanted) >= 4:
            self._found = [Choice(f"case:{wanted}", wanted), *self._found]
        self._show()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        at = self.query_one(OptionList).highlighted
        self.dismiss(self._found[at or 0].value if self._found else None)

    def action_walk(self, step: int) -> None:
        options = self.query_one(OptionList)
        if options.option_count:
            options.highlighted = ((options.highlighted or 0) + step) % options.option_count

    def action_give_up(self) -> None:
        self.dismiss(None)

    def _show(self) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        for choice in self._found:
            line = Text(fit(choice.text, WIDTH - KEY_CELLS), no_wrap=True)
            options.add_option(Option(line.append(f" {choice.letters}", "dim")))
        if self._found:
            options.highlighted = 0
