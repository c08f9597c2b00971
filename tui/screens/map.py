"""The map 地图: grids, parts and open cases on a braille canvas, panned and zoomed by keys."""

from __future__ import annotations

import asyncio
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import Resize
from textual.message import Message
from textual.widgets import Static

from tui.canvas import Canvas
from tui.drawing import AREA_STYLE, DUTY_STYLE, GRID_STYLE, PART_STYLE, draw_cases, draw_points, draw_shapes
from tui.screens.base import SeatScreen
from tui.show import LIGHT_SIGN, LIGHT_STYLE, short_number, state_text
from tui.viewport import Viewport, box_of, fitting, rings
from tui.widgets.bars import Banner, KeyLine, TitleLine
from tui.work import careful, worker

Record = dict[str, Any]
LAYERS = ("areas", "grids", "duty_grids", "parts", "cases")
STYLES = {"areas": AREA_STYLE, "grids": GRID_STYLE, "duty_grids": DUTY_STYLE}
MOST = {"areas": 300, "grids": 1500, "duty_grids": 400, "parts": 2000, "cases": 300}
CLOSE_ENOUGH = {"grids": 16.0, "duty_grids": 60.0, "parts": 12.0}
"""Layers that show only from this many metres a dot on."""
CHINA = "73,3,136,54"
SETTLE_SECONDS = 0.1


