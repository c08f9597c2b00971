"""The pages of the wall, drawn to lines of exactly the screen's width. Pure; figures are those of GET /api/v1/wall."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from rich.text import Text

from appliance.i18n.labels import Labels
from tui.cells import fit
from tui.map.canvas import Canvas
from tui.map.drawing import draw_map, sign_of
from tui.map.layers import Content
from tui.map.legend import lights_text
from tui.map.viewport import Viewport
from tui.show import LIGHT_STYLE, clock_text, short_number, state_text
from tui.wall.digits import huge

Record = dict[str, Any]
HOURS_FROM = 34
"""Rows from which on there is room for the day's hours under the digits."""
HOURS_HIGH = 8
EACH_AT_MOST = 3
"""Rows for a unit's bar with the blank one under it."""
TWO_COLUMNS_FROM = 110


def figures_page(figures: Record, width: int, height: int, labels: Labels) -> list[Text]:
    """Today's intake, closed and on-time rate; open and overdue; the hours of the day where there is room."""
    hours = hours_rows(figures["hours"], width, HOURS_HIGH, labels) if height >= HOURS_FROM else []
    today, month = figures["today"], figures["month"]
    top = [
        ("wall.reported", str(figures["reported_today"]), "cyan", ""),
        ("wall.closed", str(figures["closed_today"]), "green", ""),
        ("wall.on_time", percent(today["rate"]), "green", labels("wall.month", rate=percent(month["rate"]))),
    ]
    bottom = [
        ("wall.open", str(figures["open"]), "yellow", ""),
        ("wall.overdue", str(figures["overdue"]), "red", ""),
    ]
    room = height - len(hours)
    high = room // 2
    rows = _boxes(top, width, room - high, labels) + _boxes(bottom, width, high, labels)
    return [*rows, *hours]


def _boxes(items: list[tuple[str, str, str, str]], width: int, height: int, labels: Labels) -> list[Text]:
    """Boxes side by side, each a name over its huge figure."""
    drawn: list[list[Text]] = []
    for at, (key, value, style, more) in enumerate(items):
        wide = width * (at + 1) // len(items) - width * at // len(items)
        name = f"{labels(key)}  {more}".strip()
        head = Text(fit(name, wide - 1) if cell_len(name) >= wide else _centred(name, wide), f"bold {style}", end="")
        head.append(" " * (wide - head.cell_len))
        drawn.append([head, *huge(value, wide - 2, height - 1, style)])
    rows = []
    for line in range(height):
        row = Text(no_wrap=True, end="")
        for at, box in enumerate(drawn):
            row.append_text(box[line])
            wide = width * (at + 1) // len(items) - width * at // len(items)
            row.append(" " * max(wide - box[line].cell_len, 0))
        rows.append(row)
    return rows


