"""Jobs of evaluation: closing periods that are over, and keeping the running ones counted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.clock import local
from appliance.own_process import run
from appliance.scoring.periods import name_of

if TYPE_CHECKING:
    from appliance.cases.office import Office

FAILED = ("评分统计失败", "Counting scores failed")
RUNNING = ("day", "week", "month", "quarter", "year")


def close_periods(office: Office) -> dict[str, Any]:
    """Close the last day, week, month, quarter and year, where they are over long enough and still open.

    Raises:
        Broken: it failed; its last words are told.
    """
    return {"closed": in_a_process(office.records.home, office.records.clock.now(), "close")}


def count_scores(office: Office) -> dict[str, Any]:
    """Count the running day, week, month, quarter and year, so that their screens open at once.

    Raises:
        Broken: it failed; its last words are told.
    """
    now = office.records.clock.now()
    today = local(now, office.settings.zone).date()
    names = [name_of(kind, today) for kind in RUNNING]
    return {"counted": in_a_process(office.records.home, now, "count", *names)}


def command_of(home: Path, now: int, work: str, *names: str) -> list[str]:
    """The process that counts or closes."""
    return [sys.executable, "-m", "appliance.scoring.working", str(home), str(now), work, *names]


def in_a_process(home: Path, now: int, work: str, *names: str) -> list[str]:
    """Count or close, and wait for it.

    Raises:
        Conflict: a period to close is closed already. BadHome, BadFile: a pack is missing or wrong. Broken: it failed.
    """
    found: list[str] = msgspec.json.decode(run(command_of(home, now, work, *names), *FAILED))
    return found
