"""How bright the walls are to be now, and whether they are dark: by the hour, or by the sun. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from astral import Observer
from astral.sun import elevation

from appliance.device_settings import Light

NIGHT_DEGREES, DAY_DEGREES = -6.0, 6.0
"""Height of the sun at the end of civil dusk, and where full daylight begins; in between the brightness goes over."""
STEP = 5
"""Percent; a wall is not set anew for less."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the plan asks for: percent, and whether the screens are dark."""

    brightness: int
    dark: bool


def wanted(plan: Light, now: datetime) -> Wanted:
    """What the plan asks for at a moment of the county's time zone."""
    time = now.strftime("%H:%M")
    brightness = _by_sun(plan, now) if plan.sun and plan.latitude is not None else _by_hour(plan, time)
    return Wanted(brightness, plan.dark is not None and _within(time, *plan.dark))


def _by_hour(plan: Light, time: str) -> int:
    """The brightness of the last hour that began; before the first one that of the night before."""
    begun = [percent for hour, percent in plan.hours if hour <= time]
    return begun[-1] if begun else plan.hours[-1][1]


def _by_sun(plan: Light, now: datetime) -> int:
    height = elevation(Observer(latitude=plan.latitude or 0, longitude=plan.longitude or 0), now)
    share = (height - NIGHT_DEGREES) / (DAY_DEGREES - NIGHT_DEGREES)
    percent = plan.night + (plan.day - plan.night) * min(max(share, 0.0), 1.0)
    low, high = sorted((plan.night, plan.day))
    return min(max(round(percent / STEP) * STEP, low), high)


def _within(time: str, begin: str, end: str) -> bool:
    """Whether a time of day lies in a span that may pass midnight."""
    return begin <= time < end if begin < end else time >= begin or time < end
