"""What the sentences of a receiver say: one type each, decoded by the table `DECODERS`; speeds in metres a second.

Positions are degrees of WGS 84, None where the sentence has none. A sentence with too few fields or an impossible one
is refused whole.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec

from devices.codecs.nmea.framing import Sentence
from devices.codecs.nmea.values import KNOT, Impossible, between, day, number, position, time_of_day, whole

Position = tuple[float, float]
Fields = tuple[str, ...]
FASTEST = 515.0
"""Metres a second: receivers stop there by design (1000 knots); what is faster is damage."""


class Recommended(msgspec.Struct, frozen=True):
    """RMC: recommended minimum. `mode` is A autonomous, D differential, E estimated, M manual, S simulator, N none."""

    time: int | None
    valid: bool
    position: Position | None
    speed: float | None
    track: float | None
    date: date | None
    variation: float | None
    mode: str


class FixData(msgspec.Struct, frozen=True):
    """GGA and GNS: the fix with its height in metres. `quality` is GGA's: 0 none, 1 GNSS, 2 DGPS … 8 simulator."""

    time: int | None
    position: Position | None
    quality: int
    used: int | None
    hdop: float | None
    altitude: float | None
    separation: float | None
    dgps_age: float | None
    dgps_station: int | None


class Geographic(msgspec.Struct, frozen=True):
    """GLL: position and time."""

    position: Position | None
    time: int | None
    valid: bool
    mode: str


class Active(msgspec.Struct, frozen=True):
    """GSA: the kind of fix (1 none, 2 flat, 3 with height), the satellites in it, and the dilutions."""

    talker: str
    fix: int
    satellites: tuple[int, ...]
    pdop: float | None
    hdop: float | None
    vdop: float | None
    system: int | None


class Satellite(msgspec.Struct, frozen=True):
    """One satellite in view; elevation and azimuth in degrees, signal in dBHz."""

    number: int
    elevation: float | None
    azimuth: float | None
    signal: float | None


class InView(msgspec.Struct, frozen=True):
    """GSV: part `part` of `parts` of the satellites in view of one system and signal."""

    talker: str
    parts: int
    part: int
    satellites: tuple[Satellite, ...]
    signal_id: str


class Course(msgspec.Struct, frozen=True):
    """VTG: track and speed over ground."""

    track: float | None
    speed: float | None
    mode: str


class DateTime(msgspec.Struct, frozen=True):
    """ZDA: time and date."""

    time: int | None
    date: date | None


class Errors(msgspec.Struct, frozen=True):
    """GST: standard deviations of latitude, longitude and altitude in metres."""

    time: int | None
    latitude: float | None
    longitude: float | None
    altitude: float | None


class Text(msgspec.Struct, frozen=True):
    """TXT: what the receiver says in words, the antenna's state among it."""

    text: str


Said = Recommended | FixData | Geographic | Active | InView | Course | DateTime | Errors | Text


def decode(sentence: Sentence) -> Said | None:
    """What a sentence says, None for the many kinds that are not needed.

    Raises:
        Impossible: a field is missing or holds what cannot be.
    """
    decoder = DECODERS.get(sentence.kind)
    if decoder is None or sentence.talker == "P":
        return None
    try:
        return decoder(sentence.talker, sentence.fields)
    except IndexError:
        raise Impossible(f"{sentence.kind} has only {len(sentence.fields)} fields") from None


def _recommended(_talker: str, fields: Fields) -> Recommended:
    speed = number(fields[6])
    mode = fields[11] if len(fields) > 11 else "A"
    return Recommended(
        time_of_day(fields[0]), fields[1] == "A" and mode != "N", position(fields, 2),
        None if speed is None else between(0, speed * KNOT, FASTEST), between(0, number(fields[7]), 360),
        day(fields[8][:2], fields[8][2:4], fields[8][4:]), _variation(fields), mode,
    )  # fmt: skip


def _variation(fields: Fields) -> float | None:
    value = between(0, number(fields[9]), 180)
    side = fields[10] if len(fields) > 10 else ""
    return None if value is None or side not in ("E", "W") else value if side == "E" else -value


