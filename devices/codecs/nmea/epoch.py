"""Fixes epoch by epoch: the sentences of one moment make one TPV, as gpsd does it, and a SKY where the sky changed.

An epoch is closed by the first sentence of another time, by the sentence that ended the epochs before it, or by silence
(`flush`). "No fix" in any sentence of an epoch outweighs a position in another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from devices.codecs.nmea import dates
from devices.codecs.nmea.framing import Framer, Sentence
from devices.codecs.nmea.sentences import (
    Active,
    Course,
    DateTime,
    Errors,
    FixData,
    Geographic,
    InView,
    Recommended,
    Said,
    Text,
    decode,
)
from devices.codecs.nmea.sky import Sky
from devices.codecs.nmea.values import DAY, Impossible

Report = dict[str, Any]
"""An object of gpsd's vocabulary: its `class` is TPV, SKY or GST, or TXT for what the receiver says in words."""

MODE_QUALITY = {"A": 1, "D": 2, "P": 3, "R": 4, "F": 5, "E": 6, "M": 7, "S": 8}
STATUS_OF_QUALITY = {1: 1, 2: 2, 3: 1, 4: 3, 5: 4, 6: 6, 7: 1, 8: 8, 9: 2}
"""GGA quality to gpsd's status: 1 GNSS, 2 differential, 3 fixed and 4 floating RTK, 6 estimated, 8 simulated."""
NOT_MEASURED = frozenset((6, 7, 8))
METRES_OF_DILUTION, METRES_OF_DIFFERENTIAL = 19.0, 4.75
"""gpsd's estimates: metres of error (95 %) for a horizontal dilution of 1, without and with corrections."""
HEIGHT_METRES, HEIGHT_DIFFERENTIAL = 23.0, 5.75
NINETY_FIVE = 1.96
"""Standard deviations within which 95 % lie."""
TIMED = (Recommended, FixData, Geographic, DateTime, Errors)
"""Sentences that tell a time of day."""
LEARNED = 2
SOLID = 4
"""Satellites that give a height."""


@dataclass(slots=True)
class Moment:
    """What the sentences of one epoch said so far."""

    time: int | None = None
    date: date | None = None
    position: tuple[float, float] | None = None
    no_fix: bool = False
    quality: int = 0
    fix: int | None = None
    altitude: float | None = None
    used: int = 0
    speed: float | None = None
    track: float | None = None
    facts: Report = field(default_factory=dict)
    errors: Errors | None = None
    said: bool = False
    began: float | None = None


class Assembler:
    """Sentences in, reports out.

    Attributes:
        impossible: sentences with a right checksum whose values cannot be.
        at: the caller's clock, set before it adds; a report has it as `began`, when its epoch began.
        time: the last time of day that a sentence told, with or without a fix or a date.
    """

    def __init__(self) -> None:
        self.impossible = 0
        self.at: float | None = None
        self.time: int | None = None
        self.sky = Sky()
        self._now = Moment()
        self._last: tuple[Sentence, Said] | None = None
        self._ender = ("", "", False)
        self._agreed = 0
        self._reported: int | None = None
        self._notes: dict[type, Callable[[Any], None]] = {
            Recommended: self._recommended, FixData: self._fix_data, Geographic: self._geographic,
            Course: self._course, Active: self._active, InView: self.sky.in_view, DateTime: self._date_time,
            Errors: self._errors,
        }  # fmt: skip

    def add(self, sentence: Sentence) -> list[Report]:
        """The reports that this sentence completes."""
        try:
            said = decode(sentence)
        except Impossible:
            self.impossible += 1
            return []
        if said is None:
            return []
        if isinstance(said, Text):
            return [{"class": "TXT", "text": said.text}]
        reports = self._begin(said.time) if isinstance(said, TIMED) else []
        if self._now.began is None:
            self._now.began = self.at
        self._notes[type(said)](said)
        self._last = sentence, said
        if self._agreed >= LEARNED and sentence.kind == self._ender[1] and self._now.time is not None:
            reports += self.flush(keep=True) if _name(sentence, said) == self._ender else []
        return reports

    def _begin(self, time: int | None) -> list[Report]:
        """A sentence with another time begins a new epoch; the reports of the one before it."""
        now = self._now
        if time is None or time == now.time:
            return []
        reports = []
        if now.time is not None:
            self._learn()
            reports = self.flush()
        self._now.time = self.time = time
        return reports

    def flush(self, *, keep: bool = False) -> list[Report]:
        """Close the epoch and report it, once.

        Args:
            keep: sentences of the same time may still come; they belong to the epoch that was reported.
        """
        moment, reports = self._now, []
        if moment.said and (moment.time is None or moment.time != self._reported):
            told = report(moment, self.sky)
            reports.append(told if moment.began is None else told | {"began": moment.began})
            if moment.errors is not None:
                reports.append(deviations(moment.errors))
            self._reported = moment.time
            self.sky.fixed()
        if self.sky.changed:
            reports.append(self.sky.report())
        self._now = Moment(time=moment.time, date=moment.date) if keep else Moment()
        return reports

    def _learn(self) -> None:
        """Which sentence ends an epoch: the one that was the last before a new time, several times in a row."""
        ender = _name(*self._last) if self._last is not None else self._ender
        self._agreed = self._agreed + 1 if ender == self._ender else 0
        self._ender = ender

    def _recommended(self, said: Recommended) -> None:
        now = self._now
        now.said = True
        self._place(said.valid, said.position, MODE_QUALITY.get(said.mode, 0))
        if said.valid:
            now.date = said.date or now.date
            now.speed, now.track = said.speed, said.track
            if said.variation is not None:
                now.facts["magvar"] = said.variation

    def _fix_data(self, said: FixData) -> None:
        self._now.said = True
        self.sky.fix(said.used, said.hdop)
        self._place(said.quality > 0, said.position, said.quality)
        self._height(said)

    def _geographic(self, said: Geographic) -> None:
        self._now.said = True
        self._place(said.valid, said.position, MODE_QUALITY.get(said.mode, 0))

    def _course(self, said: Course) -> None:
        now = self._now
        if said.mode != "N" and said.speed is not None and now.speed is None:
            now.speed, now.track = said.speed, said.track

    def _active(self, said: Active) -> None:
        self.sky.active(said)
        self._now.fix = max(self._now.fix or 1, said.fix)

    def _date_time(self, said: DateTime) -> None:
        self._now.date = said.date or self._now.date

    def _errors(self, said: Errors) -> None:
        self._now.errors = said

    def _place(self, valid: bool, position: tuple[float, float] | None, quality: int) -> None:
        now = self._now
        if not valid or position is None:
            now.no_fix = True
            return
        if now.position is None or quality >= now.quality:
            now.position = position
        now.quality = max(now.quality, quality)

    def _height(self, said: FixData) -> None:
        now = self._now
        if said.quality == 0 or said.position is None:
            return
        now.altitude = said.altitude if said.altitude is not None else now.altitude
        now.used = said.used or now.used
        if said.separation is not None:
            now.facts["geoidSep"] = said.separation
        if said.dgps_age is not None and said.dgps_age > 0:
            now.facts["dgpsAge"] = said.dgps_age
            now.facts["dgpsSta"] = said.dgps_station or 0


