"""When and where a photo was taken, as its camera wrote into it (EXIF); much of it is missing, and some of it wrong.

What is odd is noted and listed, never refused: a camera's clock may be wrong, and some telephones shift positions.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from appliance.clock import MINUTE
from appliance.moments import micros_within
from appliance.places.plane import Plane

CLOCK_OFF = 10 * MINUTE
"""So far a camera's clock may be off."""
METRES_OFF = 1_000.0
"""So far a telephone's position may be off, GCJ-02 in place of WGS-84 among it."""

_EXIF, _GPS = 0x8769, 0x8825
_TAKEN, _OFFSET = 0x9003, 0x9011
_SOUTH_WEST = frozenset("SW")


@dataclass(frozen=True, slots=True)
class Origin:
    """What a photo tells of itself: microseconds, longitude and latitude; None for what it does not tell."""

    taken_at: int | None = None
    place: tuple[float, float] | None = None


def origin_of(file: Path, zone: ZoneInfo) -> Origin:
    """The origin of a picture; empty for one that cannot be read.

    Args:
        zone: of a time that is written without its offset.
    """
    from PIL import Image

    try:
        with Image.open(file) as picture:
            exif = picture.getexif()
            taken, place = exif.get_ifd(_EXIF), exif.get_ifd(_GPS)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error, Image.DecompressionBombError):
        return Origin()
    lat, lon = _degrees(place, 1, 90), _degrees(place, 3, 180)
    known = lat is not None and lon is not None and (lat, lon) != (0, 0)
    return Origin(_taken_at(taken, zone), (lon, lat) if known else None)  # type: ignore[arg-type]  # both are known then


def oddities(origin: Origin, *, since: int, at: int | None, lon: float | None, lat: float | None) -> set[str]:
    """What a photo's own origin contradicts: `time` of the task and the answer, `position` of the answer.

    Args:
        since: when the task began. at, lon, lat: when and where it was answered, as the telephone says.
    """
    found = set()
    taken = origin.taken_at
    if taken is not None and at is not None and not since - CLOCK_OFF <= taken <= at + CLOCK_OFF:
        found.add("time")
    if origin.place is not None and lon is not None and lat is not None:
        away = Plane.at(lon, lat).metres(*origin.place)
        found |= {"position"} if away > METRES_OFF else set()
    return found


def _taken_at(exif: Mapping[int, Any], zone: ZoneInfo) -> int | None:
    written, offset = str(exif.get(_TAKEN, "")).strip("\0 "), str(exif.get(_OFFSET, "")).strip("\0 ")
    for text, form in ((written + offset, "%Y:%m:%d %H:%M:%S%z"), (written, "%Y:%m:%d %H:%M:%S")):
        try:
            taken = datetime.strptime(text, form)
            return micros_within(taken if taken.tzinfo else taken.replace(tzinfo=zone))
        except ValueError:
            continue
    return None


def _degrees(gps: Mapping[int, Any], tag: int, most: int) -> float | None:
    """Degrees of a tag's direction and of degrees, minutes and seconds in the next one."""
    try:
        degrees, minutes, seconds = (float(part) for part in gps[tag + 1])
        found = degrees + minutes / 60 + seconds / 3600
        direction = str(gps[tag]).strip("\0 ").upper()
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if not 0 <= found <= most:  # not a number neither
        return None
    return -found if direction in _SOUTH_WEST else found
