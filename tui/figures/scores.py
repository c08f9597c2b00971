"""The figures screen 统计: today and this month, patrols, departments; numbers first, a plot of the hours beside."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Static
from textual_plotext import PlotextPlot

from tui.cells import fit
from tui.figures.patrols import patrols_text
from tui.figures.reading import ReadingScreen
from tui.map.layers import SEES_PATROLS
from tui.widgets.bars import Banner, KeyLine, TitleLine

Record = dict[str, Any]
NAME_CELLS = 26
NUMBER_CELLS = 8
NARROW = 100


class FiguresRead(Message):
    """The figures of the node, and those of the patrols for whom they are."""

    def __init__(self, figures: Record, patrols: Record) -> None:
        super().__init__()
        self.figures, self.patrols = figures, patrols


class ScoresScreen(ReadingScreen):
    """Tables and a plot of what the node counts."""

    TITLE_KEY = "screen.scores"
    DEFAULT_CSS = """
    ScoresScreen VerticalScroll { width: 1fr; padding: 0 1; }
    ScoresScreen PlotextPlot { width: 1fr; height: 1fr; }
    ScoresScreen.-narrow PlotextPlot { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.figures: Record = {}
        self.patrols: Record = {}

    def compose(self) -> ComposeResult:
        yield TitleLine()
        with Horizontal():
            with VerticalScroll():
                yield Static("", id="tables", markup=False)
            yield PlotextPlot()
        yield Banner()
        yield KeyLine()

    async def read(self) -> None:
        client = self.context.client
        figures, patrols = await client.get("/api/v1/wall"), {}
        if not self.context.roles.isdisjoint(SEES_PATROLS):
            patrols = await client.get("/api/v1/patrols/summary")
        self.post_message(FiguresRead(figures, patrols))

    @on(FiguresRead)
    def _figures_read(self, event: FiguresRead) -> None:
        self.figures, self.patrols = event.figures, event.patrols
        self.draw()

    def draw(self) -> None:
        self.set_class(self.app.size.width < NARROW, "-narrow")
        if not self.figures:
            return
        labels, figures = self.context.labels, self.figures
        text = Text(no_wrap=True)
        for name in ("reported_today", "closed_today", "open", "overdue", "waiting_requests"):
            text.append(fit(labels(f"figure.{name}"), NAME_CELLS)).append(f"{figures[name]:>{NUMBER_CELLS}}\n", "bold")
        for name in ("today", "month"):
            period = figures[name]
            rate = labels("figure.no_cases") if period["rate"] is None else f"{period['rate']:.1%}"
            text.append(fit(labels(f"figure.on_time_{name}"), NAME_CELLS)).append(f"{rate:>{NUMBER_CELLS}}", "bold")
            text.append(f"  {period['on_time']}/{period['measured']}\n", "dim")
        if self.patrols:
            text.append_text(patrols_text(self.patrols, labels))
        text.append(f"\n{fit(labels('column.department'), NAME_CELLS)}", "bold")
        text.append(f"{labels('figure.open'):>6}{labels('figure.overdue'):>6}\n", "bold")
        for unit in figures["departments"]:
            name = unit["name"] or labels("figure.not_dispatched")
            text.append(fit(name, NAME_CELLS)).append(f"{unit['open']:>{NUMBER_CELLS}}")
            text.append(f"{unit['overdue']:>{NUMBER_CELLS}}\n", "bold red" if unit["overdue"] else "")
        self.query_one("#tables", Static).update(text)
        self._plot()

    def _plot(self) -> None:
        panel = self.query_one(PlotextPlot)
        plot = panel.plt
        plot.clear_figure()
        hours = self.figures["hours"]
        plot.bar([str(hour) for hour in range(len(hours))], hours)
        plot.ylim(0, max(1, *hours) if hours else 1)
        plot.title(self.context.labels("figure.hours"))
        panel.refresh()
