"""The satellites in view and those in use, merged from GSV and GSA of all systems, in gpsd's words.

Numbers: NMEA counts each system in its own way and gpsd maps them to one range (BeiDou 401 and up).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from devices.codecs.nmea.sentences import Active, InView, Satellite

GPS, SBAS, GALILEO, BEIDOU, QZSS, GLONASS, NAVIC = 0, 1, 2, 3, 5, 6, 7
SYSTEM_OF_TALKER = {
    "GP": GPS, "GA": GALILEO, "GB": BEIDOU, "BD": BEIDOU, "GQ": QZSS, "QZ": QZSS, "GL": GLONASS, "GI": NAVIC,
}  # fmt: skip
SYSTEM_OF_ID = {1: GPS, 2: GLONASS, 3: GALILEO, 4: BEIDOU, 5: QZSS, 6: NAVIC}
"""System ids of NMEA 4.10 and later, the last field of GSA."""
FIRST_NUMBER = {GALILEO: 301, BEIDOU: 401, QZSS: 193, NAVIC: 901}
"""gpsd's number of a system's first satellite, where NMEA counts from 1."""
OFFSET = {GLONASS: 64, **{system: first - 1 for system, first in FIRST_NUMBER.items()}}
SETS_AT_MOST = 32
SATELLITES_AT_MOST = 64
"""Of a list: sixteen parts of four."""
KEPT_REPORTS = 60
"""What was not told again within so many fixes is forgotten. Receivers list their satellites every one to ten fixes, at
ten fixes a second some only every fifty; sixty are a minute at one fix a second."""

Key = tuple[int, int]
"""System and satellite."""
Which = tuple[str, str]
"""Talker and signal of a list."""
Name = TypeVar("Name")
Value = TypeVar("Value")


class Fresh(Generic[Name, Value]):
    """What was told lately, by name, of no more than so many names."""

    def __init__(self) -> None:
        self.known: dict[Name, Value] = {}
        self._told: dict[Name, int] = {}

    def put(self, name: Name, value: Value, now: int) -> bool:
        """Keep it; False where it is one name too many."""
        if name not in self.known and len(self.known) >= SETS_AT_MOST:
            return False
        self.known[name], self._told[name] = value, now
        return True

    def drop(self, name: Name) -> None:
        self.known.pop(name, None)
        self._told.pop(name, None)

    def forget(self, now: int) -> bool:
        """Forget what is old; whether anything was."""
        old = [name for name, told in self._told.items() if now - told >= KEPT_REPORTS]
        for name in old:
            self.drop(name)
        return bool(old)


class Collected(NamedTuple):
    """A list that comes in parts: how many there are, the last one that came, and what they held."""

    parts: int
    part: int
    satellites: tuple[Satellite, ...]


class Sky:
    """What is known of the sky; `changed` is set when a list was completed or forgotten, or a dilution came.

    Nothing of it grows without bound, whatever talkers, signals and satellites a line may name.
    """

    def __init__(self) -> None:
        self.changed = False
        self._reports = 0
        self._dilutions: Fresh[str, float] = Fresh()
        self._parts: Fresh[Which, Collected] = Fresh()
        self._lists: Fresh[Which, dict[Key, Satellite]] = Fresh()
        self._used: Fresh[str, set[Key]] = Fresh()
        self._used_told: Fresh[str, int] = Fresh()

    @property
    def dilutions(self) -> dict[str, float]:
        """gpsd's names and values."""
        return self._dilutions.known

    def fixed(self) -> None:
        """A fix, or none, was reported: what was not told for many of these is forgotten."""
        self._reports += 1
        kept: tuple[Fresh[Any, Any], ...] = (self._parts, self._lists, self._used, self._used_told, self._dilutions)
        forgotten = [one.forget(self._reports) for one in kept]
        self.changed = self.changed or any(forgotten)

    def in_view(self, said: InView) -> None:
        """One part of a list; the last part completes it, a missing or repeated one spoils it."""
        which = (said.talker, said.signal_id)
        before = self._parts.known.get(which)
        self._parts.drop(which)
        if said.part == 1:
            before = Collected(said.parts, 0, ())
        if before is None or (said.parts, said.part) != (before.parts, before.part + 1):
            return
        satellites = before.satellites + said.satellites
        if len(satellites) > SATELLITES_AT_MOST:
            return
        if said.part < said.parts:
            self._parts.put(which, Collected(said.parts, said.part, satellites), self._reports)
            return
        listed = {identify(said.talker, item.number): item for item in satellites}
        self.changed = self._lists.put(which, listed, self._reports) or self.changed

    def active(self, said: Active) -> None:
        """The satellites in the fix; each system tells its own, under one talker or its own."""
        system = SYSTEM_OF_ID.get(said.system or 0) if said.system else None
        used = {
            identify(said.talker, number) if system is None else identify_in(system, number)
            for number in said.satellites
        }
        self._used.put(f"{said.talker}{said.system or ''}", used, self._reports)
        for name, value in (("pdop", said.pdop), ("hdop", said.hdop), ("vdop", said.vdop)):
            self._dilution(name, value)

    def fix(self, used: int | None, hdop: float | None) -> None:
        """What GGA or GNS tell of the sky."""
        self._used_told.drop("")
        if used is not None:
            self._used_told.put("", used, self._reports)
        self._dilution("hdop", hdop)

    def report(self) -> dict[str, Any]:
        """gpsd's SKY, and `changed` is cleared."""
        self.changed = False
        seen = self._seen()
        used: set[Key] = set().union(*self._used.known.values())
        told: dict[str, Any] = {"class": "SKY", **self.dilutions}
        if self._lists.known:
            told["nSat"] = len(seen)
        told["uSat"] = len(used & seen.keys()) if seen and used else self._used_told.known.get("", 0)
        if self._lists.known:
            told["satellites"] = [_satellite(key, item, key in used) for key, item in seen.items()]
        return told

    def _seen(self) -> dict[Key, Satellite]:
        """All lists in one; of a satellite that is heard on several signals the strongest."""
        seen: dict[Key, Satellite] = {}
        for satellites in self._lists.known.values():
            if seen.keys().isdisjoint(satellites):
                seen.update(satellites)
                continue
            for key, item in satellites.items():
                known = seen.get(key)
                if known is None or (item.signal or 0) > (known.signal or 0):
                    seen[key] = item
        return seen

    def _dilution(self, name: str, value: float | None) -> None:
        if value is None or not 0 < value < 99:
            return
        if self.dilutions.get(name) != value:
            self.changed = True
        self._dilutions.put(name, value, self._reports)


