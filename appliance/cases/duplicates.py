"""Likely duplicates: open cases on the same part, or of the same class near by (50 m and 24 h unless set otherwise)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.cases.sight import sees_case
from appliance.clock import HOUR, rfc3339
from appliance.places.plane import Plane
from appliance.records.spatial import within_box

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

_COLUMNS = (
    "id, number, code, name, state, address, lon, lat, reported_at, part, department, sub_unit, collector, "
    "registered_by, duty_grid"
)
_SAME_PART = text(
    f"SELECT {_COLUMNS} FROM cases WHERE part = :part AND is_open ORDER BY id DESC LIMIT 20"  # noqa: S608
)


def likely_duplicates(
    connection: Connection,
    office: Office,
    actor: Actor,
    *,
    code: str,
    lon: float,
    lat: float,
    part: str | None = None,
    except_number: str | None = None,
) -> list[dict[str, Any]]:
    """What may be the same thing among the cases this person sees, nearest first; `why` is `part` or `near`."""
    desk = office.settings.desk
    since = office.records.clock.now() - round(desk.duplicate_hours * HOUR)
    plane = Plane.at(lon, lat)
    near = text(
        f"SELECT {_COLUMNS} FROM cases WHERE {within_box(connection.dialect.name, 'cases')} "  # noqa: S608
        "AND code = :code AND reported_at >= :since AND state NOT IN ('merged', 'void', 'rejected')"
    )
    found: dict[str, dict[str, Any]] = {}
    if part:
        for row in connection.execute(_SAME_PART, {"part": part}):
            if sees_case(actor, dict(row._mapping)):
                found[row.number] = _view(row, plane, "part")
    for row in connection.execute(near, {**plane.box(desk.duplicate_metres), "code": code, "since": since}):
        view = _view(row, plane, "near")
        if sees_case(actor, dict(row._mapping)) and view["metres"] <= desk.duplicate_metres:
            found.setdefault(row.number, view)
    found.pop(except_number or "", None)
    return sorted(found.values(), key=lambda view: (view["why"] != "part", view["metres"], view["number"]))


def _view(row: Any, plane: Plane, why: str) -> dict[str, Any]:
    return {
        "number": row.number, "code": row.code, "name": row.name, "state": row.state, "address": row.address,
        "metres": round(plane.metres(row.lon, row.lat), 1), "reported_at": rfc3339(row.reported_at), "why": why,
    }  # fmt: skip
