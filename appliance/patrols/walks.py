"""Which unit grids somebody passed: from the track of a day to walks, one for each stay in a grid. Pure.

A position counts for the grid that it lies in. Between two positions that are at most a minute and 500 metres apart
the way is taken as straight and looked at every 10 metres, so that a grid which somebody crosses between two of them
counts, with the moments of entering and leaving. A jump at more than 50 metres a second is none: the odd position
counts for nothing and is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy
from numpy.typing import NDArray

from appliance.clock import MINUTE, SECOND
from appliance.patrols.position import METRES_A_DEGREE, Position, metres_between

JOINED_TIME, JOINED_METRES = MINUTE, 500.0
"""Two positions are joined by a straight way when they are no further apart than this."""
PIECE_METRES = 10.0
FASTEST = 50.0
"""Metres a second above which a jump is impossible."""
SAME_STAY = 5 * MINUTE
"""Who is back in a grid after so short a time has not left it: receivers waver at a border."""
OUTSIDE = -1

Locate = Callable[[NDArray[numpy.float64], NDArray[numpy.float64]], NDArray[numpy.int64]]
"""The number of the unit grid at each of many places, `OUTSIDE` where there is none."""


class Walk(msgspec.Struct, frozen=True):
    """A stay in a unit grid, by the grid's number."""

    grid: int
    entered_at: int
    left_at: int


class Odd(msgspec.Struct, frozen=True):
    """A position that cannot be: `speed` would have been needed from the one before."""

    at: int
    lon: float
    lat: float
    speed: float


def walks(track: Sequence[Position], locate: Locate) -> tuple[list[Walk], list[Odd]]:
    """The stays of somebody in unit grids in the order of entering, and the odd positions.

    Args:
        track: of one person, oldest first.
    """
    good, odd = plausible(track)
    if not good:
        return [], odd
    at = numpy.array([item.at for item in good], dtype=numpy.int64)
    lon = numpy.array([item.lon for item in good])
    lat = numpy.array([item.lat for item in good])
    grid = locate(lon, lat)
    seconds = numpy.diff(at)
    metres = _distances(lon, lat)
    joined = (seconds <= JOINED_TIME) & (metres <= JOINED_METRES)
    crossing = numpy.flatnonzero(joined & (grid[1:] != grid[:-1]))
    pieces = numpy.ceil(metres[crossing] / PIECE_METRES).astype(numpy.int64)
    between = numpy.repeat(crossing, numpy.maximum(pieces - 1, 0))
    step, of = _steps(pieces), numpy.repeat(pieces, numpy.maximum(pieces - 1, 0))
    share = step / of
    lon_between = lon[between] + (lon[between + 1] - lon[between]) * share
    lat_between = lat[between] + (lat[between + 1] - lat[between]) * share
    at_between = at[between] + (at[between + 1] - at[between]) * step // of
    places = between + 1
    all_at = numpy.insert(at, places, at_between)
    all_grid = numpy.insert(grid, places, locate(lon_between, lat_between)) if len(between) else grid
    broken = numpy.insert(numpy.concatenate(([True], ~joined)), places, False)
    return _stays(all_at, all_grid, broken), odd


def plausible(track: Sequence[Position]) -> tuple[Sequence[Position], list[Odd]]:
    """The positions that can be, and the odd ones; two odd ones in a row that fit each other are believed again."""
    if not _any_jump(track):
        return track, []
    good, odd = [track[0]], []
    doubtful: Position | None = None
    for item in track[1:]:
        speed = _speed(good[-1], item)
        if speed <= FASTEST or (doubtful is not None and _speed(doubtful, item) <= FASTEST):
            good.append(item)
            doubtful = None
        else:
            odd.append(Odd(item.at, item.lon, item.lat, round(speed, 1)))
            doubtful = item
    return good, odd


def _stays(at: NDArray[numpy.int64], grid: NDArray[numpy.int64], broken: NDArray[numpy.bool_]) -> list[Walk]:
    """Runs of one grid without a break; a short absence does not end a stay."""
    begins = numpy.flatnonzero(numpy.concatenate(([True], grid[1:] != grid[:-1])) | broken)
    ends = numpy.append(begins[1:], len(at)) - 1
    open_stays: dict[int, int] = {}
    found: list[Walk] = []
    for number, entered, left in zip(grid[begins].tolist(), at[begins].tolist(), at[ends].tolist(), strict=True):
        if number == OUTSIDE:
            continue
        before = open_stays.get(number)
        if before is not None and entered - found[before].left_at <= SAME_STAY:
            found[before] = Walk(number, found[before].entered_at, left)
        else:
            open_stays[number] = len(found)
            found.append(Walk(number, entered, left))
    return found


def _any_jump(track: Sequence[Position]) -> bool:
    if len(track) < 2:
        return False
    at = numpy.array([item.at for item in track], dtype=numpy.int64)
    metres = _distances(numpy.array([item.lon for item in track]), numpy.array([item.lat for item in track]))
    return bool((metres * SECOND > FASTEST * numpy.maximum(numpy.diff(at), 1)).any())


def _speed(first: Position, second: Position) -> float:
    return metres_between(first, second) * SECOND / max(second.at - first.at, 1)


def _distances(lon: NDArray[numpy.float64], lat: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    across = numpy.cos(numpy.radians((lat[1:] + lat[:-1]) / 2)) * METRES_A_DEGREE
    found: NDArray[numpy.float64] = numpy.hypot(numpy.diff(lon) * across, numpy.diff(lat) * METRES_A_DEGREE)
    return found


def _steps(pieces: NDArray[numpy.int64]) -> Any:
    """1, 2 … n - 1 for each n."""
    return numpy.concatenate([numpy.arange(1, number) for number in pieces.tolist()] or [numpy.zeros(0, numpy.int64)])
