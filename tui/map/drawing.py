"""Draws places, patrols, cases and collectors on a canvas. Pure."""

from __future__ import annotations

from typing import Any

from tui.map.canvas import Canvas
from tui.map.layers import CAMERA_SIGNS, OLD_SECONDS, PATROL_SIGNS, STYLES, TARGET_SIGNS, Content
from tui.map.viewport import Viewport, rings
from tui.show import LIGHT_SIGN, LIGHT_STYLE

Record = dict[str, Any]
NO_LIGHT_SIGN = "*"
COLLECTOR_SIGN = "A"
NO_GRID = "."
"""A cell of the patrols that has no unit grid."""
NAMES_AT_MOST = 60
LIVE_SECONDS = 5
"""A younger position is drawn without its age, which would change every second and say nothing."""
CROSS = 4
"""Dots of each arm of the cross in the middle."""


def draw_map(
    canvas: Canvas,
    view: Viewport,
    content: Content,
    hidden: frozenset[str] | set[str] = frozenset(),
    selected: str | None = None,
    *,
    cross: bool = False,
) -> None:
    """Everything in a view but the hidden layers: what is far behind first."""
    if "parts" not in hidden:
        draw_density(canvas, view, content.places)
        draw_points(canvas, view, content.features("parts"), STYLES["parts"])
    for layer in ("grids", "duty_grids", "areas"):
        if layer not in hidden:
            draw_shapes(canvas, view, content.features(layer), STYLES[layer])
    draw_shapes(canvas, view, content.theme.get("grids", []), STYLES["theme"])
    draw_points(canvas, view, content.theme.get("parts", []), STYLES["theme"])
    if cross:
        _draw_cross(canvas)
    if "patrols" not in hidden:
        draw_patrols(canvas, view, content.patrols)
    if "campaigns" not in hidden:
        for target in sorted(content.campaigns.get("items", ()), key=lambda target: not target["answered"]):
            canvas.mark(*view.dots(target["lon"], target["lat"]), *TARGET_SIGNS[target["answered"]])
    if "cases" not in hidden:
        draw_cells(canvas, view, content.cases.get("cells", []))
        draw_cases(canvas, view, content.spots, selected)
    if "positions" not in hidden:
        draw_positions(canvas, view, content.positions, names="names" not in hidden)
    if "names" not in hidden:
        _draw_names(canvas, view, content, hidden)


def draw_shapes(canvas: Canvas, view: Viewport, features: list[Record], style: str) -> None:
    """Outlines of GeoJSON features."""
    for feature in features:
        for ring in rings(feature.get("geometry")):
            canvas.path(view.path(ring), style)


def draw_points(canvas: Canvas, view: Viewport, features: list[Record], style: str) -> None:
    """Points of GeoJSON features as single dots."""
    for feature in features:
        geometry = feature.get("geometry") or {}
        if geometry.get("type") == "Point":
            canvas.dot(*view.dots(*geometry["coordinates"][:2]), style)


def draw_patrols(canvas: Canvas, view: Viewport, patrols: Record) -> None:
    """Unit grids (- not passed, ~ passed, = as planned) and cameras (V due, v not); the worst over the others."""
    for grid in sorted(patrols.get("grids", ()), key=lambda grid: -grid["level"]):
        canvas.mark(*view.dots(grid["lon"], grid["lat"]), *PATROL_SIGNS[grid["level"]])
    if rows := patrols.get("rows"):
        west, south, east, north = patrols["bbox"]
        wide, high = (east - west) / len(rows[0]), (north - south) / len(rows)
        for down, row in enumerate(rows):
            for across, level in enumerate(row):
                if level != NO_GRID:
                    dots = view.dots(west + (across + 0.5) * wide, north - (down + 0.5) * high)
                    canvas.mark(*dots, *PATROL_SIGNS[int(level)])
    for camera in sorted(patrols.get("cameras", ()), key=lambda camera: camera["due"]):
        canvas.mark(*view.dots(camera["lon"], camera["lat"]), *CAMERA_SIGNS[camera["due"]])


