"""Time as the house keeps it: whole microseconds since 1970 in UTC, shown as RFC 3339 or in the county's zone.

Everything that asks for "now" asks a `Clock`, so a demo county can live through 90 days in a minute and a test
can stand still.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic_ns, time_ns
from typing import Protocol
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
HELD = 10 * MINUTE
"""A step back up to this is not followed."""
TREMBLE = 10_000
"""Two clocks of one machine differ by so much and mean nothing by it."""


class Clock(Protocol):
    """Anything that tells the time in microseconds since the epoch."""

    def now(self) -> int: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        return time_ns() // 1000


class SteadyClock:
    """The machine's clock for a node: never back by a little, as when a time server puts it right.

    After a step back of `HELD` at most, time goes on at half its speed until the machine's clock has caught up. A
    larger step is followed, since the clock was wrong before; the doctor then names the records that lie ahead of it.

    Args:
        wall, steady: nanoseconds of the machine's clock, and of one that nobody sets.
    """

    def __init__(self, wall: Callable[[], int] = time_ns, steady: Callable[[], int] = monotonic_ns) -> None:
        self._wall, self._steady = wall, steady
        self._known = (wall() // 1000, steady() // 1000, False)

    def now(self) -> int:
        """The moment in microseconds."""
        wall, steady = self._wall() // 1000, self._steady() // 1000
        last, at, waiting = self._known
        passed = steady - at
        expected = last + (passed // 2 if waiting else passed)
        if wall >= expected or expected - wall > HELD:
            self._known = (wall, steady, False)
            return wall
        if not waiting and expected - wall > TREMBLE:
            self._known = (expected, steady, True)
        return expected


class ManualClock:
    """A clock that is moved by hand, for tests and for the demo county's past."""

    def __init__(self, start: int | datetime) -> None:
        self._now = start if isinstance(start, int) else micros(start)

    def now(self) -> int:
        return self._now

    def set(self, moment: int | datetime) -> None:
        self._now = moment if isinstance(moment, int) else micros(moment)

    def advance(self, **parts: float) -> None:
        """Move on by a timedelta's parts, for example `advance(hours=2)`."""
        self._now += timedelta(**parts) // MICROSECOND


def micros(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime.

    Raises:
        ValueError: the datetime has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return (moment - EPOCH) // MICROSECOND


def moment(value: int) -> datetime:
    """The aware UTC datetime of a number of microseconds."""
    return EPOCH + timedelta(microseconds=value)


def rfc3339(value: int | None) -> str | None:
    """`2026-10-08T01:00:00Z`, with microseconds only when there are any."""
    if value is None:
        return None
    text = moment(value).isoformat()
    return text.removesuffix("+00:00") + "Z"


def local(value: int, zone: ZoneInfo) -> datetime:
    """The moment in the county's zone."""
    return moment(value).astimezone(zone)
