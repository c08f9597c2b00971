"""Writes the messages: looks through the change feed and the due times from where it stopped, in one transaction.

Nothing of before the channel was switched on is told; after a stop of the node what happened meanwhile is, as far as it
still holds: not a dispatch that was taken back, not a case that is closed, void or merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, text

from appliance.messages.rules import OVERDUE, Rule, rules
from appliance.messages.words import words_of
from appliance.records.feed import last_seq
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office

AT_ONCE = 200
"""So many rows of the feed, and cases that became overdue, a call; more of those only where they share a due time."""

MOVES_DUE = frozenset(("amend", "extend", "recompute"))
"""Actions that may set a due time which has passed already."""

_CURSOR = text("SELECT seq, due FROM message_cursor WHERE id = 1")
_BEGIN = text("INSERT INTO message_cursor (id, seq, due) VALUES (1, :seq, :due)")
_MOVE = text("UPDATE message_cursor SET seq = :seq, due = :due WHERE id = 1")
_END = text("DELETE FROM message_cursor")
_DROP_WAITING = text(
    "UPDATE message SET state = 'given_up', detail = :detail WHERE state = 'waiting' AND channel <> 'emergency'"
)
_NEWS = text("SELECT seq, id, at FROM change WHERE type = 'case_action' AND seq > :after ORDER BY seq LIMIT :most")
_CASE = (
    "c.id AS case_id, c.number, c.code, c.name, c.address, c.street, c.community, c.department, c.is_open, c.clock, "
    "c.due_at, c.handle_due_at"
)
_ACTION = text(
    f"SELECT {_CASE}, a.action, a.detail, a.at "  # noqa: S608  # columns of our own
    "FROM cases c JOIN case_action a ON a.case_id = c.id AND a.seq = :seq WHERE c.number = :number"
)
_SUPERVISION = text("SELECT due_at FROM supervision WHERE id = :id AND answered_at IS NULL AND cleared_at IS NULL")
_IS_LATE = (
    "FROM cases c INDEXED BY ix_cases_due_at WHERE c.is_open AND c.due_at > :after AND c.due_at <= :upto "
    "AND c.clock = 'handle' AND c.department IS NOT NULL ORDER BY c.due_at"
)
_LATE_AFTER = text(f"SELECT c.due_at {_IS_LATE} LIMIT 1 OFFSET :skip")
_LATE = text(f"SELECT {_CASE} {_IS_LATE}")
_DEPARTMENT = text("SELECT name, phone FROM department WHERE code = :code")
_INSERT = text(
    "INSERT INTO message (key, event, number, department, phone, channel, text, state, at, next_at, tries, detail) "
    "VALUES (:key, :event, :number, :department, :phone, :channel, :text, :state, :at, :at, 0, '') "
    "ON CONFLICT (key) DO NOTHING"
)
SWITCHED_OFF = "channel switched off"


def something_to_tell(connection: Connection, office: Office, now: int) -> bool:
    """Whether `write_messages` has anything to do; a look at two numbers and at most one index."""
    cursor = connection.execute(_CURSOR).one_or_none()
    if not office.settings.messages.channels:
        return cursor is not None
    if cursor is None or last_seq(connection) > cursor.seq:
        return True
    return _due_time_after(connection, cursor.due, now, skip=0) is not None


def write_messages(unit: Unit, office: Office) -> int:
    """Write what is to be told since the last time; returns how many messages, of some hundred events a call.

    Where no channel is switched on any more, what was looked through is forgotten: the next one begins from its own
    beginning.
    """
    connection, settings = unit.connection, office.settings.messages
    if not settings.channels:
        connection.execute(_END)
        connection.execute(_DROP_WAITING, {"detail": SWITCHED_OFF})
        return 0
    cursor = connection.execute(_CURSOR).one_or_none()
    if cursor is None:
        connection.execute(_BEGIN, {"seq": last_seq(connection), "due": unit.now})
        return 0
    news = connection.execute(_NEWS, {"after": cursor.seq, "most": AT_ONCE}).all()
    written = sum(_tell_of(unit, office, row, cursor.due) for row in news)
    upto = _due_time_after(connection, cursor.due, unit.now, skip=AT_ONCE - 1) or unit.now
    for case in connection.execute(_LATE, {"after": cursor.due, "upto": upto}).mappings().all():
        written += _tell_overdue(unit, office, case)
    seq = news[-1].seq if len(news) == AT_ONCE else max(last_seq(connection), cursor.seq)
    connection.execute(_MOVE, {"seq": seq, "due": upto})
    return written


def _due_time_after(connection: Connection, after: int, now: int, *, skip: int) -> int | None:
    """The due time of the next case that became overdue, or of a later one; None when there are not so many."""
    values = {"after": after, "upto": now, "skip": skip}
    found: int | None = connection.execute(_LATE_AFTER, values).scalar()
    return found


def _tell_of(unit: Unit, office: Office, change: Any, looked_through: int) -> int:
    """The messages of one history row; `looked_through` is how far the due times were.

    A change that is newer than its row only tells the row again, because its case moved.
    """
    number, _, seq = change.id.partition("/")
    case = unit.connection.execute(_ACTION, {"number": number, "seq": int(seq)}).mappings().one_or_none()
    if case is None or case["at"] < change.at or not case["is_open"] or not case["department"]:
        return 0
    if case["action"] in MOVES_DUE and case["clock"] == "handle" and case["due_at"] <= looked_through:
        return _tell_overdue(unit, office, case)
    rule = next((rule for rule in rules() if case["action"] in rule.actions), None)
    if rule is None or rule.event not in office.settings.messages.events:
        return 0
    detail = case["detail"]
    facts = msgspec.json.decode(detail) if isinstance(detail, str | bytes) else detail or {}
    due = case["handle_due_at"]
    if rule.event == "supervise":
        running = unit.connection.execute(_SUPERVISION, {"id": facts["supervision"]}).one_or_none()
        if running is None:
            return 0
        due = running.due_at or due
    elif facts.get("department") != case["department"]:
        return 0
    return _write(unit, office, rule, case, due, change.id)


def _tell_overdue(unit: Unit, office: Office, case: Any) -> int:
    """The messages of a case whose handling limit passed; once for each limit."""
    if OVERDUE not in office.settings.messages.events:
        return 0
    rule = next(rule for rule in rules() if rule.event == OVERDUE)
    return _write(unit, office, rule, case, case["due_at"], f"{case['number']}:{case['due_at']}")


def _write(unit: Unit, office: Office, rule: Rule, case: Any, due: int | None, event_key: str) -> int:
    connection, settings = unit.connection, office.settings
    department = connection.execute(_DEPARTMENT, {"code": case["department"]}).one_or_none()
    name, phone = ("", "") if department is None else (department.name, department.phone or "")
    words = words_of(connection, settings, rule, case, department=name, due=due)
    written = 0
    for channel in settings.messages.channels:
        reachable = bool(phone) or channel != "sms"
        values = {
            "key": f"{rule.event}:{event_key}:{channel}", "event": rule.event, "number": case["number"],
            "department": case["department"], "phone": phone, "channel": channel, "text": words,
            "state": "waiting" if reachable else "no_phone", "at": unit.now,
        }  # fmt: skip
        written += int(connection.execute(_INSERT, values).rowcount > 0)
    return written
