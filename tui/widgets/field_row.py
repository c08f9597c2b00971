"""One field of a form: a label, an input line, and under it the choices that fit what is typed."""

from __future__ import annotations

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.events import DescendantBlur, DescendantFocus
from textual.message import Message
from textual.widgets import Input, Static

from tui.cells import fit
from tui.fields import PICK, Choice, Field
from tui.widgets.line import Line

SHOWN = 5
LABEL_CELLS = 14


class FieldRow(Vertical):
    """A field with its value.

    Down and Up walk the choices, Enter takes one and goes on; a free field takes what is typed where nothing is
    walked to.
    """

    DEFAULT_CSS = """
    FieldRow { height: auto; }
    FieldRow > Horizontal { height: 1; }
    FieldRow .field-label { width: 14; color: $text-muted; }
    FieldRow .field-choices { display: none; height: auto; padding: 0 0 0 14; }
    FieldRow.-open .field-choices { display: block; }
    """
    BINDINGS = [
        Binding("down", "walk(1)", "key.next_choice", id="field.next", show=False),
        Binding("up", "walk(-1)", "key.previous_choice", id="field.previous", show=False),
    ]

    class Edited(Message):
        """Something else is typed."""

        def __init__(self, row: FieldRow, typed: str) -> None:
            super().__init__()
            self.row, self.typed = row, typed

    class Done(Message):
        """The value is taken; go on."""

        def __init__(self, row: FieldRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, field: Field, label: str, label_cells: int = LABEL_CELLS) -> None:
        super().__init__(id=f"field-{field.name}")
        self._label_cells = label_cells
        self.field = field
        self._label = label
        self._found: list[Choice] = []
        self._at: int | None = None
        self._chosen: Choice | None = None

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(self._label, classes="field-label", markup=False)
            yield Line(select_on_focus=True)
        yield Static("", classes="field-choices", markup=False)

    def on_mount(self) -> None:
        if self._label_cells != LABEL_CELLS:
            self.query_one(".field-label").styles.width = self._label_cells
            self.query_one(".field-choices").styles.padding = (0, 0, 0, self._label_cells)
        self.set_value(self.field.default)

    @property
    def line(self) -> Line:
        """The input line."""
        return self.query_one(Line)

    @property
    def value(self) -> str:
        """What would be sent: the chosen value, or what is typed where that is allowed."""
        if self._chosen is not None:
            return self._chosen.value
        return self.line.value.strip() if self.field.free else ""

    @property
    def chosen(self) -> Choice | None:
        """The choice taken; None where text was typed freely."""
        return self._chosen

    @property
    def candidate(self) -> Choice | None:
        """The choice taken, or the one that Enter would take."""
        if self._chosen is not None:
            return self._chosen
        return self._found[self._at] if self._at is not None and self._at < len(self._found) else None

    def set_value(self, value: str) -> None:
        """Put a value in, as the choice it names where there is one."""
        known = next((choice for choice in self.field.choices if choice.value == value), None)
        self._chosen = known if value else None
        with self.prevent(Input.Changed):
            self.line.value = known.text if known else value
        self._at = None

    def take(self, choice: Choice) -> None:
        """Choose a choice that may stand in no list."""
        self._chosen = choice
        with self.prevent(Input.Changed):
            self.line.value = choice.text
            self.line.cursor_position = len(choice.text)

    def relabel(self, label: str) -> None:
        """Another label."""
        self._label = label
        self.query_one(".field-label", Static).update(label)

    def offer(self, choices: list[Choice]) -> None:
        """Choices that came from the node for what is typed."""
        self._found = choices
        if self._chosen is None:
            self._at = 0 if choices and self.field.kind == PICK else None
        self._draw()

    def focus_line(self) -> None:
        """Go into this field."""
        self.line.focus()

    def action_walk(self, step: int) -> None:
        if not self._found:
            return
        start = -1 if step > 0 else len(self._found)
        self._at = max(0, min((self._at if self._at is not None else start) + step, len(self._found) - 1))
        self._chosen = None
        self._draw()

    @on(DescendantFocus)
    def _opened(self) -> None:
        typed = "" if self._chosen is not None else self.line.value
        if self.field.finder is None or typed:
            self._found = self.field.found(typed)
        self._at = None
        if self._chosen in self._found:
            self._at = self._found.index(self._chosen)
        elif self.field.kind == PICK and self._found and self.field.required and typed:
            self._at = 0
        self.add_class("-open")
        self._draw()

    def settle(self) -> None:
        """Take the choice that stands marked for what is typed, where only a choice counts."""
        if self.field.kind == PICK and self._chosen is None and self.line.value.strip():
            self._accept()

    @on(DescendantBlur)
    def _left(self) -> None:
        self.settle()
        self.remove_class("-open")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._chosen = None
        self._found = self.field.found(event.value)
        self._at = 0 if self._found and event.value.strip() and self.field.kind == PICK else None
        self._draw()
        self.post_message(self.Edited(self, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._accept()
        self.post_message(self.Done(self))

    def _accept(self) -> None:
        choice = self.candidate
        if choice is not None:
            self.take(choice)

    def _draw(self) -> None:
        if not self.has_class("-open"):
            return
        width = max(self.size.width - self._label_cells - 2, 20)
        first = max(0, min((self._at or 0) - SHOWN + 1, len(self._found) - SHOWN)) if self._at else 0
        lines = []
        for index, choice in enumerate(self._found[first : first + SHOWN], first):
            marked = index == self._at
            lines.append(Text(("> " if marked else "  ") + fit(choice.text, width - 2), "reverse" if marked else ""))
        rest = len(self._found) - first - SHOWN
        if rest > 0:
            lines.append(Text(f"  +{rest}", "dim"))
        self.query_one(".field-choices", Static).update(Text("\n").join(lines))
