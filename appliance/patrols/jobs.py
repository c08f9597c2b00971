"""Jobs of the patrols: packing finished days of tracks, forgetting old ones, counting what was walked."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.clock import local
from appliance.errors import Broken
from appliance.patrols import compaction

if TYPE_CHECKING:
    from appliance.cases.office import Office


def compact_tracks(office: Office) -> dict[str, Any]:
    """Pack the tracks of all finished days that have positions which are not packed."""
    home = office.records.home
    days = list(compaction.to_compact(home, today_of(office)))
    return {"days": {day: compaction.compact(home, day) for day in days}}


def forget_tracks(office: Office) -> dict[str, Any]:
    """Remove the tracks that are older than the county keeps them."""
    home = office.records.home
    days = compaction.to_forget(home, today_of(office), office.settings.patrols.tracks_kept_days)
    for day in days:
        compaction.forget(home, day)
    return {"forgotten": days}


def patrol_coverage(office: Office) -> dict[str, Any]:
    """Count what was walked yesterday, today, and on days for which positions came late.

    Raises:
        Broken: the count failed; its last words are told.
    """
    command = count_command(office.records.home, office.records.clock.now())
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise Broken(*failed_count(done.stderr))
    return {"days": msgspec.json.decode(done.stdout)}


def count_command(home: Path, now: int) -> list[str]:
    """The process that counts (`counting.py` says why it is one of its own)."""
    return [sys.executable, "-m", "appliance.patrols.counting", str(home), str(now)]


def failed_count(said: bytes) -> tuple[str, str]:
    """The two sentences about a count that failed."""
    last = said.decode(errors="replace").strip()[-400:]
    return f"巡查统计失败: {last}", f"The count of patrols failed: {last}"


def today_of(office: Office) -> date:
    """The county's day of this moment."""
    return local(office.records.clock.now(), office.settings.zone).date()
