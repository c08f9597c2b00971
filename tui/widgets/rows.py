"""A table of plain rows: columns share the width in cells, the cursor stays on its row when the rows are read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from rich.text import Text
from textual import on
from textual.binding import Binding
from textual.events import Resize
from textual.geometry import Region
from textual.message import Message
from textual.widgets import DataTable

from tui.cells import fit
from tui.columns import Column, Row

NEAR_END = 10


class Rows(DataTable[Text]):
    """Rows of one kind."""

    DEFAULT_CSS = "Rows { height: 1fr; background: $background; } Rows > .datatable--header { text-style: none; }"
    BINDINGS = [Binding("enter", "select_cursor", "key.open_case", id="rows.open", show=False)]

    class Moved(Message):
        """Another row is under the cursor; an empty key when there is none."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class NearEnd(Message):
        """The cursor comes near the last row."""

    def __init__(self) -> None:
        self._held = False
        super().__init__(cursor_type="row", cell_padding=0, zebra_stripes=False, id="rows")
        self._shown: tuple[tuple[Column, ...], tuple[Row, ...]] = ((), ())

    @property
    def selected(self) -> str:
        """The key of the row under the cursor, empty when there is none."""
        if not self.row_count:
            return ""
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value or ""

    def fill(self, columns: Sequence[Column], rows: Sequence[Row], *, by_cell: bool = False, keep: bool = True) -> None:
        """Show these rows instead.

        Args:
            by_cell: the cursor is on a cell and not on a row.
            keep: the cursor stays on its row and column where they are still there, else at its place.
        """
        key, at, before = self.selected, self.cursor_coordinate, self._shown
        self.cursor_type = "cell" if by_cell else "row"
        self._shown = (tuple(columns), tuple(rows))
        if keep and before[0] == self._shown[0] and [row.key for row in before[1]] == [row.key for row in rows]:
            self._draw_changes(before[1])
            return
        self._draw()
        keys = [row.key for row in rows]
        if keep and keys:
            place = keys.index(key) if key in keys else min(at.row, len(keys) - 1)
            self.move_cursor(row=place, column=min(at.column, len(columns) - 1), animate=False)
        self.post_message(self.Moved(self.selected))

    def drop(self, key: str) -> None:
        """Take a row out; the cursor is then on the one that followed it."""
        columns, rows = self._shown
        self.fill(columns, [row for row in rows if row.key != key])

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        self._moved(event.cursor_row)

    def on_data_table_cell_highlighted(self, event: DataTable.CellHighlighted) -> None:
        event.stop()
        self._moved(event.coordinate.row)

    def _moved(self, row: int) -> None:
        self.post_message(self.Moved(self.selected))
        if self.row_count - row <= NEAR_END:
            self.post_message(self.NearEnd())

    @on(Resize)
    def _resized(self) -> None:
        at = self.cursor_coordinate
        self._draw()
        self.move_cursor(row=at.row, column=at.column, animate=False)

    def _draw(self) -> None:
        columns, rows = self._shown
        widths = self._widths(columns)
        with self.prevent(DataTable.RowHighlighted, DataTable.CellHighlighted):
            self.clear(columns=True)
            for at, (column, width) in enumerate(zip(columns, widths, strict=True)):
                self.add_column(_drawn((column.label, "dim"), width), width=width, key=str(at))
            for row in rows:
                drawn = [_drawn(cell, width) for cell, width in zip(row.cells, widths, strict=True)]
                self.add_row(*drawn, key=row.key)

    def _draw_changes(self, before: Sequence[Row]) -> None:
        """Draw the cells that changed; everything else stays on the screen as it is."""
        columns, rows = self._shown
        widths = self._widths(columns)
        for at, (row, old) in enumerate(zip(rows, before, strict=True)):
            changed = [place for place, cell in enumerate(row.cells) if cell != old.cells[place]]
            self._held = True
            for place in changed:
                self.update_cell(row.key, str(place), _drawn(row.cells[place], widths[place]))
            self._held = False
            if changed:
                self.refresh_row(at)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """As of every widget; but `update_cell` would paint the whole table for one cell."""
        if self._held and not layout:
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _widths(self, columns: Sequence[Column]) -> list[int]:
        room = max(self.app.size.width - 2, 60) - sum(column.width for column in columns)
        total = sum(column.share for column in columns) or 1
        return [column.width or room * column.share // total for column in columns]


def _drawn(cell: tuple[str, str], width: int) -> Text:
    """A cell in its width, a blank at its end."""
    return Text(f"{fit(cell[0], width - 1)} ", cell[1], no_wrap=True)
