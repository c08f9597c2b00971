"""Small charts as SVG inside of a page: bars and lines, no script, the same bytes for the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 640
ROW, LABEL, FIGURE = 22, 150, 70
HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 190, 44, 26, 24, 24
STEPS, LEGEND = 4, 130
COLOURS = ("#1f5fa8", "#c0392b", "#2e8b57", "#d4880f")
DASHES = ("", "6 3", "2 2", "8 2 2 2")
"""Lines differ also in black and white."""
LABELS_AT_MOST = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its label, its length (None draws none), and the figure as it is written."""

    label: str
    value: float | None
    shown: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line: its name and a value at each place (None leaves a gap)."""

    name: str
    values: Sequence[float | None]


def bars(rows: Sequence[Bar], whole: float | None = None) -> Markup:
    """Bars lying below each other.

    Args:
        whole: the value of a full bar; the largest one where it is None.
    """
    most = whole or max((row.value or 0 for row in rows), default=0) or 1
    room = WIDTH - LABEL - FIGURE
    parts = []
    for number, row in enumerate(rows):
        top, length = number * ROW, min((row.value or 0) / most, 1) * room
        parts.append(_text(LABEL - 6, top + 15, row.label, "end"))
        parts.append(f'<rect x="{LABEL}" y="{top + 4}" width="{length:.1f}" height="{ROW - 8}" fill="{COLOURS[0]}"/>')
        parts.append(_text(LABEL + length + 5, top + 15, row.shown))
    return _svg(max(len(rows), 1) * ROW, parts)


def lines(places: Sequence[str], drawn: Sequence[Line], *, per_cent: bool = False) -> Markup:
    """Lines over places in order, with a legend.

    Args:
        per_cent: the values are fractions and the axis ends at the whole.
    """
    most = 1.0 if per_cent else _nice(max((value or 0 for line in drawn for value in line.values), default=0))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    step = (right - LEFT) / max(len(places) - 1, 1)

    def at(number: int, value: float) -> str:
        return f"{LEFT + number * step:.1f},{bottom - min(value / most, 1) * (bottom - TOP):.1f}"

    parts = []
    for number in range(STEPS + 1):
        value, y = most * number / STEPS, bottom - (bottom - TOP) * number / STEPS
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#ccc" stroke-width="0.7"/>')
        parts.append(_text(LEFT - 5, y + 4, f"{value:.0%}" if per_cent else f"{value:g}", "end"))
    every = -(-len(places) // LABELS_AT_MOST)
    for number, place in enumerate(places):
        if number % every == 0:
            parts.append(_text(LEFT + number * step, HEIGHT - 6, place, "middle"))
    for number, line in enumerate(drawn):
        parts += _drawn(line, [None if v is None else at(i, v) for i, v in enumerate(line.values)], number)
    return _svg(HEIGHT, parts)


def _drawn(line: Line, points: Sequence[str | None], number: int) -> list[str]:
    """A line with its gaps, and its name in the legend."""
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
    style = f'fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dash}"'
    runs: list[list[str]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    parts = [f'<polyline points="{" ".join(run)}" {style}/>' for run in runs if len(run) > 1]
    for run in runs:
        if len(run) == 1:
            x, y = run[0].split(",")
            parts.append(f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>')
    left = LEFT + number * LEGEND
    parts.append(f'<line x1="{left}" y1="9" x2="{left + 24}" y2="9" {style}/>')
    parts.append(_text(left + 30, 13, line.name))
    return parts


def _nice(value: float) -> float:
    """The end of an axis: 4, 8, 20, 40, 80 …"""
    end = float(STEPS)
    while end < value:
        end *= 2.5 if str(end).startswith("8") else 2
    return end


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(height: int, parts: Sequence[str]) -> Markup:
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="100%">{"".join(parts)}</svg>'
    )
