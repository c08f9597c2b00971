"""Draws grids, parts and cases on a canvas. Pure."""

from __future__ import annotations

from typing import Any

from tui.canvas import Canvas
from tui.show import LIGHT_SIGN, LIGHT_STYLE
from tui.viewport import Viewport, rings

Record = dict[str, Any]
GRID_STYLE, DUTY_STYLE, AREA_STYLE, PART_STYLE = "blue", "magenta", "cyan", "bright_black"


def draw_shapes(canvas: Canvas, view: Viewport, features: list[Record], style: str) -> None:
    """Outlines of GeoJSON features."""
    for feature in features:
        for ring in rings(feature.get("geometry")):
            canvas.path([view.dots(lon, lat) for lon, lat in ring], style)


def draw_points(canvas: Canvas, view: Viewport, features: list[Record], style: str) -> None:
    """Points of GeoJSON features as single dots."""
    for feature in features:
        geometry = feature.get("geometry") or {}
        if geometry.get("type") == "Point":
            canvas.dot(*view.dots(*geometry["coordinates"][:2]), style)


def draw_cases(canvas: Canvas, view: Viewport, records: list[Record], selected: str | None) -> None:
    """Cases by light (X red, + yellow, o green, . none); the selected one is drawn last, reversed."""
    for record in sorted(records, key=lambda record: record["number"] == selected):
        light = record.get("light") or ""
        style = LIGHT_STYLE.get(light, "white")
        if record["number"] == selected:
            style = f"{style} reverse"
        canvas.mark(*view.dots(record["lon"], record["lat"]), LIGHT_SIGN.get(light, "*"), style)
