"""Scores as rows, bars and trends. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from appliance.i18n.labels import Labels
from tui.cells import fit
from tui.columns import Column, Row

Record = dict[str, Any]
SCOPES = (
    "department", "region", "collector", "acceptor", "shift_leader", "dispatcher", "sub_unit", "source", "platform",
)  # fmt: skip
KINDS = ("month", "week", "day", "quarter", "year")
STYLES = {"A": "green", "B": "blue", "C": "yellow", "D": "red", "E": "reverse"}
"""Grades by colour; the letter stands beside it."""
PLACE_CELLS, GRADE_CELLS, FIGURE_CELLS, NAME_CELLS = 5, 5, 11, 14
BAR_CELLS, INDICATOR_CELLS = 24, 22
STEPS = " ▏▎▍▌▋▊▉█"
HEIGHTS = "▁▂▃▄▅▆▇█"
NONE = "—"
_CENT = Decimal("0.01")


def shown(value: float | int | None, unit: str) -> str:
    """A value as people read it: counts as they are, rates as per cent, points with two decimals."""
    if value is None:
        return NONE
    if unit == "count":
        return f"{value:g}"
    number = Decimal(repr(float(value))) * (100 if unit == "rate" else 1)
    return f"{number.quantize(_CENT, ROUND_HALF_UP)}{'%' if unit == 'rate' else ''}"


def indicators_of(pack: Record, scope: str) -> list[Record]:
    """The indicators of a scope, in the order of the pack."""
    return [each for each in pack["indicators"] if each["scope"] == scope]


def score_rows(
    rows: Sequence[Record], pack: Record, scope: str, labels: Labels, cells: int
) -> tuple[list[Column], list[Row]]:
    """Everybody of a scope with as many figures as fit; the score and the grade always do."""
    own = indicators_of(pack, scope)
    room = max(1, (cells - PLACE_CELLS - GRADE_CELLS - NAME_CELLS - FIGURE_CELLS) // FIGURE_CELLS)
    figures = [each for each in own if not _is_score(each)][:room]
    columns = [Column(labels("column.rank"), PLACE_CELLS), Column(labels("column.name"), 0, 1)]
    columns += [Column(labels.pick(each["name"], each["english"]), FIGURE_CELLS) for each in figures]
    columns += [Column(labels("column.score"), FIGURE_CELLS), Column(labels("column.grade"), GRADE_CELLS)]
    return columns, [_score_row(row, figures) for row in rows]


def _score_row(row: Record, figures: Sequence[Record]) -> Row:
    style = STYLES.get(row["grade"] or "", "dim")
    cells = [(str(row["place"] or ""), "bold"), (row["name"] or row["id"], "")]
    cells += [(shown(row["values"][each["code"]], each["unit"]), "") for each in figures]
    cells += [(shown(row["score"], "points"), style), (row["grade"] or "", f"bold {style}")]
    return Row(row["id"], tuple(cells))


def platform_rows(platform: Mapping[str, Any], pack: Record, labels: Labels) -> tuple[list[Column], list[Row]]:
    """The county's own figures, one a row, with the formula that makes each."""
    columns = [
        Column(labels("column.indicator"), 0, 2), Column(labels("column.value"), FIGURE_CELLS),
        Column(labels("column.formula"), 0, 3),
    ]  # fmt: skip
    rows = [
        Row(each["code"], (
            (labels.pick(each["name"], each["english"]), ""), (shown(platform[each["code"]], each["unit"]), "bold"),
            (each["formula"], "dim"),
        ))
        for each in indicators_of(pack, "platform")
    ]  # fmt: skip
    return columns, rows


def bars(row: Record, pack: Record, scope: str, labels: Labels) -> list[tuple[str, str]]:
    """The rates and points of one subject as bars, each a line and its style."""
    lines = []
    for each in indicators_of(pack, scope):
        value = row["values"].get(each["code"])
        if each["unit"] == "count":
            continue
        share = None if value is None else value if each["unit"] == "rate" else value / 100
        name = fit(labels.pick(each["name"], each["english"]), INDICATOR_CELLS)
        lines.append((f"{name} {bar(share)} {shown(value, each['unit']):>8}  {each['formula']}", ""))
    return lines


def bar(share: float | None) -> str:
    """A bar of a share of the whole; what is above the whole fills it."""
    if share is None:
        return " " * BAR_CELLS
    eighths = round(min(max(share, 0.0), 1.0) * BAR_CELLS * 8)
    full, part = divmod(eighths, 8)
    return (STEPS[8] * full + (STEPS[part] if part else "")).ljust(BAR_CELLS)


def trend_line(items: Sequence[Record], labels: Labels) -> str:
    """Closed periods of one subject, oldest first: a height each, then the last ones in figures."""
    scored = [item for item in reversed(items) if item["score"] is not None]
    if not scored:
        return labels("evaluation.no_trend")
    heights = "".join(HEIGHTS[min(7, int(item["score"] // 12.5))] for item in scored)
    told = "  ".join(f"{item['period']} {shown(item['score'], 'points')} {item['grade']}" for item in scored[-4:])
    return f"{labels('evaluation.trend')} {heights}  {told}"


def case_rows(facts: Sequence[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """The cases behind a figure: a row a case, a mark in the column of each fact that it counts for."""
    columns = [Column(labels("column.number"), 22)]
    columns += [Column(f"{labels.pick(fact['name'], fact['english'])} {fact['cases']}", 0, 1) for fact in facts]
    numbers = dict.fromkeys(number for fact in facts for number in fact["numbers"])
    behind = [frozenset(fact["numbers"]) for fact in facts]
    rows = [
        Row(number, ((number, ""), *((("✓", "") if number in own else ("", "")) for own in behind)))
        for number in numbers
    ]
    return columns, rows


def _is_score(each: Record) -> bool:
    return str(each["code"]).endswith("_score")