def _fix_data(_talker: str, fields: Fields) -> FixData:
    return FixData(
        time_of_day(fields[0]), position(fields, 1), _quality(fields[5]), whole(fields[6]), number(fields[7]),
        number(fields[8]), number(fields[10]), number(fields[12]), whole(fields[13]),
    )  # fmt: skip


def _quality(text: str) -> int:
    value = whole(text) or 0
    if value > 9:
        raise Impossible(text)
    return value


GNS_QUALITY = {"N": 0, "E": 6, "M": 7, "S": 8, "A": 1, "D": 2, "P": 3, "F": 5, "R": 4}
"""A letter for each system, as GGA would say it; the best measured one counts."""
MEASURED = (1, 2, 3, 5, 4)
"""Qualities of measured positions, the worst first (float before fixed)."""


def _fix_of_systems(_talker: str, fields: Fields) -> FixData:
    letters = fields[5]
    if set(letters) - GNS_QUALITY.keys():
        raise Impossible(letters)
    found = {GNS_QUALITY[letter] for letter in letters}
    measured = [quality for quality in MEASURED if quality in found]
    return FixData(
        time_of_day(fields[0]), position(fields, 1), measured[-1] if measured else max(found, default=0),
        whole(fields[6]), number(fields[7]), number(fields[8]), number(fields[9]), number(fields[10]),
        whole(fields[11]),
    )  # fmt: skip


def _geographic(_talker: str, fields: Fields) -> Geographic:
    mode = fields[6] if len(fields) > 6 else "A"
    return Geographic(position(fields, 0), time_of_day(fields[4]), fields[5] == "A" and mode != "N", mode)


def _active(talker: str, fields: Fields) -> Active:
    fix = whole(fields[1]) or 1
    if fix > 3:
        raise Impossible(fields[1])
    system = fields[17] if len(fields) > 17 else ""
    return Active(
        talker, fix, tuple([found for field in fields[2:14] if (found := whole(field))]), number(fields[14]),
        number(fields[15]), number(fields[16]), int(system, 16) if len(system) == 1 and system in "0123456789ABCDEF"
        else None,
    )  # fmt: skip


def _in_view(talker: str, fields: Fields) -> InView:
    parts, part = whole(fields[0]) or 0, whole(fields[1]) or 0
    rest = fields[3:]
    extra = len(rest) % 4
    if not 1 <= part <= parts <= 16 or extra > 1:
        raise Impossible("GSV")
    signal_id = rest[-1] if extra else ""
    satellites = [_satellite(*rest[at : at + 4]) for at in range(0, len(rest) - extra, 4) if rest[at]]
    return InView(talker, parts, part, tuple(satellites), signal_id)


def _satellite(which: str, height: str, side: str, strength: str) -> Satellite:
    elevation, azimuth, signal = number(height), number(side), number(strength)
    if not (-90 <= (elevation or 0) <= 90 and 0 <= (azimuth or 0) <= 360 and 0 <= (signal or 0) <= 99):
        raise Impossible(f"{which},{height},{side},{strength}")
    return Satellite(whole(which) or 0, elevation, azimuth, signal)


def _course(_talker: str, fields: Fields) -> Course:
    if len(fields) == 4:  # before NMEA 2: no letters between
        track, knots, mode = fields[0], fields[2], "A"
    else:
        track, knots, mode = fields[0], fields[4], fields[8] if len(fields) > 8 else "A"
    speed = number(knots)
    return Course(
        between(0, number(track), 360), None if speed is None else between(0, speed * KNOT, FASTEST), mode
    )  # fmt: skip


def _date_time(_talker: str, fields: Fields) -> DateTime:
    return DateTime(time_of_day(fields[0]), day(fields[1], fields[2], fields[3]))


def _errors(_talker: str, fields: Fields) -> Errors:
    return Errors(time_of_day(fields[0]), number(fields[5]), number(fields[6]), number(fields[7]))


def _text(_talker: str, fields: Fields) -> Text:
    return Text(",".join(fields[3:]))


DECODERS: dict[str, Callable[[str, Fields], Said]] = {
    "RMC": _recommended, "GGA": _fix_data, "GNS": _fix_of_systems, "GLL": _geographic, "GSA": _active, "GSV": _in_view,
    "VTG": _course, "ZDA": _date_time, "GST": _errors, "TXT": _text,
}  # fmt: skip
