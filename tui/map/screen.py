"""The map 地图: streets, grids, parts, open cases and collectors on a canvas of dots, worked by keys."""

from __future__ import annotations

import asyncio
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding

from tui.live import listen
from tui.map.glyphs import GlyphScreen
from tui.map.layers import SEES_POSITIONS
from tui.map.pane import MapPane
from tui.messages import ChangeHeard, VehiclesMoved
from tui.screens.base import SeatScreen
from tui.widgets.bars import Banner, KeyLine, TitleLine
from tui.work import careful, worker

GATHER_SECONDS = 1.2
"""After a change; the node reads the open cases at most once a second."""
POSITION_SECONDS = 30.0
"""Between two looks where the collectors are, while the map is on the screen."""
VEHICLE_SECONDS = 0.2
"""After a vehicle moved, for others that move with it; then the map is drawn once."""


class MapScreen(SeatScreen):
    """A piece of the county, live."""

    TITLE_KEY = "screen.map"
    BINDINGS = [
        Binding("enter", "open", "key.open_case", id="map.open"),
        Binding("n", "intake", "key.intake_here", id="map.intake"),
        Binding("f5", "reload", "key.reload", id="map.reload"),
        Binding("escape", "leave", "key.back", id="map.leave"),
    ]

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield MapPane(self.context)
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        self.relabel()
        self.pane.focus()
        self.set_interval(POSITION_SECONDS, self._look_again)
        self.call_after_refresh(self._begin)

    @property
    def pane(self) -> MapPane:
        """The map with its lines."""
        return self.query_one(MapPane)

    def _begin(self) -> None:
        if self.context.braille is None:
            self.app.push_screen(GlyphScreen(self.context), lambda _: self.pane.map.draw())
        record = self.console.selected_case
        if record is None:
            self.pane.begin()
        else:
            self.pane.begin(record["lon"], record["lat"], record["number"])

    def relabel(self) -> None:
        super().relabel()
        labels = self.context.labels
        self.draw_keys(
            [("+-", labels("key.zoom")), ("Tab", labels("key.next_case")), ("Enter", labels("key.open_case")),
             ("g", labels("key.jump")), ("i", labels("key.here")), ("n", labels("key.intake_here")),
             ("1-9", labels("key.layers"))]
        )  # fmt: skip
        self.pane.relabel()

    # Live.

    def on_screen_resume(self) -> None:
        self.console.let_keys_go()
        sees = not self.context.roles.isdisjoint(SEES_POSITIONS)
        worker(self, partial(listen, self, vehicles=sees), "live")

    def on_screen_suspend(self) -> None:
        self.workers.cancel_group(self, "live")

    @on(ChangeHeard)
    def _change_heard(self) -> None:
        if not any(job.group == "map-changes" and job.is_running for job in self.workers):
            worker(self, partial(self._gather), "map-changes")

    @on(VehiclesMoved)
    def _vehicles_moved(self, event: VehiclesMoved) -> None:
        if self.pane.heard(event.items):
            self.set_timer(VEHICLE_SECONDS, self.pane.draw_vehicles)

    @careful
    async def _gather(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        self.call_later(self.pane.load)

    def _look_again(self) -> None:
        if self.is_current:
            self.pane.load()

    # What the operator does.

    async def action_open(self) -> None:
        record = self.pane.selected
        if record is not None:
            worker(self, partial(self._open, record["number"]), "open")

    @careful
    async def _open(self, number: str) -> None:
        record = await self.context.client.get(f"/api/v1/cases/{number}")
        self.call_later(self.console.open_case, record)

    async def action_intake(self) -> None:
        if self.pane.cross is not None:
            await self.console.intake_at(*self.pane.cross)

    def action_reload(self) -> None:
        self.say("")
        self.pane.engine.forget()
        self.pane.load()

    async def action_leave(self) -> None:
        if self.pane.has_class("-here"):
            self.pane.remove_class("-here")
        else:
            await self.console.action_go("desk")
