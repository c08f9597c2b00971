"""Made-up walks through the furnished county for the tests of tracks and patrols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from appliance.clock import SECOND
from appliance.patrols.position import Position
from tests.homes import SOUTH, STEP, WEST

Spot = tuple[float, float]


def walk(who: str, start: int, spots: Sequence[Spot], *, seconds: float = 10, steps: int = 8) -> list[Position]:
    """A walk through places (counted in grids from the south-west corner), in so many steps from one to the next."""
    found: list[Position] = []
    for column, row in between(spots, steps):
        at = start + round(len(found) * seconds * SECOND)
        found.append(Position(who, at, WEST + column * STEP, SOUTH + row * STEP, 1.2))
    return found


def between(spots: Sequence[Spot], steps: int) -> Iterator[Spot]:
    """The places on straight lines."""
    for (column, row), (to_column, to_row) in pairwise(spots):
        for step in range(steps):
            share = step / steps
            yield column + (to_column - column) * share, row + (to_row - row) * share
    yield spots[-1]


def rows_of(columns: Iterable[int], rows: Iterable[int]) -> list[Spot]:
    """The middles of grids, row by row, back and forth as one walks."""
    across = list(columns)
    return [
        (column + 0.5, row + 0.5) for at, row in enumerate(rows) for column in (across if at % 2 == 0 else across[::-1])
    ]
