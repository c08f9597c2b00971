"""Emergencies: a case that the office marks as one is told to a webhook at once, and again when the mark is taken back.

Mark and message are written together: what is marked is told, and what was not marked is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.cases import columns
from appliance.cases.actions import check_version, load_case
from appliance.cases.sight import require_sight
from appliance.cases.step import Step
from appliance.errors import Conflict, FieldError, Forbidden, Invalid, NotAllowed
from appliance.messages.rules import rules
from appliance.messages.words import words_of
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

FLAG, CHANNEL = "emergency", "emergency"
MARKED, TAKEN_BACK = "emergency", "emergency_over"
MARKERS = ("shift_leader", "leader")
NOTE_AT_MOST = 2000
_DEPARTMENT = text("SELECT name, phone FROM department WHERE code = :code")
_INSERT = text(
    "INSERT INTO message (key, event, number, department, phone, channel, text, state, at, next_at, tries, detail) "
    "VALUES (:key, :event, :number, :department, :phone, :channel, :text, 'waiting', :at, :at, 0, '') "
    "ON CONFLICT (key) DO NOTHING"
)


def mark(
    unit: Unit, office: Office, actor: Actor, number: str, *, emergency: bool, note: str, version: int | None
) -> dict[str, Any]:
    """Mark a case as an emergency, or take the mark back; returns the case's row.

    Args:
        note: why; it stands in the history and is not sent.

    Raises:
        NotFound, VersionRequired, StaleVersion. Forbidden: no role that marks. Invalid: no reason.
        NotAllowed: the case has ended. Conflict: it is so already.
    """
    case, role = load_case(unit, number), _role(actor)
    require_sight(actor, case)
    check_version(case, version)
    if not note.strip() or len(note) > NOTE_AT_MOST:
        zh, en = f"须写明理由,最多 {NOTE_AT_MOST} 字", f"a reason of at most {NOTE_AT_MOST} characters is needed"
        raise Invalid(f"{zh}。", f"{en}.", fields=(FieldError("note", zh, en),))
    if emergency and not case["is_open"]:
        raise NotAllowed(
            f"案件 {number} 已经办结,不能再标为紧急。", f"Case {number} has ended and cannot become an emergency.",
            allowed=[],
        )  # fmt: skip
    if (FLAG in case["flags"].split()) is emergency:
        word = ("已经", "is already") if emergency else ("不", "is not")
        raise Conflict(f"案件 {number} {word[0]}是紧急案件。", f"Case {number} {word[1]} an emergency.")
    step = Step(unit, office, actor, case, role=role, note=note.strip())
    if emergency:
        step.flag(FLAG)
    else:
        step.unflag(FLAG)
    step.detail["emergency"] = emergency
    written = step.commit("note")
    if office.settings.messages.emergency_webhook:
        _tell(unit, office, written, MARKED if emergency else TAKEN_BACK)
    return written


def _role(actor: Actor) -> str:
    role = next((role for role in MARKERS if role in actor.roles), None)
    if role is None:
        raise Forbidden(
            f"{actor.name} 不能标记紧急案件;需要角色: {'、'.join(MARKERS)}。",
            f"{actor.name} may not mark an emergency; needed is one of the roles {', '.join(MARKERS)}.",
            needed=sorted(MARKERS),
        )
    return role


def _tell(unit: Unit, office: Office, case: dict[str, Any], event: str) -> None:
    """Write the message; an agent sends it, and tries again while it fails."""
    name, phone = _unit(unit.connection, case["department"])
    rule = next(rule for rule in rules() if rule.event == event)
    row = columns.load_by_id(unit.connection, case["id"]) | {"case_id": case["id"]}
    words = words_of(unit.connection, office.settings, rule, row, department=name, due=case["handle_due_at"])
    values = {
        "key": f"{event}:{case['number']}/{case['version']}:{CHANNEL}", "event": event, "number": case["number"],
        "department": case["department"] or "", "phone": phone, "channel": CHANNEL, "text": words, "at": unit.now,
    }  # fmt: skip
    unit.connection.execute(_INSERT, values)


def _unit(connection: Connection, code: str | None) -> tuple[str, str]:
    """Name and phone of the case's unit; `—` where it has none yet."""
    row = None if code is None else connection.execute(_DEPARTMENT, {"code": code}).one_or_none()
    return ("—", "") if row is None else (row.name, row.phone or "")
