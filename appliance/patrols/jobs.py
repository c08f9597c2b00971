"""Jobs of the patrols: packing finished days of tracks, forgetting old ones."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from appliance.clock import local
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


def today_of(office: Office) -> date:
    """The county's day of this moment."""
    return local(office.records.clock.now(), office.settings.zone).date()
