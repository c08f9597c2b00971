"""Looks through the cameras 视频巡查: which camera is due, each look logged, coverage of a period.

A look is one row that stays as it is. The round is ordered by what waits longest: never looked through first, then by
due time. Cameras are imported (`appliance/places/cameras.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, bindparam, text

from appliance.clock import DAY, rfc3339
from appliance.errors import FieldError, Invalid, NotFound
from appliance.nearest import nearest
from appliance.patrols.coverage import coverage
from appliance.patrols.rounds import interval, round_of
from appliance.people import shift_log
from appliance.records.spatial import boxes, meets_view
from appliance.records.sql import Spelt
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

FOUND = ("nothing", "problem")
NOTE_AT_MOST = 1000
PERIOD_AT_MOST = 31 * DAY
GAPS_SHOWN = 20
CAMERAS_AT_MOST = 100_000

_COLUMNS = "c.code, c.name, c.street_class, c.url, c.lon, c.lat"
_LAST = "(SELECT max(l.at) FROM camera_look l WHERE l.camera = c.code) AS looked_at"
_CAMERAS = text(f"SELECT {_COLUMNS}, {_LAST} FROM camera c")  # noqa: S608
_PAGE = text(f"SELECT {_COLUMNS}, {_LAST} FROM camera c WHERE c.code > :after ORDER BY c.code LIMIT :limit")  # noqa: S608
_IN_BOX = Spelt(
    lambda dialect: (
        f"SELECT {_COLUMNS}, {_LAST} FROM {boxes(dialect, 'camera')} CROSS JOIN camera c ON c.id = i.pkid "  # noqa: S608
        f"WHERE {meets_view(dialect)} ORDER BY c.code LIMIT :limit"
    )
)
_ONE = text(f"SELECT {_COLUMNS}, {_LAST} FROM camera c WHERE c.code = :code")  # noqa: S608
_CASE = text("SELECT camera FROM cases WHERE number = :number")
_LOOK = text(
    "INSERT INTO camera_look (camera, account, shift_id, at, found, note, number) "
    "VALUES (:camera, :account, :shift_id, :at, :found, :note, :number) RETURNING id"
)
_LOOKS = text(
    "SELECT l.id, l.camera, l.account, a.name, l.at, l.found, l.note, l.number FROM camera_look l "
    "LEFT JOIN account a ON a.account = l.account WHERE l.camera = :camera AND l.at < :before "
    "ORDER BY l.at DESC LIMIT :limit"
)
_TIMES = text(
    "SELECT camera, at FROM camera_look WHERE camera IN :cameras AND at >= :start AND at < :end ORDER BY camera, at"
).bindparams(bindparam("cameras", expanding=True))
_BEFORE = text(
    "SELECT camera, max(at) AS at FROM camera_look WHERE camera IN :cameras AND at < :start GROUP BY camera"
).bindparams(bindparam("cameras", expanding=True))


def cameras_page(connection: Connection, office: Office, *, after: str, limit: int) -> list[dict[str, Any]]:
    """Cameras by code, above a code."""
    rows = connection.execute(_PAGE, {"after": after, "limit": limit}).mappings()
    return [_view(row, office) for row in rows]


def cameras_in_box(connection: Connection, office: Office, box: dict[str, float], limit: int) -> list[dict[str, Any]]:
    """Cameras in a box of west, south, east and north, with their last look."""
    rows = connection.execute(_IN_BOX.on(connection), {**box, "limit": limit}).mappings()
    return [_view(row, office) for row in rows]


def the_round(
    connection: Connection, office: Office, *, street_class: str | None, everything: bool, limit: int
) -> dict[str, Any]:
    """The cameras to look through now, the longest waiting first, and how many there are.

    Args:
        street_class: only this class, by the name of the table of rounds.
        everything: also the ones whose time has not come.
    """
    now = office.records.clock.now()
    found = [_view(row, office) for row in connection.execute(_CAMERAS).mappings()]
    if street_class:
        wanted = round_of(street_class).street_class
        found = [camera for camera in found if camera["round"] == wanted]
    due = [camera for camera in found if camera["due_at"] is None or camera["due_at"] <= now]
    listed = sorted(found if everything else due, key=lambda camera: (camera["due_at"] or 0, camera["code"]))
    return {
        "at": rfc3339(now), "cameras": len(found), "due": len(due),
        "never": sum(camera["due_at"] is None for camera in found),
        "items": [told(camera) for camera in listed[:limit]],
    }  # fmt: skip


def find_camera(connection: Connection, office: Office, code: str) -> dict[str, Any]:
    """One camera.

    Raises:
        NotFound: the nearest codes and names are told.
    """
    row = connection.execute(_ONE, {"code": code}).mappings().one_or_none()
    if row is None:
        known = connection.execute(text("SELECT code || ' ' || name FROM camera")).scalars()
        near = nearest(code, known)
        raise NotFound(
            f"没有摄像头 {code}。" + (f"最接近的: {'、'.join(near)}。" if near else "请先导入: wanmi import cameras。"),
            f"There is no camera {code}."
            + (f" Nearest: {', '.join(near)}." if near else " Import them first: wanmi import cameras."),
        )
    return _view(row, office)


def look(
    unit: Unit, office: Office, actor: Actor, code: str, found: str, note: str = "", number: str | None = None
) -> dict[str, Any]:
    """Log a look through a camera; returns the camera as it is now.

    Raises:
        NotFound: no such camera. Invalid: an unknown finding, a note that is too long, a case of another camera.
    """
    camera = find_camera(unit.connection, office, code)
    if found not in FOUND:
        raise Invalid(
            f"发现须为: {'、'.join(FOUND)}。",
            f"What was found must be one of {', '.join(FOUND)}.",
            fields=(FieldError("found", "未知", "unknown", FOUND),),
        )
    if len(note) > NOTE_AT_MOST:
        raise Invalid(
            f"说明最多 {NOTE_AT_MOST} 字。",
            f"A note has at most {NOTE_AT_MOST} characters.",
            fields=(FieldError("note", "太长", "too long"),),
        )
    if number is not None:
        _check_case(unit.connection, code, number)
    shift_id = shift_log.open_shift_id(unit.connection, actor.account)
    values = {"camera": code, "account": actor.account, "shift_id": shift_id, "at": unit.now}
    unit.connection.execute(_LOOK, {**values, "found": found, "note": note.strip(), "number": number})
    told_note = " ".join(part for part in (number, note.strip()) if part)
    kind = "problem" if found == "problem" else "look"
    shift_log.append(unit, actor.account, kind, subject=code, note=told_note, shift_id=shift_id)
    return {**camera, "looked_at": unit.now, "due_at": unit.now + _interval(camera["street_class"], office)}


def looks_page(connection: Connection, office: Office, code: str, *, before: int, limit: int) -> list[dict[str, Any]]:
    """The looks through one camera newest first, before a time in microseconds (the next page's `after`).

    Raises:
        NotFound: no such camera.
    """
    find_camera(connection, office, code)
    rows = connection.execute(_LOOKS, {"camera": code, "before": before, "limit": limit}).mappings()
    return [{**row, "name": row["name"] or row["account"]} for row in rows]


def coverage_page(
    connection: Connection, office: Office, start: int, end: int, *, after: str, limit: int
) -> list[dict[str, Any]]:
    """Coverage of a period, camera by camera in the order of their codes.

    Raises:
        Invalid: the period is empty or longer than 31 days.
    """
    if not 0 < end - start <= PERIOD_AT_MOST:
        raise Invalid(
            "时段须先起后止,最长 31 天。",
            "A period ends after it begins and has at most 31 days.",
            fields=(FieldError("to", "不对", "wrong"),),
        )
    cameras = cameras_page(connection, office, after=after, limit=limit)
    values = {"cameras": [camera["code"] for camera in cameras], "start": start, "end": end}
    times: dict[str, list[int]] = {}
    for row in connection.execute(_TIMES, values):
        times.setdefault(row.camera, []).append(row.at)
    before = {row.camera: row.at for row in connection.execute(_BEFORE, values)}
    found = []
    for camera in cameras:
        code, step = camera["code"], _interval(camera["street_class"], office)
        result = coverage(times.get(code, []), start, end, step, before.get(code))
        gaps = [{"from": rfc3339(first), "to": rfc3339(last)} for first, last in result.gaps[:GAPS_SHOWN]]
        found.append(
            {
                "code": code, "name": camera["name"], "round": camera["round"], "minutes": camera["minutes"],
                **msgspec.to_builtins(result), "covered": round(result.covered, 4), "gaps": gaps,
                "more_gaps": max(len(result.gaps) - GAPS_SHOWN, 0), "longest_minutes": result.longest // 60_000_000,
            }
        )  # fmt: skip
        del found[-1]["longest"]
    return found


def told(camera: dict[str, Any]) -> dict[str, Any]:
    """A camera as it is told outside: times as texts."""
    return camera | {"looked_at": rfc3339(camera["looked_at"]), "due_at": rfc3339(camera["due_at"])}


def _view(row: Any, office: Office) -> dict[str, Any]:
    step = _interval(row["street_class"], office)
    found = round_of(row["street_class"])
    due_at = None if row["looked_at"] is None else row["looked_at"] + step
    return {**row, "round": found.street_class, "minutes": step / 60_000_000, "due_at": due_at}


def _interval(street_class: str | None, office: Office) -> int:
    return interval(street_class, office.settings.video.minutes)


def _check_case(connection: Connection, code: str, number: str) -> None:
    row = connection.execute(_CASE, {"number": number}).one_or_none()
    if row is None or row.camera != code:
        raise Invalid(
            f"案件 {number} 不是由摄像头 {code} 发现的。",
            f"Case {number} was not found through the camera {code}.",
            fields=(FieldError("case", "须是该摄像头的案件", "must be a case of this camera"),),
        )
