"""Jobs of the patrols: packing finished days of tracks, forgetting old ones, counting what was walked."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.clock import local
from appliance.own_process import run
from appliance.patrols import compaction

if TYPE_CHECKING:
    from appliance.cases.office import Office


def compact_tracks(office: Office) -> dict[str, Any]:
    """Pack the tracks of all finished days that have positions which are not packed.

    Raises:
        Broken: the packing failed; its last words are told.
    """
    return {"days": _in_a_process("compaction", office.records.home, today_of(office).isoformat())}


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
    return {"days": _in_a_process("counting", office.records.home, str(office.records.clock.now()))}


def command_of(module: str, home: Path, argument: str) -> list[str]:
    """The process that counts or packs (`counting.py` and `compaction.py` say why it is one of its own)."""
    return [sys.executable, "-m", f"appliance.patrols.{module}", str(home), argument]


def failed(module: str) -> tuple[str, str]:
    """The two sentences about a process that failed."""
    return f"巡查任务 {module} 失败", f"The process {module} of the patrols failed"


def _in_a_process(module: str, home: Path, argument: str) -> Any:
    return msgspec.json.decode(run(command_of(module, home, argument), *failed(module)))


def today_of(office: Office) -> date:
    """The county's day of this moment."""
    return local(office.records.clock.now(), office.settings.zone).date()
