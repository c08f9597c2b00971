"""A fake receiver: drives round a square and tells where it is once a second, or replays a recorded log.

The route is a function of the time, so that a test knows where it must be. Options: `lat`, `lon` (where it begins),
`speed` metres a second, `every` seconds between two epochs, `log` a recorded file, `fix` false for none, `frozen` true
for a time that stands still. `seconds` counts the epochs, which are a second each where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import cos, radians
from typing import Any, ClassVar

from devices.codecs.nmea.framing import encode
from devices.fakes.fake import Fake, Moods
from devices.fakes.options import number, recording

METRES_PER_DEGREE = 111_320.0
SIDE_METRES = 200.0
KNOTS = 3600 / 1852
ASTRAY = timedelta(seconds=2)


class FakeGnss(Fake):
    """A satellite receiver on a table or in a car."""

    key = "nmea"
    rate: ClassVar[int] = 9600

    def __init__(self, moods: Moods | None = None, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(moods, options)
        self.seconds = 0
        self.began = datetime.now(UTC).replace(microsecond=0)
        self._every = number(self, "every", 1.0, 0.01, 3600)
        self._latitude, self._longitude = (
            number(self, "lat", 34.1595, -89, 89),
            number(self, "lon", 113.4716, -180, 180),
        )
        self._speed = number(self, "speed", 5.0, 0, 1000)
        self._waited = 0.0
        self._log = _log_lines(recording(self, "log"))

    def talk(self, seconds: float) -> bytes:
        self._waited += seconds
        said = b""
        while self._waited >= self._every:
            self._waited -= self._every
            said += self._second()
        return said

    def place(self, second: int) -> tuple[float, float]:
        """Latitude and longitude after so many epochs: along the sides of a square."""
        latitude, longitude = self._latitude, self._longitude
        way = second * self._every * self._speed % (4 * SIDE_METRES)
        side, along = divmod(way, SIDE_METRES)
        east, north = (
            (along, 0.0),
            (SIDE_METRES, along),
            (SIDE_METRES - along, SIDE_METRES),
            (0.0, SIDE_METRES - along),
        )[int(side)]
        return latitude + north / METRES_PER_DEGREE, longitude + east / METRES_PER_DEGREE / cos(radians(latitude))

    def state(self) -> Mapping[str, Any]:
        latitude, longitude = self.place(self.seconds)
        return {"seconds": self.seconds, "lat": latitude, "lon": longitude}

    def _second(self) -> bytes:
        if self._log:
            return self._logged()
        self.seconds += 1
        now = self._now()
        time, day = f"{now:%H%M%S}.{now.microsecond // 10_000:02}", now.strftime("%d%m%y")
        if not self.options.get("fix", True):
            return encode("GN", "RMC", (time, "V", "", "", "", "", "", "", "", "", "", "N")) + encode(
                "GN", "GGA", (time, "", "", "", "", "0", "00", "", "", "M", "", "M", "", "")
            )
        latitude, longitude = self.place(self.seconds)
        place = (
            _angle(latitude, 2),
            "N" if latitude >= 0 else "S",
            _angle(longitude, 3),
            "E" if longitude >= 0 else "W",
        )
        knots = f"{self._speed * KNOTS:.2f}"
        return (
            encode("GN", "GGA", (time, *place, "1", "09", "0.9", "112.0", "M", "-16.0", "M", "", ""))
            + encode("GN", "GSA", ("A", "3", "01", "02", "03", "04", *[""] * 8, "1.8", "0.9", "1.5"))
            + encode("BD", "GSV", ("1", "1", "02", "01", "60", "090", "42", "02", "45", "180", "38"))
            + encode("GN", "RMC", (time, "A", *place, knots, "90.0", day, "", "", "A"))
        )

    def _now(self) -> datetime:
        """Whole seconds that go on one by one; after it was unplugged it tells the time again as it is."""
        if self.options.get("frozen"):
            return self.began
        now = self.began + timedelta(seconds=self.seconds * self._every)
        true = datetime.now(UTC).replace(microsecond=0)
        if abs(true - now) > ASTRAY:
            self.began = true - timedelta(seconds=self.seconds * self._every)
            return true
        return now

    def _logged(self) -> bytes:
        """One recorded line a second; after the last one it begins again."""
        line = self._log[self.seconds % len(self._log)]
        self.seconds += 1
        return line


def _angle(degrees: float, digits: int) -> str:
    whole, rest = divmod(abs(degrees), 1)
    minutes = round(rest * 60, 5)
    if minutes >= 60:
        whole, minutes = whole + 1, 0.0
    return f"{int(whole):0{digits}}{minutes:08.5f}"


def _log_lines(data: bytes | None) -> list[bytes]:
    """The bursts of a recorded log without its comments: a burst ends where a line of the first kind comes again."""
    if data is None:
        return []
    lines = [line for line in data.splitlines(keepends=True) if not line.startswith(b"#")]
    first = next((line[:6] for line in lines if line.startswith(b"$")), b"")
    bursts: list[bytes] = []
    for line in lines:
        if line.startswith(first) or not bursts:
            bursts.append(b"")
        bursts[-1] += line
    return bursts
