"""Whether an answer from the field proves itself: somebody was there, then, and took a photo that was not used before.

Staged checks are the known fraud of this field; an answer without proof goes through the loop, but it does not count
for the collector, and it is listed (`appliance/analysis/staged.py`). Time and position are what the telephone says;
where the camera wrote its own into the photo, what does not fit is noted and listed too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, text

from appliance.cases.evidence import path_of
from appliance.cases.photo_looks import PICTURES, alike
from appliance.cases.photo_origin import oddities, origin_of
from appliance.places.locate import locate_grid
from appliance.places.plane import Plane

if TYPE_CHECKING:
    from appliance.cases.actions import ActionBody
    from appliance.cases.step import Step

READ_AT_MOST = 12
"""So many photos of an answer are opened for what their cameras wrote."""
METRES_WITHOUT_GRID = 50.0
"""A case outside every unit grid is answered from within this distance."""

_PHOTOS = text(
    "SELECT DISTINCT sha256, type FROM evidence WHERE case_id = :case_id AND stage IN ('verify', 'check') "
    "AND uploaded_at >= :since"
)
_USED = text(
    "SELECT DISTINCT sha256 FROM evidence WHERE sha256 IN :files AND case_id IS NOT NULL "
    "AND NOT (case_id = :case_id AND uploaded_at >= :since)"
).bindparams(bindparam("files", expanding=True))


def lacks(step: Step, body: ActionBody) -> tuple[list[str], list[str]]:
    """What an answer on site lacks (`position`, `time`, `photo`, `new_photo`), and the files that its photos repeat."""
    case, connection = step.case, step.unit.connection
    missing = []
    if not _is_there(connection, case, body):
        missing.append("position")
    since = case["clock_started_at"] or 0
    if body.at is None or not since <= body.at <= step.now:
        missing.append("time")
    photos = _photos(connection, case, since)
    repeated = _repeated(connection, case, since, photos)
    if not photos:
        missing.append("photo")
    elif repeated:
        missing.append("new_photo")
    return missing, repeated


def odd_photos(step: Step, body: ActionBody) -> list[str]:
    """What the photos' own time and position contradict: `position`, `time`."""
    since, office = step.case["clock_started_at"] or 0, step.office
    found: set[str] = set()
    for sha256 in _photos(step.unit.connection, step.case, since)[:READ_AT_MOST]:
        origin = origin_of(path_of(office.records.home, sha256), office.settings.zone)
        found |= oddities(origin, since=since, at=body.at, lon=body.lon, lat=body.lat)
    return sorted(found)


def _is_there(connection: Connection, case: Mapping[str, Any], body: ActionBody) -> bool:
    """Whether the position is inside the unit grid of the case."""
    if body.lon is None or body.lat is None:
        return False
    if case["grid"] is None:
        return Plane.at(case["lon"], case["lat"]).metres(body.lon, body.lat) <= METRES_WITHOUT_GRID
    hit = locate_grid(connection, body.lon, body.lat)
    return hit is not None and hit.grid == case["grid"]


def _photos(connection: Connection, case: Mapping[str, Any], since: int) -> list[str]:
    rows = connection.execute(_PHOTOS, {"case_id": case["id"], "since": since})
    return sorted(row.sha256 for row in rows if row.type in PICTURES)


def _repeated(connection: Connection, case: Mapping[str, Any], since: int, photos: Sequence[str]) -> list[str]:
    """The files that were used before and are the same as, or look like, one of the photos."""
    if not photos:
        return []
    like = {file for photo in photos for file in alike(connection, photo)} - set(photos)
    values = {"files": [*photos, *like], "case_id": case["id"], "since": since}
    return sorted(connection.execute(_USED, values).scalars())
