"""One position of a collector or vehicle, and how exactly it is kept. Pure.

Longitude and latitude are kept to 1e-7 degree (a centimetre), the speed to a centimetre a second, the time to the
microsecond. Values are rounded when they come in, so that nothing changes later when a track is packed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import cos, hypot, radians

import msgspec

DEGREE_DIGITS, SPEED_DIGITS = 7, 2
METRES_A_DEGREE = 111_320.0


class Position(msgspec.Struct, frozen=True):
    """One position; `who` is an account or a device, `at` microseconds, `speed` metres a second."""

    who: str
    at: int
    lon: float
    lat: float
    speed: float | None = None


def kept(position: Position) -> Position:
    """The position as it is kept."""
    speed = None if position.speed is None else round(position.speed, SPEED_DIGITS)
    lon, lat = round(position.lon, DEGREE_DIGITS), round(position.lat, DEGREE_DIGITS)
    return Position(position.who, position.at, lon + 0.0, lat + 0.0, speed)  # no negative zero


def metres_between(first: Position, second: Position) -> float:
    """The distance on the ground; good for the few kilometres that a track knows."""
    across = cos(radians((first.lat + second.lat) / 2)) * METRES_A_DEGREE
    return hypot((second.lon - first.lon) * across, (second.lat - first.lat) * METRES_A_DEGREE)


def thinned(positions: Sequence[Position], metres: float) -> list[Position]:
    """A track without the positions that lie nearer than this to the one kept before; first and last stay."""
    if metres <= 0 or len(positions) < 3:
        return list(positions)
    found = [positions[0]]
    found += _far_apart(positions[1:-1], positions[0], metres)
    return [*found, positions[-1]]


def _far_apart(positions: Iterable[Position], before: Position, metres: float) -> Iterable[Position]:
    for position in positions:
        if metres_between(before, position) >= metres:
            yield position
            before = position
