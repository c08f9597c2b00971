"""Is the date of a receiver to be believed? Its week counter of ten bits begins anew every 1024 weeks.

An old receiver then tells a date 7168 days back, while its time of day stays right (`gnss.md`, "Date and week
rollover"). A date is believed from the release of this software until ten years after it; else a date whole periods
later that falls there is offered as "corrected", and never takes the told one's place.
"""

from __future__ import annotations

from datetime import date, timedelta

RELEASED = date(2026, 11, 1)
"""Moved on with every release of this software."""
BELIEVED = timedelta(days=3653)
PERIOD = timedelta(days=7168)


def believed(told: date) -> bool:
    """Whether the date can be true on a receiver that runs today."""
    return RELEASED <= told <= RELEASED + BELIEVED


def corrected(told: date) -> date | None:
    """The date moved on by whole periods into the believed time, None when it never falls there."""
    moved = told
    while moved < RELEASED:
        moved += PERIOD
    return moved if moved != told and believed(moved) else None
