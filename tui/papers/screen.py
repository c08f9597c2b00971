"""The papers screen 报表: what is due, made, signed or overdue; saving a paper, handing in the return."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.binding import Binding
from textual.widgets import DataTable

from tui.fields import Choice, Field, Form
from tui.papers import text as paper_text
from tui.papers.calls import PaperCalls, PapersRead
from tui.papers.saving import paper_file
from tui.papers.text import ENDINGS, PAGES
from tui.screens.form import FormScreen
from tui.screens.paged import PagedScreen
from tui.widgets.rows import Rows

Record = dict[str, Any]
SIGNERS = frozenset(("assessor", "leader", "admin"))
MAKERS = frozenset(("shift_leader", "admin", "technician"))


class PapersScreen(PaperCalls, PagedScreen):
    """What waits, and all; Enter saves the paper under the cursor."""

    TITLE_KEY = "screen.papers"
    BINDINGS = [
        Binding("S", "submit", "key.submit_return", id="papers.submit"),
        Binding("M", "make", "key.make_papers", id="papers.make"),
        Binding("b", "bulletin", "key.other_bulletin", id="papers.bulletin"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.page = PAGES[0]
        self.found: list[Record] | None = None

    @property
    def items(self) -> list[Record]:
        """The papers of the page."""
        found = self.found or []
        return paper_text.waiting(found) if self.page == PAGES[0] else found

    @property
    def selected(self) -> Record | None:
        """The paper under the cursor."""
        key = self.rows.selected
        return next((item for item in self.items if paper_text.key_of(item) == key), None)

    # Drawing.

    def relabel(self) -> None:
        self._draw(keep=True)

    def _draw(self, *, keep: bool) -> None:
        self.draw_pages(PAGES, self.page, "papers")
        self.draw_title()
        if self.found is not None:
            self.rows.fill(*paper_text.paper_rows(self.items, self.context.labels), keep=keep)
        self._draw_below()

    def _draw_below(self) -> None:
        labels, item = self.context.labels, self.selected
        if item is not None:
            self.draw_below((line, "") for line in paper_text.lines(item, labels))
        else:
            self.draw_below([(labels("papers.none"), "dim")] if self.found is not None else [])
        keys = [("Enter", labels("key.save_paper"))] if item is not None else []
        if self._may_submit(item):
            keys.append(("S", labels("key.submit_return")))
        keys.append(("b", labels("key.other_bulletin")))
        if self.context.roles & MAKERS:
            keys.append(("M", labels("key.make_papers")))
        self.draw_keys(keys)

    # What the node told.

    @on(PapersRead)
    def _papers_read(self, event: PapersRead) -> None:
        self.found = event.items
        self._draw(keep=True)

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._draw_below()

    @on(DataTable.RowSelected)
    def _row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        item = self.selected
        if item is None:
            return
        endings = ENDINGS[item["maker"]]
        choices = [Choice(ending, ending, str(at)) for at, ending in enumerate(endings, 1)]
        self.pick("papers.format", choices, lambda ending: self._ask_file(item, ending))

    def _ask_file(self, item: Record, ending: str) -> None:
        """Under which name to save it."""
        about = f"{self.context.labels.pick(item['name'], item['english'])} {item['period']}"
        self.ask_file(paper_text.path_of(item), about, paper_file(f"{item['paper']}-{item['period']}.{ending}"))

    # What the operator does.

    def action_page(self, step: int) -> None:
        self.page = PAGES[(PAGES.index(self.page) + step) % len(PAGES)]
        self.say("")
        self._draw(keep=False)

    def _may_submit(self, item: Record | None) -> bool:
        return item is not None and item["maker"] == "return" and bool(self.context.roles & SIGNERS)

    def action_submit(self) -> None:
        item, labels = self.selected, self.context.labels
        if item is None or not self._may_submit(item):
            return
        period: str = item["period"]
        choices = [
            Choice("no", labels("papers.keep"), "n"), Choice("yes", labels("papers.submit_it", period=period), "y"),
        ]  # fmt: skip

        def chosen(answer: str) -> None:
            if answer == "yes":
                self.submit_return(period)

        self.pick("key.submit_return", choices, chosen)

    def action_make(self) -> None:
        if self.context.roles & MAKERS:
            self.make_papers()

    def action_bulletin(self) -> None:
        labels = self.context.labels
        file = paper_file("bulletin.pdf")
        fields = (Field("period", required=True), Field("file", required=True, default=str(file)))
        form = Form(labels("key.other_bulletin"), "2026-10-08, 2026-W41, 2026-10, 2026-Q4, 2026", "", fields)

        def filled(values: Record | None) -> None:
            if values is not None:
                self.save_paper(paper_text.bulletin_path(values["period"].strip()), values["file"])

        self.app.push_screen(FormScreen(self.context, form, None), filled)

    def action_reload(self) -> None:
        self.load()