class Decoder:
    """Bytes in, reports out: a framer and an assembler."""

    def __init__(self) -> None:
        self.framer = Framer()
        self.assembler = Assembler()

    def feed(self, data: bytes) -> list[Report]:
        """The reports that these bytes complete."""
        reports: list[Report] = []
        for sentence in self.framer.feed(data):
            reports += self.assembler.add(sentence)
        return reports

    def flush(self) -> list[Report]:
        """The epoch that is under way; call it when the receiver pauses, and at the end."""
        return self.assembler.flush()

    @property
    def accepted(self) -> int:
        """Sentences that were understood or need not be."""
        return self.framer.accepted - self.assembler.impossible

    @property
    def rejected(self) -> int:
        """Damaged sentences and impossible ones."""
        return self.framer.damaged + self.assembler.impossible


def report(moment: Moment, sky: Sky) -> Report:
    """gpsd's TPV of an epoch. Without a fix it has no position, whatever the sentences held."""
    fixed = moment.position is not None and not moment.no_fix and moment.fix != 1
    told: Report = {"class": "TPV", "mode": 1, **_time(moment)}
    if not fixed or moment.position is None:
        return told
    told["mode"] = 3 if moment.altitude is not None and (moment.fix == 3 or moment.used >= SOLID) else 2
    status = STATUS_OF_QUALITY.get(moment.quality)
    if status is not None and status != 1:
        told["status"] = status
    if moment.quality in NOT_MEASURED:
        told["measured"] = False
    told["lat"], told["lon"] = moment.position
    if moment.altitude is not None:
        told["altMSL"] = moment.altitude
        if "geoidSep" in moment.facts:
            told["altHAE"] = round(moment.altitude + moment.facts["geoidSep"], 4)
    for name, value in (("track", moment.track), ("speed", moment.speed)):
        if value is not None:
            told[name] = round(value, 3)
    return told | moment.facts | _errors(moment, sky)


def _time(moment: Moment) -> Report:
    """The time, when date and time of day are known; a date that is not to be believed is marked as such."""
    if moment.time is None or moment.date is None:
        return {}
    told: Report = {"time": iso(moment.date, moment.time)}
    if not dates.believed(moment.date):
        told["timeBelieved"] = False
        better = dates.corrected(moment.date)
        if better is not None:
            told["timeCorrected"] = iso(better, moment.time)
    return told


def iso(day: date, time: int) -> str:
    """RFC 3339 in UTC with milliseconds; second 60 stays as it was told."""
    leap = 1 if time >= DAY else 0
    seconds, micro = divmod(time - leap * 1_000_000, 1_000_000)
    hours, minutes, second = seconds // 3600, seconds // 60 % 60, seconds % 60 + leap
    return f"{day.isoformat()}T{hours:02}:{minutes:02}:{second:02}.{micro // 1000:03}Z"


def _errors(moment: Moment, sky: Sky) -> Report:
    """Estimated errors in metres (95 %) from the dilutions, as gpsd does it; of GST where no dilution was told."""
    dilutions, corrected = sky.dilutions, moment.quality == 2
    flat = METRES_OF_DIFFERENTIAL if corrected else METRES_OF_DILUTION
    height = HEIGHT_DIFFERENTIAL if corrected else HEIGHT_METRES
    factors = (("eph", "hdop", flat), ("epv", "vdop", height), ("sep", "pdop", flat))
    told = {name: round(dilutions[dilution] * metres, 3) for name, dilution, metres in factors if dilution in dilutions}
    if "eph" not in told and moment.errors is not None:
        north, east = moment.errors.latitude or 0, moment.errors.longitude or 0
        told["eph"] = round((north**2 + east**2) ** 0.5 * NINETY_FIVE, 3)
    return told


def deviations(said: Errors) -> Report:
    """gpsd's GST: standard deviations in metres."""
    values = {"lat": said.latitude, "lon": said.longitude, "alt": said.altitude}
    return {"class": "GST", **{name: value for name, value in values.items() if value is not None}}


def _name(sentence: Sentence, said: Said) -> tuple[str, str, bool]:
    """What tells the sentences of an epoch apart; of a list in parts the last one counts."""
    return sentence.talker, sentence.kind, isinstance(said, InView) and said.part < said.parts
