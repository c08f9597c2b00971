"""The small map of a finding: where its cases are, over streets and, close by, unit grids. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from appliance.i18n.labels import Labels
from tui.map.canvas import Canvas
from tui.map.drawing import draw_map
from tui.map.layers import LAYERS, Content
from tui.map.viewport import METRES_A_DEGREE, Viewport, box_of, fitting

Record = dict[str, Any]
Box = tuple[float, float, float, float]
WIDTH, HEIGHT, LEAST_HEIGHT = 64, 12, 4
"""Cells of a small map, at most and at least."""
LEAST_METRES = 400.0
"""A map of cases that are all at one place shows so much of the ground around it."""
STYLE, OTHER, HERE = "bold red", ("o", "yellow"), "bold reverse"
FAR, CLOSE = frozenset(LAYERS) - {"areas", "names"}, frozenset(LAYERS) - {"areas", "grids"}
"""The layers that are hidden on the county's map, and on the map of one finding's cases."""
MANY = "+"


def size_of(screen_width: int, screen_height: int, lines: int) -> tuple[int, int]:
    """Cells of the map below a table, where some lines stand above it."""
    return min(max(screen_width - 3, 24), WIDTH), max(min(screen_height // 2 - 1 - lines, HEIGHT), LEAST_HEIGHT)


def county_view(box: Box, width: int, height: int) -> Viewport:
    """The view of the whole county."""
    return fitting(box, width * 2, height * 4)


def close_view(points: Sequence[Sequence[float]], width: int, height: int) -> Viewport | None:
    """The view of a finding's cases; None where it has none."""
    box = box_of([(point[0], point[1]) for point in points])
    if box is None:
        return None
    room = LEAST_METRES / METRES_A_DEGREE / 2
    west, south, east, north = box
    return fitting((west - room, south - room, east + room, north + room), width * 2, height * 4)


def draw(
    view: Viewport,
    content: Content,
    item: Record,
    others: Sequence[Record] = (),
    *,
    hidden: frozenset[str] = FAR,
    at: int | None = None,
    braille: bool = True,
) -> Text:
    """A finding's cases as how many there are in a cell (+ for more than nine), over those of the same kind (o).

    Args:
        at: which of its cases is selected.
    """
    canvas = Canvas(view.wide // 2, view.high // 4, braille=braille)
    draw_map(canvas, view, content, hidden)
    for other in others:
        if other is not item and other["lon"] is not None:
            canvas.mark(*view.dots(other["lon"], other["lat"]), *OTHER)
    cells = Counter(_cell(view, point) for point in item["points"])
    for (column, row), count in cells.items():
        canvas.mark(column * 2, row * 4, str(count) if count < 10 else MANY, STYLE)
    if at is not None and at < len(item["points"]):
        column, row = _cell(view, item["points"][at])
        count = cells[column, row]
        canvas.mark(column * 2, row * 4, str(count) if count < 10 else MANY, HERE)
    return canvas.text()


def course(item: Record, labels: Labels) -> str:
    """How many there were in the periods before, and now; empty where that is not counted."""
    if not item["before"]:
        return ""
    return labels("finding.course", before=" · ".join(str(count) for count in item["before"]), now=item["count"])


def _cell(view: Viewport, point: Sequence[float]) -> tuple[int, int]:
    x, y = view.dots(point[0], point[1])
    return int(x // 2), int(y // 4)
