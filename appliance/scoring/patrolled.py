"""What was patrolled in a period, on foot and by video, as facts of scores; counted by `appliance.patrols`."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from appliance.patrols.coverage import coverage
from appliance.patrols.rounds import interval
from appliance.scoring.counting import Counted
from appliance.scoring.periods import Period
from appliance.scoring.runs import PLATFORM
from appliance.settings import Settings

MINUTE = 60_000_000

_WALKED = text(
    "SELECT collector, sum(rounds_due) AS due, "
    "sum(CASE WHEN rounds_done < rounds_due THEN rounds_done ELSE rounds_due END) AS done "
    "FROM patrol_day WHERE day >= :first AND day <= :last AND rounds_due > 0 GROUP BY collector"
)
_CAMERAS = text("SELECT code, street_class FROM camera")
_LOOKS = text("SELECT camera, at FROM camera_look WHERE at >= :start AND at < :as_of ORDER BY camera, at")
_BEFORE = text("SELECT camera, max(at) AS at FROM camera_look WHERE at < :start GROUP BY camera")
_LOOKERS = text(
    "SELECT account, count(*) AS looks FROM camera_look WHERE at >= :start AND at < :as_of GROUP BY account"
)


def add_patrols(connection: Connection, counted: Counted, period: Period, settings: Settings) -> None:
    """Add the rounds walked by collector, the looks by person, and both for the whole county."""
    _add_walked(connection, counted, period, settings)
    _add_video(connection, counted, period, settings)


def _add_walked(connection: Connection, counted: Counted, period: Period, settings: Settings) -> None:
    first, last = (
        datetime.fromtimestamp(at / 1_000_000, settings.zone).date().isoformat()
        for at in (period.start, period.as_of - 1)
    )
    due = done = 0
    for row in connection.execute(_WALKED, {"first": first, "last": last}):
        due, done = due + row.due, done + row.done
        if row.collector is not None:
            counted.counts["collector", row.collector, "patrol_due"] = int(row.due)
            counted.counts["collector", row.collector, "patrol_done"] = int(row.done)
    if due:
        counted.counts["platform", PLATFORM, "patrol_due"] = int(due)
        counted.counts["platform", PLATFORM, "patrol_done"] = int(done)


def _add_video(connection: Connection, counted: Counted, period: Period, settings: Settings) -> None:
    """A look covers the interval of its camera's street class; what is covered is counted in minutes."""
    span = {"start": period.start, "as_of": period.as_of}
    classes = {row.code: row.street_class for row in connection.execute(_CAMERAS)}
    if not classes:
        return
    before = {row.camera: row.at for row in connection.execute(_BEFORE, {"start": period.start})}
    times: dict[str, list[int]] = {}
    for camera, rows in groupby(connection.execute(_LOOKS, span), key=_camera):
        times[camera] = [row.at for row in rows]
    length, covered = (period.as_of - period.start) // MINUTE, 0.0
    for code, street_class in classes.items():
        step = interval(street_class, settings.video.minutes)
        found = coverage(times.get(code, []), period.start, period.as_of, step, before.get(code))
        covered += found.covered * length
    counted.counts["platform", PLATFORM, "video_minutes_due"] = length * len(classes)
    counted.counts["platform", PLATFORM, "video_minutes_covered"] = round(covered)
    for row in connection.execute(_LOOKERS, span):
        counted.counts["acceptor", row.account, "video_looks"] = row.looks


def _camera(row: Any) -> str:
    camera: str = row.camera
    return camera
