"""The four kinds of formula in an indicator pack: sums of facts, rates, bands, weighted items. No other arithmetic."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Value = float | int | None
FULL = 100.0

_TERM = re.compile(r"([+-]?)\s*([a-z][a-z0-9_]*)")
_BAND = re.compile(r"(\d+):(\d+(?:\.\d+)?)")
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?)\s+(?:\(\s*1\s*-\s*([a-z][a-z0-9_]*)\s*\)|([a-z][a-z0-9_]*))")


class FormulaError(ValueError):
    """A formula cannot be read; says why in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True)
class Sum:
    """Facts added and taken off, as in `closed - closed_on_time`."""

    terms: tuple[tuple[int, str], ...]

    def of(self, facts: Mapping[str, int]) -> int:
        """The sum of a subject's facts."""
        return sum(sign * facts.get(name, 0) for sign, name in self.terms)


@dataclass(frozen=True, slots=True)
class Bands:
    """Points by count: from each lower bound on, as in `0:100 51:90 101:75`."""

    steps: tuple[tuple[int, float], ...]

    def of(self, count: int) -> float:
        """The points of a whole count."""
        return next((points for bound, points in reversed(self.steps) if count >= bound), 0.0)


@dataclass(frozen=True, slots=True)
class Item:
    """One weighted item of a composite; `turned` items count by what is missing to the whole."""

    weight: float
    code: str
    turned: bool


def read_sum(written: str) -> Sum:
    """A sum of facts.

    Raises:
        FormulaError: it is none.
    """
    terms: list[tuple[int, str]] = []
    text, at = written.strip(), 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None or (terms and not found[1]):
            raise FormulaError(
                f"“{written}”写错,应如 closed - closed_on_time",
                f"'{written}' is no sum such as closed - closed_on_time",
            )
        terms.append((-1 if found[1] == "-" else 1, found[2]))
        at = found.end()
        while at < len(text) and text[at] == " ":
            at += 1
    return Sum(tuple(terms))


def read_bands(written: str) -> Bands:
    """Bands of whole counts.

    Raises:
        FormulaError: they overlap, leave a gap below, or are none.
    """
    steps = []
    for word in written.split():
        found = _BAND.fullmatch(word)
        if found is None:
            raise FormulaError(f"分档“{word}”应写作 下限:分值", f"the band '{word}' is written BOUND:POINTS")
        if float(found[2]) > FULL:
            raise FormulaError(f"分值最多 {FULL:.0f},得到 {found[2]}", f"points are at most {FULL:.0f}, got {found[2]}")
        steps.append((int(found[1]), float(found[2])))
    bounds = [bound for bound, _ in steps]
    if bounds != sorted(set(bounds)):
        raise FormulaError(f"分档重叠或次序不对: {written}", f"the bands overlap or are not in order: {written}")
    if not steps or bounds[0] != 0:
        raise FormulaError("分档须从 0 开始", "the bands must begin at 0")
    return Bands(tuple(steps))


def read_weights(written: str) -> tuple[Item, ...]:
    """Weighted items that sum to 100.

    Raises:
        FormulaError: they do not, or they are none.
    """
    items = []
    for word in written.split("+"):
        found = _WEIGHT.fullmatch(word.strip())
        if found is None:
            raise FormulaError(
                f"“{word.strip()}”应写作 权重 指标 或 权重 (1 - 指标)",
                f"'{word.strip()}' is written WEIGHT CODE or WEIGHT (1 - CODE)",
            )
        items.append(Item(float(found[1]), found[2] or found[3], bool(found[2])))
    total = sum(item.weight for item in items)
    if abs(total - FULL) > 1e-9:
        raise FormulaError(f"权重之和是 {total:g},须为 100", f"the weights sum to {total:g}, not to 100")
    return tuple(items)


def composite(items: tuple[Item, ...], points_of: Callable[[str], Value]) -> float | None:
    """The weighted mean, 0 to 100; an item without a value is left out and the others are scaled up.

    Args:
        points_of: the points of an item, 0 to 100, None where it has no value.
    """
    total = weight = 0.0
    for item in items:
        points = points_of(item.code)
        if points is None:
            continue
        total += item.weight * (FULL - points if item.turned else points)
        weight += item.weight
    return total / weight if weight else None