class MapScreen(SeatScreen):
    """A piece of the county."""

    TITLE_KEY = "screen.map"
    DEFAULT_CSS = "MapScreen #map { height: 1fr; } MapScreen #below { height: 1; color: $text-muted; }"
    BINDINGS = [
        Binding("up", "pan(0,-1)", "key.pan", id="map.up"),
        Binding("down", "pan(0,1)", "key.pan", id="map.down", show=False),
        Binding("left", "pan(-1,0)", "key.pan", id="map.left", show=False),
        Binding("right", "pan(1,0)", "key.pan", id="map.right", show=False),
        Binding("plus,equals_sign", "zoom(2)", "key.zoom_in", id="map.in"),
        Binding("minus", "zoom(0.5)", "key.zoom_out", id="map.out"),
        Binding("tab", "walk(1)", "key.next_case", id="map.next"),
        Binding("shift+tab", "walk(-1)", "key.previous_case", id="map.previous", show=False),
        Binding("0", "whole", "key.whole", id="map.whole"),
        *(Binding(str(at), f"layer('{name}')", f"layer.{name}", id=f"map.{name}") for at, name in enumerate(LAYERS, 1)),
        Binding("enter", "open", "key.open_case", id="map.open"),
        Binding("escape", "leave", "key.back", id="map.leave"),
    ]

    class LayersRead(Message):
        """What lies in the viewport."""

        def __init__(self, shapes: dict[str, list[Record]]) -> None:
            super().__init__()
            self.shapes = shapes

    class WholeRead(Message):
        """The box of the whole county."""

        def __init__(self, box: tuple[float, float, float, float]) -> None:
            super().__init__()
            self.box = box

    def __init__(self) -> None:
        super().__init__()
        self.viewport: Viewport | None = None
        self.shapes: dict[str, list[Record]] = {}
        self.hidden: set[str] = set()
        self.selected: str | None = None

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield Static("", id="map", markup=False)
        yield Static("", id="below", markup=False)
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        self.relabel()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        record = self.console.selected_case
        if record is None:
            worker(self, self._read_whole(), "map")
            return
        wide, high = self._dots()
        self.selected = record["number"]
        self.viewport = Viewport(record["lon"], record["lat"], 8.0, wide, high)
        self._load()

    def relabel(self) -> None:
        super().relabel()
        labels = self.context.labels
        self.draw_keys(
            [("+-", labels("key.zoom")), ("Tab", labels("key.next_case")), ("Enter", labels("key.open_case")),
             ("1-5", labels("key.layers")), ("0", labels("key.whole")), ("Esc", labels("key.back"))]
        )  # fmt: skip
        self._draw()

    @on(Resize)
    def _resized(self) -> None:
        if self.viewport is not None:
            self.viewport = self.viewport.sized(*self._dots())
            self._load()

    def _dots(self) -> tuple[int, int]:
        size = self.query_one("#map").size
        return max(size.width, 10) * 2, max(size.height, 5) * 4

    # Calls to the node.

    @careful
    async def _read_whole(self) -> None:
        client = self.context.client
        points: list[tuple[float, float]] = []
        for layer in ("areas", "grids"):
            found = await client.get(f"/api/v1/shapes/{layer}", bbox=CHINA, limit=MOST[layer])
            inner = [item for item in found["features"] if item["properties"].get("level") != "county"]
            points = [point for item in inner for ring in rings(item.get("geometry")) for point in ring]
            if points:
                break
        if not points:
            records = await client.items("/api/v1/cases", limit=100)
            points = [(record["lon"], record["lat"]) for record in records]
        self.post_message(self.WholeRead(box_of(points) or (73, 18, 136, 54)))

    def _load(self) -> None:
        if self.viewport is not None:
            worker(self, self._read_layers(self.viewport), "map")

    @careful
    async def _read_layers(self, view: Viewport) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        client, wanted = self.context.client, [name for name in LAYERS if self._visible(name, view)]
        answers = await asyncio.gather(
            *(
                client.items("/api/v1/cases", bbox=view.box_text, limit=MOST[name])
                if name == "cases"
                else client.get(f"/api/v1/shapes/{name}", bbox=view.box_text, limit=MOST[name])
                for name in wanted
            )
        )
        pairs = zip(wanted, answers, strict=True)
        self.post_message(
            self.LayersRead({name: found if name == "cases" else found["features"] for name, found in pairs})
        )

    def _visible(self, name: str, view: Viewport) -> bool:
        return name not in self.hidden and view.metres <= CLOSE_ENOUGH.get(name, 1e9)

    @on(LayersRead)
    def _layers_read(self, event: LayersRead) -> None:
        self.shapes = event.shapes
        self._draw()

    @on(WholeRead)
    def _whole_read(self, event: WholeRead) -> None:
        self.viewport = fitting(event.box, *self._dots())
        self._load()

    # Drawing.

    def _draw(self) -> None:
        view = self.viewport
        if view is None:
            return
        canvas = Canvas(view.wide // 2, view.high // 4, braille=self.context.braille)
        for name, style in STYLES.items():
            draw_shapes(canvas, view, self.shapes.get(name, []), style)
        draw_points(canvas, view, self.shapes.get("parts", []), PART_STYLE)
        draw_cases(canvas, view, self.shapes.get("cases", []), self.selected)
        self.query_one("#map", Static).update(canvas.text(), layout=False)
        self.query_one("#below", Static).update(self._below(view), layout=False)

    def _below(self, view: Viewport) -> Text:
        labels = self.context.labels
        line = Text(" ", no_wrap=True)
        record = self._selected_record()
        if record is not None:
            name = self.context.reference.class_text(record, labels)
            state = state_text(record["state"], labels)
            line.append(f"{short_number(record['number'])} {name} {state} {record['address']}  ", "bold")
        for light in ("red", "yellow", "green"):
            if any(case.get("light") == light for case in self.shapes.get("cases", [])):
                line.append(f"{LIGHT_SIGN[light]} {labels('light.' + light)} ", LIGHT_STYLE[light])
        for at, name in enumerate(LAYERS, 1):
            if self.shapes.get(name):
                line.append(f" {at} {labels('layer.' + name)} {len(self.shapes[name])}", STYLES.get(name, ""))
        line.append(f"  {labels('map.scale', metres=f'{view.metres * view.wide:.0f}')}")
        return line

    def _selected_record(self) -> Record | None:
        return next((case for case in self.shapes.get("cases", []) if case["number"] == self.selected), None)

    # What the operator does.

    def _look(self, view: Viewport) -> None:
        self.viewport = view
        self._draw()
        self._load()

    def action_pan(self, right: int, down: int) -> None:
        if self.viewport is not None:
            self._look(self.viewport.moved(right * 0.25, down * 0.25))

    def action_zoom(self, factor: float) -> None:
        if self.viewport is not None:
            self._look(self.viewport.zoomed(factor))

    def action_whole(self) -> None:
        worker(self, self._read_whole(), "map")

    def action_layer(self, name: str) -> None:
        self.hidden ^= {name}
        self._load()

    def action_walk(self, step: int) -> None:
        cases = self.shapes.get("cases", [])
        if not cases:
            return
        numbers = [case["number"] for case in sorted(cases, key=lambda case: (case["lon"], case["lat"]))]
        at = numbers.index(self.selected) + step if self.selected in numbers else 0
        self.selected = numbers[at % len(numbers)]
        self._draw()

    async def action_open(self) -> None:
        record = self._selected_record()
        if record is not None:
            await self.console.open_case(record)

    async def action_leave(self) -> None:
        await self.console.action_go("desk")
