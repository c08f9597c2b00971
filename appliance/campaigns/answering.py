"""Answers from the field: a filled form with position, time and photos; the newest of a target counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.campaigns.forms import check_answer
from appliance.campaigns.making import form_of, running
from appliance.clock import rfc3339
from appliance.errors import FieldError, Forbidden, Invalid, NotFound
from appliance.people.actor import Actor
from appliance.places.locate import locate_grid
from appliance.records.writer import Unit

OFFICE = frozenset(("assessor", "shift_leader", "admin"))
"""Who may answer for any target; a collector answers for the own ones."""

_TARGET = text("SELECT * FROM campaign_target WHERE campaign = :campaign AND subject = :subject")
_FILE = text("SELECT 1 FROM evidence WHERE sha256 = :sha256 LIMIT 1")
_CASE = text("SELECT 1 FROM cases WHERE number = :number")
_ANSWER = text(
    "INSERT INTO campaign_answer "
    "(campaign, target, answered_by, at, lon, lat, outside, filled, photos, points, number) VALUES ("
    ":campaign, :target, :by, :at, :lon, :lat, :outside, :filled, :photos, :points, :number) RETURNING id"
)
_NOTE = text("UPDATE campaign_target SET answers = answers + 1, answered_at = :at, points = :points WHERE id = :target")
_TASKS = text(
    "SELECT t.*, c.name AS campaign_name, c.ends_at FROM campaign_target t JOIN campaign c ON c.code = t.campaign "
    "WHERE t.collector = :collector AND t.answers = 0 AND c.ended_at IS NULL AND c.starts_at <= :now "
    "AND c.ends_at > :now AND t.id > :after ORDER BY t.id LIMIT :limit"
)


def answer(
    unit: Unit, actor: Actor, code: str, subject: str, filled: Mapping[str, Any], *, photos: Mapping[str, str],
    lon: float | None = None, lat: float | None = None, number: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Answer for a target of a campaign that runs.

    Args:
        photos: the SHA-256 of an uploaded file by photo field. number: the case that was reported because of it.
        lon, lat: where it was answered, in EPSG:4490. Outside the grid of the target it is taken and marked so.

    Raises:
        NotFound, Conflict: no such campaign or target, or it does not run. Forbidden: it is another collector's.
        Invalid: names every wrong field, or the position is none on earth.
    """
    check_position(lon, lat)
    connection, row = unit.connection, running(unit.connection, code, unit.now)
    target = connection.execute(_TARGET, {"campaign": code, "subject": subject}).one_or_none()
    if target is None:
        raise NotFound(f"专项 {code} 没有对象 {subject[:60]}。", f"The campaign {code} has no target {subject[:60]}.")
    if target.collector != actor.account and actor.roles.isdisjoint(OFFICE):
        raise Forbidden(
            f"{subject} 由 {target.collector or '—'} 负责。", f"{subject} is given to {target.collector or 'nobody'}."
        )
    kept, points = check_answer(form_of(row), filled, photos)
    for name, sha256 in photos.items():
        if connection.execute(_FILE, {"sha256": sha256}).first() is None:
            raise Invalid(
                f"照片 {sha256[:12]} 还没有上传;请先 POST /api/v1/evidence。",
                f"Photo {sha256[:12]} was not uploaded yet; POST it to /api/v1/evidence first.",
                fields=(FieldError(name, "没有这个文件", "no such file"),),
            )
    if number is not None and connection.execute(_CASE, {"number": number}).first() is None:
        raise NotFound(f"没有案件 {number}。", f"There is no case {number}.")
    outside = is_outside(connection, target, lon, lat)
    values = {
        "campaign": code, "target": target.id, "by": actor.account, "at": unit.now, "lon": lon, "lat": lat,
        "outside": outside,
        "filled": msgspec.json.encode(kept).decode(), "photos": msgspec.json.encode(sorted(photos.values())).decode(),
        "points": points, "number": number,
    }  # fmt: skip
    id_ = connection.execute(_ANSWER, values).scalar_one()
    connection.execute(_NOTE, {"at": unit.now, "points": points, "target": target.id})
    return {
        "id": id_, "campaign": code, "subject": subject, "points": points, "outside": outside,
        "at": rfc3339(unit.now),
    }  # fmt: skip


def check_position(lon: float | None, lat: float | None) -> None:
    """Refuse half a position, and one that is none on earth.

    Raises:
        Invalid: naming both.
    """
    if lon is None and lat is None:
        return
    if lon is None or lat is None or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise Invalid(
            f"位置 {lon},{lat} 不是经纬度;须同时给出经度(-180 到 180)和纬度(-90 到 90)。",
            f"The position {lon},{lat} is none; give longitude (-180 to 180) and latitude (-90 to 90) together.",
            fields=(FieldError("lon", "不是经度", "not a longitude"), FieldError("lat", "不是纬度", "not a latitude")),
        )


def is_outside(connection: Connection, target: Any, lon: float | None, lat: float | None) -> bool | None:
    """Whether a position lies outside the unit grid of a target; None without a position or a grid."""
    if lon is None or lat is None:
        return None
    own, here = locate_grid(connection, target.lon, target.lat), locate_grid(connection, lon, lat)
    return None if own is None else here is None or here.grid != own.grid


def tasks(connection: Connection, collector: str, now: int, *, after: int, limit: int) -> list[dict[str, Any]]:
    """What a collector has still to look at in campaigns that run, by key above a key."""
    values = {"collector": collector, "now": now, "after": after, "limit": limit}
    return [
        {
            "id": row.id, "campaign": row.campaign, "campaign_name": row.campaign_name, "subject": row.subject,
            "name": row.name, "lon": row.lon, "lat": row.lat, "ends_at": rfc3339(row.ends_at),
        }
        for row in connection.execute(_TASKS, values)
    ]  # fmt: skip
