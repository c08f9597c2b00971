"""A screen whose content is one table: its pages stand in a line above it, and lines about the row stand below it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import set_cell_size
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.screens.base import SeatScreen
from tui.widgets.bars import Banner, KeyLine, TitleLine
from tui.widgets.rows import Rows

Line = tuple[str, str]
"""A line and its style."""


class PagedScreen(SeatScreen):
    """A subclass overrides `relabel`, `action_page` and `action_reload`; `draw_pages` and `draw_below` draw."""

    DEFAULT_CSS = """
    PagedScreen #pages { height: 1; background: $surface; }
    PagedScreen #below { height: auto; max-height: 50%; border-top: solid $surface; padding: 0 1; }
    """
    BINDINGS = [
        Binding("left_square_bracket", "page(-1)", "key.previous_page", id="paged.previous"),
        Binding("right_square_bracket", "page(1)", "key.next_page", id="paged.next"),
        Binding("J", "turn_below(1)", "key.scroll_down", id="paged.down"),
        Binding("K", "turn_below(-1)", "key.scroll_up", id="paged.up"),
        Binding("N", "reload", "key.reload", id="paged.reload"),
        Binding("escape", "leave", "key.back", id="paged.leave"),
    ]

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield Static("", id="pages", markup=False)
        yield Rows()
        with VerticalScroll(id="below", can_focus=False):
            yield Static("", id="text", markup=False)
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        self.rows.focus()
        self.relabel()

    def on_screen_resume(self) -> None:
        self.console.let_keys_go()
        self.come_back()

    @property
    def rows(self) -> Rows:
        """The table."""
        return self.query_one(Rows)

    def always_keys(self) -> list[tuple[str, str]]:
        labels = self.context.labels
        return [("[ ]", labels("key.pages")), ("N", labels("key.reload")), ("?", labels("key.help"))]

    def draw_pages(self, pages: Iterable[str], shown: str, prefix: str) -> None:
        """The pages by the labels `prefix.page`, the shown one turned round."""
        line = Text(" ", no_wrap=True)
        for page in pages:
            line.append(f" {self.context.labels(f'{prefix}.{page}')} ", "reverse" if page == shown else "").append(" ")
        self.query_one("#pages", Static).update(line, layout=False)

    def draw_below(self, lines: Iterable[Line], picture: Text | None = None) -> None:
        """Lines below the table, each cut to the width, and a picture under them."""
        width, below = max(self.app.size.width - 3, 40), Text(no_wrap=True)
        for line, style in lines:
            below.append(f"{set_cell_size(line, width)}\n", style)
        if picture is not None:
            below.append_text(picture)
        self.query_one("#text", Static).update(below)

    def action_page(self, step: int) -> None:
        """Turn to another page."""
        raise TypeError("a paged screen turns its pages")

    def action_reload(self) -> None:
        """Read the page again."""
        raise TypeError("a paged screen reads its pages")

    def come_back(self) -> None:
        """Read again what is shown, after another screen or a form stood over it."""
        self.action_reload()

    def action_turn_below(self, step: int) -> None:
        below = self.query_one("#below", VerticalScroll)
        below.scroll_relative(y=step * max(below.size.height - 1, 1), animate=False)

    async def action_leave(self) -> None:
        await self.console.action_go("desk")
