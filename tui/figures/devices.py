"""The devices screen 设备: who sent a position and how long ago; other devices come with their drivers."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from tui.cells import fit
from tui.figures.reading import ReadingScreen
from tui.widgets.bars import Banner, KeyLine, TitleLine

Record = dict[str, Any]
SILENT_SECONDS = 900
"""A collector who sent nothing for a quarter of an hour is shown as silent."""


class PositionsRead(Message):
    """The newest position of everybody who sent one."""

    def __init__(self, items: list[Record]) -> None:
        super().__init__()
        self.items = items


class DevicesScreen(ReadingScreen):
    """Positions as a list, the silent ones last."""

    TITLE_KEY = "screen.devices"
    DEFAULT_CSS = "DevicesScreen VerticalScroll { padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.positions: list[Record] | None = None

    def compose(self) -> ComposeResult:
        yield TitleLine()
        with VerticalScroll():
            yield Static("", id="positions", markup=False)
        yield Banner()
        yield KeyLine()

    async def read(self) -> None:
        self.post_message(PositionsRead(await self.context.client.items("/api/v1/positions")))

    @on(PositionsRead)
    def _positions_read(self, event: PositionsRead) -> None:
        self.positions = sorted(event.items, key=lambda item: item["age"])
        self.draw()

    def draw(self) -> None:
        if self.positions is None:
            return
        labels, text = self.context.labels, Text(no_wrap=True)
        if not self.positions:
            text.append(labels("devices.none"))
        for item in self.positions:
            silent = item["age"] > SILENT_SECONDS
            text.append(fit(f"{item['name']} {item['who']}", 30), "dim" if silent else "")
            text.append(f"{item['lon']:.5f},{item['lat']:.5f}  ")
            text.append(labels("devices.age", minutes=item["age"] // 60), "bold yellow" if silent else "green")
            text.append("\n")
        self.query_one("#positions", Static).update(text)
