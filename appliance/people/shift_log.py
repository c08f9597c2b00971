"""The log of the shifts 值班日志: what happened at the desk, line by line, read-only once written.

Signing on and off, handovers, looks and calls write their own lines; others are entered by hand. Texts may name people,
so they stand here only: never in the history of a case, the feed or the chain of acts.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.errors import FieldError, Invalid
from appliance.people.actor import Actor
from appliance.records.sql import Sql
from appliance.records.writer import Unit

BY_ITSELF = ("sign_on", "sign_off", "confirm", "look", "problem", "call")
BY_HAND = ("entry", "order", "visit", "fault", "weather")
KINDS = (*BY_ITSELF, *BY_HAND)
TEXT_AT_MOST = 4000

_OPEN = Sql("SELECT id FROM shift WHERE account = :account AND ended_at IS NULL")
_APPEND = Sql(
    "INSERT INTO shift_log (at, account, shift_id, kind, subject, text) "
    "VALUES (:at, :account, :shift_id, :kind, :subject, :text)"
)
_COLUMNS = "l.id, l.at, l.account, a.name, l.shift_id, l.kind, l.subject, coalesce(h.note, l.text) AS text"
_FROM = (
    "FROM shift_log l LEFT JOIN account a ON a.account = l.account "
    "LEFT JOIN handover h ON h.id = CASE WHEN l.kind = 'sign_off' THEN CAST(l.subject AS BIGINT) END"
)


def open_shift_id(connection: Connection, account: str) -> int | None:
    """The key of the shift an account is signed on to."""
    found: int | None = _OPEN.value(connection, {"account": account})
    return found


def append(unit: Unit, account: str, kind: str, *, subject: str = "", note: str = "", shift_id: int | None) -> None:
    """Append a line.

    Args:
        kind: one of `KINDS`.
        subject: what it is about: a camera's code, a call's or handover's key; never a name or number of a person.
    """
    values = {"at": unit.now, "account": account, "shift_id": shift_id, "kind": kind, "subject": subject, "text": note}
    _APPEND.run(unit.connection, values)


def enter(unit: Unit, actor: Actor, kind: str, note: str) -> None:
    """A line by hand.

    Raises:
        Invalid: a kind that is not for hands, or no text, or too much of it.
    """
    if kind not in BY_HAND:
        raise Invalid(
            f"日志类别须为: {'、'.join(BY_HAND)}。",
            f"The kind of an entry must be one of {', '.join(BY_HAND)}.",
            fields=(FieldError("kind", "未知类别", "unknown kind", BY_HAND),),
        )
    append(unit, actor.account, kind, note=checked_text(note), shift_id=open_shift_id(unit.connection, actor.account))


def checked_text(note: str, name: str = "text") -> str:
    """A text that is there and fits.

    Raises:
        Invalid: empty or too long; the field is named.
    """
    if not note.strip() or len(note) > TEXT_AT_MOST:
        raise Invalid(
            f"{name} 须填写,最多 {TEXT_AT_MOST} 字。",
            f"{name} must be given, at most {TEXT_AT_MOST} characters.",
            fields=(FieldError(name, f"1 到 {TEXT_AT_MOST} 字", f"1 to {TEXT_AT_MOST} characters"),),
        )
    return note.strip()


def page(
    connection: Connection, *, before: int, limit: int, kind: str | None = None, shift_id: int | None = None
) -> list[dict[str, Any]]:
    """Lines newest first, below a key; of one kind or one shift where given."""
    wanted = {"kind": kind, "shift_id": shift_id}
    conditions = ["l.id < :before", *(f"l.{name} = :{name}" for name, value in wanted.items() if value is not None)]
    statement = text(f"SELECT {_COLUMNS} {_FROM} WHERE {' AND '.join(conditions)} ORDER BY l.id DESC LIMIT :limit")
    rows = connection.execute(statement, {**wanted, "before": before, "limit": limit}).mappings()
    return [{**row, "name": row["name"] or row["account"], "at": rfc3339(row["at"])} for row in rows]
