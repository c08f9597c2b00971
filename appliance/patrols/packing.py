"""A person's track of a day as one small piece of bytes, and back without a loss. Pure, standard library only.

Four columns (time, longitude, latitude, speed) become whole numbers, each number the difference to the one before it,
folded so that small negative ones are small too. The bytes are then sorted by their weight (all lowest bytes first, the
highest, mostly zero, last) and compressed: about 4 bytes a position, a twelfth of a row.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate

from appliance.clock import SECOND
from appliance.errors import Broken
from appliance.patrols.position import DEGREE_DIGITS, SPEED_DIGITS, Position

VERSION = 1
HEAD = struct.Struct("<BIq")
"""Version, number of positions, microseconds of one step of time."""
WIDTH = 8
COLUMNS = 4
UNITS = (SECOND, 1000, 1)
DEGREE, SPEED = 10**DEGREE_DIGITS, 10**SPEED_DIGITS
LEVEL = 9


def pack(positions: Sequence[Position]) -> bytes:
    """The positions of one person in the order of time, packed.

    Args:
        positions: as they are kept (`position.kept`).
    """
    unit = next(unit for unit in UNITS if all(position.at % unit == 0 for position in positions))
    columns: tuple[list[int], ...] = (
        [position.at // unit for position in positions],
        [round(position.lon * DEGREE) for position in positions],
        [round(position.lat * DEGREE) for position in positions],
        [0 if position.speed is None else round(position.speed * SPEED) + 1 for position in positions],
    )
    body = b"".join(_planes(column) for column in columns)
    return HEAD.pack(VERSION, len(positions), unit) + zlib.compress(body, LEVEL)


def unpack(who: str, packed: bytes) -> list[Position]:
    """The positions again.

    Raises:
        Broken: these bytes are no packed track.
    """
    try:
        version, number, unit = HEAD.unpack_from(packed)
        body = zlib.decompress(packed[HEAD.size :])
        if version != VERSION or len(body) != number * WIDTH * COLUMNS:
            raise ValueError(f"version {version}, {len(body)} bytes for {number} positions")
    except (struct.error, zlib.error, ValueError) as error:
        raise Broken(f"{who} 的轨迹已损坏: {error}。", f"The packed track of {who} is damaged: {error}.") from None
    ats, lons, lats, speeds = (
        _numbers(body[at * number * WIDTH : (at + 1) * number * WIDTH], number) for at in range(COLUMNS)
    )
    return [
        Position(who, at * unit, lon / DEGREE, lat / DEGREE, None if speed == 0 else (speed - 1) / SPEED)
        for at, lon, lat, speed in zip(ats, lons, lats, speeds, strict=True)
    ]


def _planes(values: Sequence[int]) -> bytes:
    """Differences, folded, as eight planes of bytes."""
    before = 0
    folded = array("Q")
    for value in values:
        step = value - before
        folded.append(step << 1 if step >= 0 else (-step << 1) - 1)
        before = value
    raw = _little(folded)
    return b"".join(raw[at::WIDTH] for at in range(WIDTH))


def _numbers(planes: bytes, number: int) -> Iterable[int]:
    raw = bytearray(len(planes))
    for at in range(WIDTH):
        raw[at::WIDTH] = planes[at * number : (at + 1) * number]
    folded = array("Q")
    folded.frombytes(bytes(raw))
    if sys.byteorder == "big":
        folded.byteswap()
    return accumulate(value >> 1 if value & 1 == 0 else -((value + 1) >> 1) for value in folded)


def _little(values: array[int]) -> bytes:
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()
