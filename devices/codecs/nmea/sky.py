"""The satellites in view and those in use, merged from GSV and GSA of all systems, in gpsd's words.

Numbers: NMEA counts each system in its own way and gpsd maps them to one range (BeiDou 401 and up).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

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

Key = tuple[int, int]
"""System and satellite."""


class Sky:
    """What is known of the sky; `changed` is set when a list of satellites was completed or a dilution came."""

    def __init__(self) -> None:
        self.changed = False
        self.dilutions: dict[str, float] = {}
        self._parts: dict[tuple[str, str], list[Satellite]] = {}
        self._lists: dict[tuple[str, str], dict[Key, Satellite]] = {}
        self._used: dict[str, set[Key]] = {}
        self._used_told: int | None = None

    def in_view(self, said: InView) -> None:
        """One part of a list; the last part completes it, a missing one spoils it."""
        which = (said.talker, said.signal_id)
        if said.part == 1:
            self._parts[which] = []
        collected = self._parts.get(which)
        if collected is None:
            return
        collected.extend(said.satellites)
        if said.part == said.parts and len(self._lists) < SETS_AT_MOST:
            self._lists[which] = {identify(said.talker, item.number): item for item in collected}
            del self._parts[which]
            self.changed = True

    def active(self, said: Active) -> None:
        """The satellites in the fix; each system tells its own, under one talker or its own."""
        system = SYSTEM_OF_ID.get(said.system or 0) if said.system else None
        which = f"{said.talker}{said.system or ''}"
        self._used[which] = {
            identify(said.talker, number) if system is None else identify_in(system, number)
            for number in said.satellites
        }
        for name, value in (("pdop", said.pdop), ("hdop", said.hdop), ("vdop", said.vdop)):
            self._dilution(name, value)

    def fix(self, used: int | None, hdop: float | None) -> None:
        """What GGA or GNS tell of the sky."""
        self._used_told = used
        self._dilution("hdop", hdop)

    def report(self) -> dict[str, Any]:
        """gpsd's SKY, and `changed` is cleared."""
        self.changed = False
        seen = self._seen()
        used = set().union(*self._used.values()) if self._used else set()
        told: dict[str, Any] = {"class": "SKY", **self.dilutions}
        if self._lists:
            told["nSat"] = len(seen)
        told["uSat"] = len(used & seen.keys()) if seen and used else self._used_told or 0
        if self._lists:
            told["satellites"] = [_satellite(key, item, key in used) for key, item in seen.items()]
        return told

    def _seen(self) -> dict[Key, Satellite]:
        """All lists in one; of a satellite that is heard on several signals the strongest."""
        seen: dict[Key, Satellite] = {}
        for satellites in self._lists.values():
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
        self.dilutions[name] = value


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