@lru_cache(maxsize=1024)
def identify(talker: str, number: int) -> Key:
    """System and number of a satellite; talkers of several systems tell it by the range of the number."""
    system = SYSTEM_OF_TALKER.get(talker)
    if system is None or system == GPS:
        return _by_range(number)
    return identify_in(system, number)


def identify_in(system: int, number: int) -> Key:
    """The number within its own system: some receivers count from 1, others in ranges of NMEA's or their maker's."""
    if system == BEIDOU and number > 200:
        return BEIDOU, number % 100
    if system == GLONASS:
        return GLONASS, number - 64 if 65 <= number <= 96 else number
    first = FIRST_NUMBER.get(system)
    if first is not None and number >= first:
        return system, number - first + 1
    return _by_range(number) if system == GPS else (system, number)


def _by_range(number: int) -> Key:
    if 33 <= number <= 64:
        return SBAS, number + 87
    if 65 <= number <= 96:
        return GLONASS, number - 64
    if 193 <= number <= 202:
        return QZSS, number - 192
    if 201 <= number <= 263 or 401 <= number <= 463:
        return BEIDOU, number % 100
    return GPS, number


def _satellite(key: Key, item: Satellite, used: bool) -> dict[str, Any]:
    system, number = key
    told: dict[str, Any] = {"PRN": number + OFFSET.get(system, 0), "gnssid": system, "svid": number}
    if item.azimuth is not None:
        told["az"] = item.azimuth
    if item.elevation is not None:
        told["el"] = item.elevation
    if item.signal is not None:
        told["ss"] = item.signal
    told["used"] = used
    return told
