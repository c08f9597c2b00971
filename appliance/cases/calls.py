"""Telephone calls at a seat: rung by the telephone system, answered, and linked to the case that came of them.

Calls hold a person's number, so they are kept for a set number of days only, and are for the roles that see reporters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.clock import DAY, HOUR, rfc3339
from appliance.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from appliance.people import shift_log
from appliance.records.sql import Sql
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

LINKED_WITHIN = 4 * HOUR
"""A case registered so long after a call of the same number at the same seat came of that call."""

_COLUMNS = (
    "c.id, c.number, c.seat, a.name AS seat_name, c.recording, c.at, c.answered_at, c.answered_by, "
    'c.case_number AS "case"'
)
_FROM = "FROM seat_call c LEFT JOIN account a ON a.account = c.seat"
_INSERT = text(
    "INSERT INTO seat_call (number, seat, recording, at) VALUES (:number, :seat, :recording, :at) RETURNING id"
)
_ONE = text(f"SELECT {_COLUMNS} {_FROM} WHERE c.id = :id")
_LAST = text(f"SELECT {_COLUMNS} {_FROM} WHERE c.seat = :seat ORDER BY c.id DESC LIMIT 1")
_FORGET = text("DELETE FROM seat_call WHERE at < :before AND id < (SELECT max(id) FROM seat_call)")
_BLANK = text("UPDATE seat_call SET number = '', recording = NULL WHERE at < :before")
_ANSWER = text(
    "UPDATE seat_call SET answered_at = coalesce(answered_at, :now), answered_by = coalesce(answered_by, :account), "
    "case_number = coalesce(:case, case_number) WHERE id = :id"
)
_CASE = text("SELECT 1 FROM cases WHERE number = :number")
_SHIFT = text("SELECT account, started_at, ended_at FROM shift WHERE id = :id")
_LATEST_OF_CALLER = Sql(
    "SELECT id, at, case_number FROM seat_call WHERE seat = :seat AND number = :number ORDER BY id DESC LIMIT 1"
)


def ring(unit: Unit, office: Office, number: str, seat: str, recording: str | None) -> dict[str, Any]:
    """A call rings at a seat; calls that are older than the county keeps them are forgotten."""
    values = {"number": number, "seat": seat, "recording": recording, "at": unit.now}
    key = unit.connection.execute(_INSERT, values).scalar_one()
    forget(unit, office)
    shift_id = shift_log.open_shift_id(unit.connection, seat)
    shift_log.append(unit, seat, "call", subject=str(key), shift_id=shift_id)
    return find_call(unit.connection, key)


def find_call(connection: Connection, call_id: int) -> dict[str, Any]:
    """One call.

    Raises:
        NotFound: never rung, or forgotten.
    """
    row = connection.execute(_ONE, {"id": call_id}).mappings().one_or_none()
    if row is None:
        raise NotFound(f"没有来电 {call_id},或已过保存期。", f"There is no call {call_id}, or it is kept no longer.")
    return dict(row)


def last_call(connection: Connection, seat: str) -> dict[str, Any]:
    """The newest call at a seat.

    Raises:
        NotFound: none yet.
    """
    row = connection.execute(_LAST, {"seat": seat}).mappings().one_or_none()
    if row is None:
        raise NotFound("这个坐席还没有来电。", "No call has rung at this seat yet.")
    return dict(row)


def answer(unit: Unit, actor: Actor, call_id: int, number: str | None) -> dict[str, Any]:
    """Note that a call was answered, and which case came of it; at one's own seat, or as a shift leader or device.

    Raises:
        NotFound, Forbidden. Invalid: no such case. Conflict: another case stands there already.
    """
    call = find_call(unit.connection, call_id)
    if call["seat"] != actor.account and actor.roles.isdisjoint(("shift_leader", "device")):
        raise Forbidden("只能处理自己坐席的来电。", "One answers the calls of one's own seat.")
    if number is not None and unit.connection.execute(_CASE, {"number": number}).one_or_none() is None:
        raise Invalid(
            f"没有案件 {number}。",
            f"There is no case {number}.",
            fields=(FieldError("case", f"没有案件 {number}", f"no case {number}"),),
        )
    if number is not None and call["case"] not in (None, number):
        raise Conflict(
            f"来电 {call_id} 已对应案件 {call['case']}。", f"Call {call_id} belongs to case {call['case']} already."
        )
    values = {"now": unit.now, "account": actor.account, "case": number, "id": call_id}
    unit.connection.execute(_ANSWER, values)
    return find_call(unit.connection, call_id)


def link_case(unit: Unit, seat: str, phone: str, number: str) -> None:
    """A case was registered at a seat for a caller: the caller's latest call there, if fresh, led to it."""
    row = _LATEST_OF_CALLER.row(unit.connection, {"seat": seat, "number": phone})
    if row is not None and row[2] is None and row[1] >= unit.now - LINKED_WITHIN:
        unit.connection.execute(_ANSWER, {"now": unit.now, "account": seat, "case": number, "id": row[0]})


def calls_page(
    connection: Connection, *, before: int, limit: int, seat: str | None, shift_id: int | None, unanswered: bool
) -> list[dict[str, Any]]:
    """Calls newest first, below a key: of a seat, of a shift (its seat while it ran), or only the unanswered ones.

    Raises:
        NotFound: no such shift.
    """
    conditions, values = ["c.id < :before"], {"before": before, "limit": limit, "seat": seat}
    if shift_id is not None:
        shift = connection.execute(_SHIFT, {"id": shift_id}).one_or_none()
        if shift is None:
            raise NotFound(f"没有值班 {shift_id}。", f"There is no shift {shift_id}.")
        conditions.append("c.at >= :start AND c.at <= :end")
        values |= {"seat": shift.account, "start": shift.started_at, "end": shift.ended_at or 2**62}
    if values["seat"] is not None:
        conditions.append("c.seat = :seat")
    if unanswered:
        conditions.append("c.answered_at IS NULL")
    statement = text(f"SELECT {_COLUMNS} {_FROM} WHERE {' AND '.join(conditions)} ORDER BY c.id DESC LIMIT :limit")
    return [dict(row) for row in connection.execute(statement, values).mappings()]


def told(call: dict[str, Any]) -> dict[str, Any]:
    """A call as it is told outside: times as texts."""
    return call | {"at": rfc3339(call["at"]), "answered_at": rfc3339(call["answered_at"])}


def forget(unit: Unit, office: Office) -> int:
    """Forget the calls that are older than the county keeps them, and answer how many.

    The newest row stays without its number, because a key that was free again would be given a second time.
    """
    before = {"before": unit.now - round(office.settings.shifts.calls_kept_days * DAY)}
    unit.connection.execute(_BLANK, before)
    return int(unit.connection.execute(_FORGET, before).rowcount)


def forget_calls(office: Office) -> dict[str, Any]:
    """The job: forget the calls that are older than the county keeps them."""
    return {"forgotten": office.records.write(lambda unit: forget(unit, office))}
