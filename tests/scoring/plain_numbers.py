"""Rates, points, bands and weighted means, as indicator_definitions 1, 3, 6 and 7 say them."""

from __future__ import annotations

Value = float | int | None
UNIT_BANDS = [(1000, 0), (500, 40), (200, 60), (100, 75), (50, 90)]
GRID_BANDS = {1: [(8, 0), (6, 40), (4, 60), (2, 75), (0, 90)], 2: [(9, 0), (7, 40), (5, 60), (3, 75), (0, 90)]}


def share(part: int, whole: int) -> float | None:
    """A rate; of nothing there is none."""
    return part / whole if whole else None


def weighed(*items: tuple[int, Value]) -> float | None:
    """The weighted mean of points; items without a value leave their weight to the others."""
    left = [(weight, points) for weight, points in items if points is not None]
    return sum(weight * points for weight, points in left) / sum(weight for weight, _ in left) if left else None


def points(rate: float | None) -> float | None:
    """A rate as points."""
    return None if rate is None else rate * 100


def missing(rate: float | None) -> float | None:
    """What lacks to the whole, as points."""
    return None if rate is None else (1 - rate) * 100


def work_band(count: int) -> int:
    """The points of cases accepted or dispatched."""
    return 100 if count >= 2001 else 90 if count >= 1201 else 75 if count >= 501 else 60 if count >= 301 else \
        40 if count >= 101 else 0  # fmt: skip


def band(count: int, bands: list[tuple[int, int]]) -> int:
    """The points of a count: those of the first bound that it passes, else 100."""
    return next((worth for bound, worth in bands if count > bound), 100)