def draw_density(canvas: Canvas, view: Viewport, places: Record) -> None:
    """How dense parts are, where they are too many to be drawn one by one."""
    density = (places.get("parts") or {}).get("density")
    if not density:
        return
    west, south, east, north = places["bbox"]
    rows, columns = density["rows"], density["columns"]
    for row in range(canvas.height):
        for column in range(canvas.width):
            lon, lat = view.position(column * 2 + 1, row * 4 + 2)
            x = int((lon - west) / (east - west) * columns)
            y = int((north - lat) / (north - south) * len(rows))
            if 0 <= x < columns and 0 <= y < len(rows):
                canvas.shade(column, row, int(rows[y][x]), STYLES["parts"])


def draw_cases(canvas: Canvas, view: Viewport, records: list[Record], selected: str | None) -> None:
    """Cases by light (X red, + yellow, o green, * none); the urgent ones over others, the selected one over all."""
    for record in sorted(records, key=lambda record: (record["number"] == selected, _urgency(record.get("light")))):
        style = LIGHT_STYLE.get(record.get("light") or "", "white")
        if record.get("supervised"):
            style = f"{style} underline"
        if record["number"] == selected:
            style = f"{style} reverse"
        canvas.mark(*view.dots(record["lon"], record["lat"]), sign_of(record.get("light")), style)


def draw_cells(canvas: Canvas, view: Viewport, cells: list[Record]) -> None:
    """Several cases in one cell as one sign, that of the most urgent."""
    for cell in sorted(cells, key=lambda cell: _urgency(cell.get("light"))):
        style = LIGHT_STYLE.get(cell.get("light") or "", "white")
        canvas.mark(*view.dots(cell["lon"], cell["lat"]), sign_of(cell.get("light")), style)


def draw_positions(canvas: Canvas, view: Viewport, positions: list[Record], *, names: bool) -> None:
    """Collectors and vehicles where they were last heard of, with the age; dim when that is long ago."""
    for item in positions:
        style = "dim" if item["age"] > OLD_SECONDS else STYLES["positions"]
        x, y = view.dots(item["lon"], item["lat"])
        canvas.mark(x, y, COLLECTOR_SIGN, style)
        if names:
            age = age_text(item["age"]) if item["age"] >= LIVE_SECONDS else ""
            text = f"{item['name']} {age}".rstrip()
            if not canvas.write(x, y + 4, text, style):
                canvas.write(x, y - 4, text, style)


def age_text(seconds: int) -> str:
    """`40s`, `12m`, `5h`."""
    if seconds < 60:
        return f"{seconds}s"
    return f"{seconds // 60}m" if seconds < 3600 else f"{seconds // 3600}h"


def sign_of(light: str | None) -> str:
    """The sign of a light; every light has its own, so that colour is never alone."""
    return LIGHT_SIGN.get(light or "", NO_LIGHT_SIGN)


def _urgency(light: str | None) -> int:
    return {"red": 3, "yellow": 2, "green": 1}.get(light or "", 0)


def _draw_cross(canvas: Canvas) -> None:
    x, y = canvas.dots_wide // 2, canvas.dots_high // 2
    for step in (-1, 1):
        canvas.line(x + step * 3, y, x + step * (3 + CROSS), y, "bold bright_white")
        canvas.line(x, y + step * 3, x, y + step * (3 + CROSS), "bold bright_white")


def _draw_names(canvas: Canvas, view: Viewport, content: Content, hidden: frozenset[str] | set[str]) -> None:
    """Names of streets, communities and duty grids in their middle, where they cover nothing."""
    written = 0
    for layer in ("areas", "duty_grids"):
        for feature in content.features(layer) if layer not in hidden else ():
            properties = feature.get("properties", {})
            if "at" not in properties or properties.get("level") == "county" or written >= NAMES_AT_MOST:
                continue
            x, y = view.dots(*properties["at"])
            written += canvas.write(x, y, str(properties.get("name") or ""), STYLES["names"])
