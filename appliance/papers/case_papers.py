"""The rectification notice 整改通知 and the supervision letter 督办函: what is filled in from a case.

Nobody who reported stands on them: of what the public told, class and place are named, and not its words; the query
code is the reporter's, so the QR code is the case's number.
"""

from __future__ import annotations

import base64
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection

from appliance.cases import columns
from appliance.cases.evidence import path_of
from appliance.cases.listing import find_case, history
from appliance.cases.photo_looks import PICTURES
from appliance.clock import local, micros
from appliance.errors import FieldError, NotAllowed, NotFound
from appliance.messages.words import HIDDEN, TELEPHONE, place_of

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

PHOTOS_AT_MOST, PHOTO_PIXELS, PHOTO_QUALITY = 4, 900, 80
BEFORE = ("report", "verify", "before")
"""Stages of photos that show the place before anything was done."""
INSIDE = "inside"
NOTHING = "—"
Facts = dict[str, Any]


def notice_facts(connection: Connection, office: Office, actor: Actor, number: str) -> Facts:
    """What the notice to the unit of a dispatched case says.

    Raises:
        NotFound, Forbidden. NotAllowed: the case was never dispatched.
    """
    record = _record(connection, office, actor, number)
    if record["department"] is None:
        raise NotAllowed(
            f"案件 {number} 还没有派遣,没有可通知的单位;派遣后再开整改通知。",
            f"Case {number} is not dispatched, so there is no unit to notify; write the notice after its dispatch.",
            allowed=[],
        )
    dispatches = [row for row in history(connection, office, actor, number) if row["action"] == "dispatch"]
    by = dispatches[-1] if dispatches else None  # an imported case may have come without its history
    return _case_facts(connection, office, record) | {
        "dispatched_at": _time(office, by["at"] if by else record["dispatched_at"]),
        "dispatched_by": (by["actor_name"] or by["actor"]) if by else NOTHING,
        "handled": record["handled_at"] is not None,
    }  # fmt: skip


def letter_facts(connection: Connection, office: Office, actor: Actor, number: str, supervision: int) -> Facts:
    """What the letter of a supervision says.

    Raises:
        NotFound: no such case or supervision. Forbidden.
    """
    record = _record(connection, office, actor, number)
    known = {each["id"]: each for each in record["supervisions"]}
    found = known.get(supervision)
    if found is None:
        numbers = tuple(str(key) for key in known)
        raise NotFound(
            f"案件 {number} 没有督办 {supervision};现有: {'、'.join(numbers) or '无'}。",
            f"Case {number} has no supervision {supervision}; it has {', '.join(numbers) or 'none'}.",
            fields=(FieldError("supervision", "没有", "none", numbers),),
        )
    return _case_facts(connection, office, record) | {
        "supervision": found["id"], "by": found["by"], "note": TELEPHONE.sub(HIDDEN, found["note"]),
        "supervised_at": _time(office, found["at"]), "answer_due_at": _time(office, found["due_at"]),
        "answered_at": _time(office, found["answered_at"]), "state": office.workflow.states[record["state"]].chinese,
    }  # fmt: skip


def _record(connection: Connection, office: Office, actor: Actor, number: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(find_case(connection, office, actor, number))
    return found


def _case_facts(connection: Connection, office: Office, record: dict[str, Any]) -> Facts:
    """What stands on every paper of a case."""
    settings, now = office.settings, office.records.clock.now()
    row = columns.load(connection, record["number"]) or {}
    units = [office.departments.get(code, code) for code in (record["department"], record["sub_unit"]) if code]
    duty = office.duties.find(record["code"], record["grid"], f"{local(now, settings.zone):%Y-%m-%d}")
    limit = record["limit"]
    return {
        "county": settings.name or settings.county, "number": record["number"], "today": _day(office, now),
        "year": local(now, settings.zone).year, "units": units, "unit": units[0] if units else NOTHING,
        "name": record["name"], "code": record["code"], "edition": record["edition"], "condition": record["condition"],
        "place": place_of(connection, row | {"case_id": row["id"]}) or NOTHING,
        "description": TELEPHONE.sub(HIDDEN, record["description"]) if record["channel"] == INSIDE else "",
        "position": f"{record['lon']:.6f}, {record['lat']:.6f}", "grid": record["grid"] or NOTHING,
        "part": record["part"], "limit": f"{limit['value']:g} {limit['unit']}" if limit else NOTHING,
        "due_at": _time(office, record["handle_due_at"]), "filed_at": _time(office, record["filed_at"]),
        "basis": duty.basis if duty is not None else "", "rework": record["rework"],
        "photos": _photos(office, record["evidence"]), "qr": _qr(record["number"]),
    }  # fmt: skip


def _photos(office: Office, evidence: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Pictures of before that may be shared, small and without what the camera wrote into them."""
    shown: list[dict[str, str]] = []
    for file in evidence:
        if file["share"] and file["stage"] in BEFORE and file["type"] in PICTURES and len(shown) < PHOTOS_AT_MOST:
            picture = _picture(office, file["sha256"])
            if picture is not None:
                shown.append({"data": picture, "taken_at": _time(office, file["taken_at"])})
    return shown


def _picture(office: Office, sha256: str) -> str | None:
    from PIL import Image, ImageOps

    written = BytesIO()
    try:
        with Image.open(path_of(office.records.home, sha256)) as opened:
            opened.draft("RGB", (PHOTO_PIXELS, PHOTO_PIXELS))
            picture = ImageOps.exif_transpose(opened).convert("RGB")
            picture.thumbnail((PHOTO_PIXELS, PHOTO_PIXELS))
            picture.save(written, "JPEG", quality=PHOTO_QUALITY)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"


def _qr(content: str) -> str:
    """A QR code as a picture inside of the page."""
    import segno

    return str(segno.make(content, error="m", micro=False).svg_data_uri(scale=4, border=2))


def _day(office: Office, at: int) -> str:
    day = local(at, office.settings.zone)
    return f"{day.year}年{day.month}月{day.day}日"


def _time(office: Office, value: str | None) -> str:
    if not value:
        return NOTHING
    at = micros(datetime.fromisoformat(value))
    return f"{_day(office, at)} {local(at, office.settings.zone):%H:%M}"
