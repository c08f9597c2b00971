"""The queue of cases: a table whose rows change in place and whose cursor stays on its case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on
from textual.events import Resize
from textual.message import Message
from textual.widgets import DataTable

from tui.cells import fit
from tui.show import LIGHT_STYLE, light_text, remaining, short_number, state_text

if TYPE_CHECKING:
    from tui.context import Context

Record = dict[str, Any]
NEAR_END = 15
FIXED = {"light": 3, "number": 14, "state": 11, "remaining": 11}
SHARES = {"class": 5, "place": 6, "department": 4}
COLUMNS = ("light", "number", "state", "class", "place", "department", "remaining")


class Queue(DataTable[Text]):
    """Cases newest first."""

    DEFAULT_CSS = """
    Queue { height: 1fr; background: $background; scrollbar-size-vertical: 1; }
    Queue > .datatable--header { text-style: none; }
    """

    class Selected(Message):
        """Another case is under the cursor; None when the queue is empty."""

        def __init__(self, record: Record | None) -> None:
            super().__init__()
            self.record = record

    class NearEnd(Message):
        """The cursor comes near the last row; another page would be good."""

    def __init__(self, context: Context) -> None:
        super().__init__(cursor_type="row", cell_padding=0, zebra_stripes=False, id="queue")
        self._seat = context
        self._widths: dict[str, int] = {}
        self.records: dict[str, Record] = {}
        self.gone: set[str] = set()
        self.marked: dict[str, None] = {}

    @property
    def selected(self) -> Record | None:
        """The case under the cursor."""
        if not self.records or not self.row_count:
            return None
        key = self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value
        return self.records.get(key or "")

    def show(self, records: list[Record], *, keep: bool = True) -> None:
        """Show these instead; the cursor stays on its case where that is among them and is to be kept."""
        before = self.selected if keep else None
        self.gone.clear()
        self.records = {record["number"]: record for record in records}
        self.marked = {number: None for number in self.marked if number in self.records}
        self._rebuild(before["number"] if before else None)
        self.post_message(self.Selected(self.selected))

    def append(self, records: list[Record]) -> None:
        """Another page below."""
        for record in records:
            if record["number"] not in self.records:
                self.records[record["number"]] = record
                self.add_row(*self._cells(record), key=record["number"])

    def bring(self, record: Record) -> None:
        """Put the cursor on a case; one that is not in the queue comes in at its end."""
        self.append([record])
        self.move_cursor(row=list(self.records).index(record["number"]), animate=False)

    def change(self, record: Record, *, gone: bool) -> None:
        """A case of the queue as it is now; `gone` marks one that no longer fits the view."""
        number = record["number"]
        self.records[number] = record
        (self.gone.add if gone else self.gone.discard)(number)
        for column, cell in zip(COLUMNS, self._cells(record), strict=True):
            if self.get_cell(number, column) != cell:
                self.update_cell(number, column, cell)

    def mark(self, number: str, marked: bool) -> None:
        """Mark a case for what is done to many at once, or take the mark away."""
        if marked:
            self.marked[number] = None
        else:
            self.marked.pop(number, None)
        if number in self.records:
            self.update_cell(number, "number", self._cells(self.records[number])[COLUMNS.index("number")])

    def relabel(self) -> None:
        """Draw all in the language of the moment."""
        before = self.selected
        self._rebuild(before["number"] if before else None)

    def on_mount(self) -> None:
        self._widths = self._wanted_widths()
        self._columns()

    @on(Resize)
    def _resized(self) -> None:
        if self._widths != self._wanted_widths():
            self.relabel()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        self.post_message(self.Selected(self.selected))
        if self.row_count - event.cursor_row <= NEAR_END:
            self.post_message(self.NearEnd())

    def _rebuild(self, number: str | None) -> None:
        with self.prevent(DataTable.RowHighlighted):
            self.clear(columns=True)
            self._widths = self._wanted_widths()
            self._columns()
            for record in self.records.values():
                self.add_row(*self._cells(record), key=record["number"])
            if number in self.records:
                self.move_cursor(row=list(self.records).index(number), animate=False)

    def _columns(self) -> None:
        for column in COLUMNS:
            label = Text(fit(self._seat.labels(f"column.{column}"), self._widths[column]), "dim")
            self.add_column(label, width=self._widths[column], key=column)

    def _wanted_widths(self) -> dict[str, int]:
        room = max(self.app.size.width - 2, 60) - sum(FIXED.values())
        total = sum(SHARES.values())
        return FIXED | {column: room * share // total for column, share in SHARES.items()}

    def _cells(self, record: Record) -> list[Text]:
        labels, reference = self._seat.labels, self._seat.reference
        light = record.get("light")
        suggested = record["department"] or record["department_suggested"]
        department = reference.department_text(suggested)
        if suggested and not record["department"]:
            department = f"({department})"
        style = "dim" if record["number"] in self.gone else ""
        left = remaining(record["due_at"], labels)
        texts = (
            (light_text(light, labels), LIGHT_STYLE.get(light or "", "")),
            (f"*{short_number(record['number'])}", "bold reverse")
            if record["number"] in self.marked
            else (f" {short_number(record['number'])}", ""),
            (state_text(record["state"], labels), ""),
            (reference.class_text(record, labels), ""),
            (record["address"] or record["description"], ""),
            (department, ""),
            (left, LIGHT_STYLE["red"] if left.startswith("-") and left != "--" else ""),
        )
        return [
            Text(fit(text, self._widths[column] - 1) + " ", own or style, no_wrap=True)
            for column, (text, own) in zip(COLUMNS, texts, strict=True)
        ]
