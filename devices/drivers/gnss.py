"""The GNSS driver (`nmea`): a receiver's fixes, satellites and health. It only listens.

Health goes from worse to better: silent, unreadable, no_fix, 2d, 3d; and beside it stale, frozen, implausible
(`gnss.md`, "Fix health states"). Opening, losing and finding the port again are its owner's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import asin, cos, radians, sin, sqrt
from typing import Any, ClassVar

from devices.codecs.nmea.epoch import Decoder, Report
from devices.drivers.interface import Driver, Event, Facts, Option
from devices.drivers.options import seconds, wrong_option

SILENT_SECONDS = 3.0
STALE_SECONDS = 5.0
FROZEN_SECONDS = 5.0
PAUSE_SECONDS = 0.2
"""A receiver that pauses so long has told its epoch."""
SOUND = 340.0
"""Metres a second; faster than sound is no county vehicle."""
EARTH_METRES = 6_371_000.0
HEALTH = {
    "silent": ("没有数据", "no bytes"),
    "unreadable": ("有数据但无法识别 (波特率或设备不对)", "bytes, but nothing valid (wrong rate or another device)"),
    "no_fix": ("未定位", "no fix"),
    "2d": ("二维定位", "2D fix"),
    "3d": ("三维定位", "3D fix"),
    "stale": ("定位已过时", "the fix is old"),
    "frozen": ("时间不走", "the receiver's time stands still"),
    "implausible": ("位置或时间不可信", "position or time cannot be"),
}


class Gnss(Driver):
    """A satellite receiver that speaks NMEA 0183, of any system."""

    key = "nmea"
    zh = "卫星定位接收机"
    en = "GNSS receiver"
    rates = (9600, 115200, 38400, 4800, 57600, 19200)
    listens = True
    known_options: ClassVar[Mapping[str, Option]] = {
        "who": Option("", "位置记在谁名下 (设备名)", "the name under which positions are recorded"),
        "account": Option("", "或记在采集员账号名下", "or the account of a collector"),
        "every": Option(1.0, "每隔几秒记一个位置", "seconds between two recorded positions"),
        "bbox": Option([], "县域范围 [西, 南, 东, 北]", "the county's box: west, south, east, north"),
        "chrony": Option("", "chrony SOCK 套接字路径", "path of chrony's SOCK socket"),
        "delay": Option(0.0, "语句比整秒晚几秒", "seconds by which sentences lag the second they tell"),
    }

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self.options["every"] = seconds(self, "every", 0.1, 3600)
        self.options["delay"] = seconds(self, "delay", 0, 5)
        self._box = self._box_option()
        self.decoder = Decoder()
        self.opened()

    def opened(self) -> None:
        """Nothing is known of the receiver's health, and it may have been carried far away meanwhile."""
        self.health = "silent"
        self._first_at: float | None = None
        self._byte_at: float | None = None
        self._valid_at: float | None = None
        self._fix_at: float | None = None
        self._moved_at: float | None = None
        self._time: int | None = None
        self._place: tuple[float, float, float] | None = None
        self._mode: int | None = None
        self._odd = False
        self._flushed = True
        self.decoder.flush()

    def _box_option(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north; None where the option is empty.

        Raises:
            BadSetup: it is no box.
        """
        box = self.options["bbox"]
        if box in ([], "", ()):
            return None
        try:
            west, south, east, north = (float(edge) for edge in box)
        except (TypeError, ValueError):
            west = south = east = north = 0.0
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise wrong_option(self, "bbox", box, "[西, 南, 东, 北]", "[west, south, east, north]")
        return west, south, east, north

    @property
    def recognised(self) -> int:
        return self.decoder.accepted

    @property
    def rejected(self) -> int:
        """Sentences that were damaged or impossible."""
        return self.decoder.rejected

    def heard(self, data: bytes, at: float) -> list[Event]:
        if self._first_at is None or self._byte_at is None or at - self._byte_at > SILENT_SECONDS:
            self._first_at = at
        self._byte_at, self._flushed = at, False
        before = self.decoder.accepted
        self.decoder.assembler.at = at
        events = self._events(self.decoder.feed(data), at)
        if self.decoder.accepted > before:
            self._valid_at = at
        if self.decoder.assembler.time != self._time:
            self._time, self._moved_at = self.decoder.assembler.time, at
        return events + self._health(at)

    def quiet(self, at: float) -> list[Event]:
        events: list[Event] = []
        if not self._flushed and (self._byte_at is None or at - self._byte_at >= PAUSE_SECONDS):
            self._flushed = True
            events = self._events(self.decoder.flush(), at)
        return events + self._health(at)

    def finish(self, at: float) -> list[Event]:
        """What is left at the end of a recording."""
        self._flushed = True
        return self._events(self.decoder.flush(), at)

    def _events(self, reports: list[Report], at: float) -> list[Event]:
        events = []
        for report in reports:
            began = report.pop("began", at)
            if report["class"] == "TPV":
                self._note_fix(report, began)
            events.append(Event(report["class"], report, began))
        return events

    def _note_fix(self, report: Report, at: float) -> None:
        self._mode = report["mode"]
        if "lat" not in report:
            return
        here = (report["lat"], report["lon"])
        self._odd = not report.get("measured", True) or self._outside(here) or self._jumped(here, at)
        report["plausible"] = not self._odd
        self._fix_at = at
        self._place = (*here, at)

    def _outside(self, here: tuple[float, float]) -> bool:
        if self._box is None:
            return False
        west, south, east, north = self._box
        return not (south <= here[0] <= north and west <= here[1] <= east)

    def _jumped(self, here: tuple[float, float], at: float) -> bool:
        if self._place is None:
            return False
        seconds = max(at - self._place[2], 0.05)
        return metres_between(here, self._place[:2]) > max(SOUND * seconds, SOUND)

    def _health(self, at: float) -> list[Event]:
        found = self._found(at)
        if found == self.health:
            return []
        was, self.health = self.health, found
        zh, en = HEALTH[found]
        facts: Facts = {"state": found, "was": was, "zh": zh, "en": en}
        return [Event("HEALTH", facts, at)]

    def _found(self, at: float) -> str:
        if self._byte_at is None or self._first_at is None or at - self._byte_at > SILENT_SECONDS:
            return "silent"
        beginning = at - self._first_at <= SILENT_SECONDS
        if self._valid_at is None or at - self._valid_at > SILENT_SECONDS:
            return self.health if beginning else "unreadable"
        if self._moved_at is not None and at - self._moved_at > FROZEN_SECONDS:
            return "frozen"
        if self._fix_at is not None and at - self._fix_at > STALE_SECONDS:
            return "stale"
        if self._mode is None:
            return self.health if beginning else "no_fix"
        if self._mode < 2:
            return "no_fix"
        if self._odd:
            return "implausible"
        return "3d" if self._mode == 3 else "2d"


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres on a sphere between two (latitude, longitude); good to half a percent."""
    (lat_a, lon_a), (lat_b, lon_b) = (tuple(map(radians, place)) for place in (one, other))
    half = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_METRES * asin(min(1.0, sqrt(half)))
