"""The map with its keys and the lines under it; the map screen and the place picker both hold one."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from tui.cells import wrap
from tui.fields import Choice
from tui.map.engine import MapEngine
from tui.map.jump import JumpScreen
from tui.map.layers import HIDDEN_AT_FIRST, LAYERS, SEES_PATROLS, SEES_POSITIONS, Content
from tui.map.legend import case_line, here_lines, legend
from tui.map.vehicles import Vehicles
from tui.map.view import MapView
from tui.map.viewport import Viewport
from tui.screens.pick import PickScreen
from tui.work import careful, worker

if TYPE_CHECKING:
    from tui.context import Context

Record = dict[str, Any]
SETTLE_SECONDS = 0.08
"""A map that runs along under a held key asks only where it stops."""
STEP, LARGE_STEP = 0.1, 0.5
NEAR_METRES = 2.0
"""Metres a dot after a jump to a place."""
CASE_METRES = 8.0


class MapPane(Vertical, can_focus=True):
    """A map that is worked by keys."""

    DEFAULT_CSS = """
    MapPane #below, MapPane #legend { height: 1; color: $text-muted; }
    MapPane #here { height: auto; max-height: 4; display: none; background: $surface; padding: 0 1; }
    MapPane.-here #here { display: block; }
    """
    BINDINGS = [
        Binding("up", "pan(0,-1)", "key.pan", id="map.up"),
        Binding("down", "pan(0,1)", "key.pan", id="map.down", show=False),
        Binding("left", "pan(-1,0)", "key.pan", id="map.left", show=False),
        Binding("right", "pan(1,0)", "key.pan", id="map.right", show=False),
        Binding("shift+up", "pan(0,-5)", "key.pan_far", id="map.far_up"),
        Binding("shift+down", "pan(0,5)", "key.pan_far", id="map.far_down", show=False),
        Binding("shift+left", "pan(-5,0)", "key.pan_far", id="map.far_left", show=False),
        Binding("shift+right", "pan(5,0)", "key.pan_far", id="map.far_right", show=False),
        Binding("plus,equals_sign", "zoom(2)", "key.zoom_in", id="map.in"),
        Binding("minus", "zoom(0.5)", "key.zoom_out", id="map.out"),
        Binding("tab", "walk(1)", "key.next_case", id="map.next"),
        Binding("shift+tab", "walk(-1)", "key.previous_case", id="map.previous", show=False),
        Binding("g", "jump", "key.jump", id="map.jump"),
        Binding("i", "here", "key.here", id="map.here"),
        Binding("0", "whole", "key.whole", id="map.whole"),
        Binding("t", "theme", "key.theme", id="map.theme"),
        *(Binding(str(at), f"layer('{name}')", f"layer.{name}", id=f"map.{name}") for at, name in enumerate(LAYERS, 1)),
    ]

    class Read(Message):
        """What lies in a view."""

        def __init__(self, view: Viewport, content: Content) -> None:
            super().__init__()
            self.view, self.content = view, content

    class WholeRead(Message):
        """The box of the whole county."""

        def __init__(self, box: tuple[float, float, float, float]) -> None:
            super().__init__()
            self.box = box

    class HereRead(Message):
        """What is at the cross."""

        def __init__(self, found: Record) -> None:
            super().__init__()
            self.found = found

    class ThemesRead(Message):
        """The thematic layers."""

        def __init__(self, items: list[Record]) -> None:
            super().__init__()
            self.items = items

    def __init__(self, context: Context) -> None:
        super().__init__(id="map-pane")
        self._seat = context
        self.engine = MapEngine(context.client)
        self.theme = ""
        self.vehicles = Vehicles()

    def compose(self) -> ComposeResult:
        view = MapView(self._seat, cross=True, id="map")
        view.hidden = HIDDEN_AT_FIRST
        yield view
        yield Static("", id="here", markup=False)
        yield Static("", id="below", markup=False)
        yield Static("", id="legend", markup=False)

    @property
    def map(self) -> MapView:
        """The map itself."""
        return self.query_one(MapView)

    @property
    def cross(self) -> tuple[float, float] | None:
        """Longitude and latitude in the middle."""
        view = self.map.viewport
        return None if view is None else (view.lon, view.lat)

    @property
    def selected(self) -> Record | None:
        """The selected case, while it is in view."""
        return next((case for case in self.map.content.spots if case["number"] == self.map.selected), None)

    def begin(self, lon: float | None = None, lat: float | None = None, number: str | None = None) -> None:
        """Look at a place, or at the whole county."""
        self.map.selected = number
        if lon is not None and lat is not None:
            self.map.look_at(lon, lat, CASE_METRES)
        else:
            self.action_whole()

    def relabel(self) -> None:
        """Draw the lines under the map in the language of the moment."""
        view, labels = self.map.viewport, self._seat.labels
        if view is None:
            return
        record, content = self.selected, self.map.content
        below = case_line(record, labels, self._seat.reference) if record else Text(f" {labels('map.hint')}", "dim")
        self.query_one("#below", Static).update(below, layout=False)
        self.query_one("#legend", Static).update(legend(view, content, self.map.hidden, labels), layout=False)

    # Calls to the node.

    def load(self) -> None:
        """Read what lies in the view."""
        if self.map.viewport is not None:
            worker(self.screen, partial(self._read, self.map.viewport, self.map.hidden), "map")

    @careful
    async def _read(self, view: Viewport, hidden: frozenset[str]) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        positions = not self._seat.roles.isdisjoint(SEES_POSITIONS)
        content = await self.engine.content(
            view, hidden, self.theme, positions=positions, patrols=self._sees_patrols, campaigns=True
        )
        self.post_message(self.Read(view, content))

    @careful
    async def _read_whole(self) -> None:
        self.post_message(self.WholeRead(await self.engine.whole()))

    @careful
    async def _read_here(self, lon: float, lat: float) -> None:
        self.post_message(self.HereRead(await self._seat.client.get("/api/v1/locate", lon=lon, lat=lat)))

    @careful
    async def _read_themes(self) -> None:
        self.post_message(self.ThemesRead(await self._seat.client.items("/api/v1/layers")))

    # What the node told.

    @on(Read)
    def _content_read(self, event: Read) -> None:
        event.stop()
        if event.view == self.map.viewport:  # a later pan wins
            event.content.positions = self.vehicles.newer(event.content.positions, event.view.box)
            self.map.show(event.content)
            self.relabel()

    def heard(self, items: list[Record]) -> bool:
        """Where vehicles are now; says whether `draw_vehicles` is to be called soon, once."""
        return self.vehicles.heard(items)

    def draw_vehicles(self) -> None:
        """Draw the vehicles where they were heard of last; rows that look the same are not sent again."""
        moved, content = self.vehicles.moved(), self.map.content
        if self.map.viewport is None or "positions" in self.map.hidden:
            return
        before = len(content.positions)
        content.positions = self.vehicles.put(content.positions, moved, self.map.viewport.box)
        self.map.draw()
        if len(content.positions) != before:
            self.relabel()

    @on(WholeRead)
    def _whole_read(self, event: WholeRead) -> None:
        event.stop()
        self.map.look_over(event.box)

    @on(HereRead)
    def _here_read(self, event: HereRead) -> None:
        event.stop()
        lines = here_lines(event.found, self.map.content.positions, self._seat.labels)
        width = max(self.size.width - 2, 20)
        pieces = [Text(piece, no_wrap=True) for line in lines for piece in wrap(line, width)]
        self.query_one("#here", Static).update(Text("\n").join(pieces))
        self.add_class("-here")

    @on(ThemesRead)
    def _themes_read(self, event: ThemesRead) -> None:
        event.stop()
        labels = self._seat.labels
        choices = [Choice("", labels("map.no_theme"), "0")]
        choices += [Choice(item["code"], item["name"], str(at)) for at, item in enumerate(event.items, 1)]

        def chosen(code: str | None) -> None:
            if code is not None:
                self.theme = code
                self.load()

        self.app.push_screen(PickScreen(labels("key.theme"), choices), chosen)

    @on(MapView.Moved)
    def _moved(self, event: MapView.Moved) -> None:
        event.stop()
        if not event.resized:
            self.remove_class("-here")
        self.relabel()
        self.load()

    # What the operator does.

    @property
    def _sees_patrols(self) -> bool:
        return not self._seat.roles.isdisjoint(SEES_PATROLS)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "layer" or parameters != ("patrols",) or self._sees_patrols

    def action_pan(self, right: int, down: int) -> None:
        if self.map.viewport is not None:
            step = LARGE_STEP / 5 if abs(right + down) > 1 else STEP
            self.map.look(self.map.viewport.moved(right * step, down * step))

    def action_zoom(self, factor: float) -> None:
        if self.map.viewport is not None:
            self.map.look(self.map.viewport.zoomed(factor))

    def action_whole(self) -> None:
        worker(self.screen, partial(self._read_whole), "map")

    def action_layer(self, name: str) -> None:
        self.map.hidden = self.map.hidden ^ {name}
        self.map.draw()
        self.relabel()
        self.load()

    def action_walk(self, step: int) -> None:
        numbers = [case["number"] for case in self.map.content.spots]
        if numbers:
            at = numbers.index(self.map.selected) + step if self.map.selected in numbers else 0
            self.map.selected = numbers[at % len(numbers)]
            self.map.draw()
            self.relabel()

    def action_here(self) -> None:
        if self.cross is not None:
            worker(self.screen, partial(self._read_here, *self.cross), "here")

    def action_theme(self) -> None:
        worker(self.screen, partial(self._read_themes), "themes")

    def action_jump(self) -> None:
        def chosen(place: Record | None) -> None:
            if place is not None:
                self.map.look_at(place["lon"], place["lat"], NEAR_METRES)

        self.app.push_screen(JumpScreen(self._seat), chosen)