def hours_rows(hours: list[int], width: int, height: int, labels: Labels) -> list[Text]:
    """Today's intake by hour as columns of filled cells, with the hours under them."""
    wide = max((width - 2) // 24, 1)
    most = max([*hours, 1])
    rows = [_plain(labels("wall.hours", most=most), width, "dim")]
    for level in range(height - 2, 0, -1):
        row = Text(" ", no_wrap=True, end="")
        for count in hours:
            filled = count > 0 and -(-count * (height - 2) // most) >= level
            row.append(" " * (wide - 1), "cyan reverse" if filled else "").append(" ")
        rows.append(row)
    numbers = "".join(fit(str(hour) if wide >= 3 or hour % 2 == 0 else "", wide) for hour in range(24))
    return [*rows, Text(f" {numbers}"[:width], "dim", no_wrap=True, end="")]


def units_page(figures: Record, width: int, height: int, labels: Labels) -> list[Text]:
    """Open and overdue cases by unit as bars: overdue is `#` in reverse, the rest plain reverse."""
    units = figures["departments"]
    each = min(max((height - 2) // max(len(units), 1), 1), EACH_AT_MOST)
    shown = units[: max((height - 2) // each, 1)]
    most = max([unit["open"] for unit in shown] + [1])
    name_wide = min(max([cell_len(unit["name"] or labels("wall.no_unit")) for unit in shown] + [8]), width // 3)
    bar_wide = max(width - name_wide - 20, 10)
    head = f"{fit(labels('wall.units'), name_wide)} {labels('wall.bars')}"
    rows = [_plain(head, width, "bold"), Text("", end="")]
    for unit in shown:
        whole = max(round(unit["open"] / most * bar_wide), 1)
        late = min(max(round(unit["overdue"] / most * bar_wide), 1 if unit["overdue"] else 0), whole)
        for line in range(max(each - 1, 1)):
            name = (unit["name"] or labels("wall.no_unit")) if line == 0 else ""
            row = Text(f" {fit(name, name_wide)} ", no_wrap=True, end="")
            row.append("#" * late, "bold red reverse").append(" " * (whole - late), "cyan reverse")
            if line == 0:
                row.append(f" {unit['overdue']}", "bold red" if unit["overdue"] else "dim").append(f" / {unit['open']}")
            rows.append(row)
        rows += [Text("", end="")] * (each > 1)
    return rows


def map_page(content: Content, view: Viewport, labels: Labels, *, braille: bool = True) -> list[Text]:
    """Cases by light over streets and grids, and what the signs mean."""
    canvas = Canvas(view.wide // 2, view.high // 4, braille=braille)
    draw_map(canvas, view, content, frozenset(("parts", "positions")))
    line = Text(" ", no_wrap=True, end="").append_text(lights_text(content.cases.get("lights", {}), labels))
    line.truncate(canvas.width)
    return [*canvas.rows(), line]


def cases_page(figures: Record, width: int, height: int, labels: Labels) -> list[Text]:
    """The urgent and the latest cases; side by side where there is room."""
    if width >= TWO_COLUMNS_FROM:
        half = width // 2
        left = _list("wall.urgent", figures["urgent"], half - 1, height, labels)
        right = _list("wall.latest", figures["latest"], width - half, height, labels)
        return [_side_by_side(one, other, half) for one, other in zip(left, right, strict=True)]
    high = height // 2
    upper = _list("wall.urgent", figures["urgent"], width, high, labels)
    return [*upper, *_list("wall.latest", figures["latest"], width, height - high, labels)]


def _side_by_side(one: Text, other: Text, half: int) -> Text:
    row = one.copy()
    row.append(" " * max(half - row.cell_len, 0))
    return row.append_text(other)


def _list(key: str, cases: list[Record], width: int, height: int, labels: Labels) -> list[Text]:
    rows = [Text(f" {labels(key)}", "bold", no_wrap=True, end="")]
    for case in cases[: max((height - 1) // 2, 0)]:
        light = case["light"]
        first = Text(no_wrap=True, end="")
        first.append(f" {sign_of(light)} ", f"{LIGHT_STYLE.get(light or '', '')} reverse".strip())
        mark = f" {labels('case.supervision')}" if case["supervised"] else ""
        facts = f" {short_number(case['number'])} {case['name']} {state_text(case['state'], labels)}{mark}"
        first.append(" " + fit(facts, max(width - 5, 10)), "bold")
        due = (
            f"{labels('case.due')} {clock_text(case['due_at'])}" if case["due_at"] else clock_text(case["reported_at"])
        )
        below = "  ".join(filter(None, (case["place"], case["department"], due)))
        rows += [first, Text("    " + fit(below, max(width - 5, 10)), "dim", no_wrap=True, end="")]
    if not cases:
        rows.append(Text(f" {labels('case.none')}", "dim", end=""))
    return [*rows[:height], *(Text("", end="") for _ in range(height - len(rows)))]


def ticker(figures: Record, turn: int, width: int, labels: Labels) -> Text:
    """Urgent cases in one line, other ones at each turn of the page."""
    urgent = figures["urgent"]
    if not urgent:
        return Text(fit(f" {labels('wall.no_urgent')}", width), no_wrap=True)
    line = Text(no_wrap=True, end="").append(f" {labels('wall.urgent')} ", "bold reverse")
    at = turn
    while line.cell_len < width and at < turn + len(urgent):
        case = urgent[at % len(urgent)]
        text = " ".join(filter(None, (short_number(case["number"]), case["name"], case["place"], case["department"])))
        if at > turn and line.cell_len + cell_len(text) + 5 > width:
            break
        line.append(f"  {sign_of(case['light'])} ", LIGHT_STYLE.get(case["light"] or "", "")).append(text, "bold")
        at += 1
    line.truncate(width, overflow="ellipsis" if labels.language == "en" else "crop")
    return line


def percent(rate: float | None) -> str:
    """`96.4%`; 100% without a decimal, `-` for none."""
    if rate is None:
        return "-"
    return "100%" if rate >= 0.9995 else f"{rate * 100:.1f}%"


def _plain(text: str, width: int, style: str) -> Text:
    return Text(" " + fit(text, width - 1), style, no_wrap=True, end="")


def _centred(text: str, width: int) -> str:
    left = max((width - cell_len(text)) // 2, 0)
    return " " * left + text
