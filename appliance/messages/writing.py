"""Writes the messages: looks through the change feed and the due times from where it stopped, in one transaction.

Nothing of before the channel was switched on is told; after a stop of the node what happened meanwhile is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.clock import local
from appliance.messages.rules import OVERDUE, Rule, rules
from appliance.records.feed import last_seq
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office

AT_ONCE = 200
TIME = "%m-%d %H:%M"
_CURSOR = text("SELECT seq, due FROM message_cursor WHERE id = 1")
_BEGIN = text("INSERT INTO message_cursor (id, seq, due) VALUES (1, :seq, :due)")
_MOVE = text("UPDATE message_cursor SET seq = :seq, due = :due WHERE id = 1")
_NEWS = text("SELECT seq, id FROM change WHERE type = 'case_action' AND seq > :after ORDER BY seq LIMIT :most")
_ACTION = text(
    "SELECT c.number, c.code, c.name, c.address, c.department, a.action, a.due_at, c.handle_due_at "
    "FROM case_action a JOIN cases c ON c.id = a.case_id WHERE a.number = :number AND a.seq = :seq"
)
_LATE = text(
    "SELECT number, code, name, address, department, due_at, handle_due_at "
    "FROM cases INDEXED BY ix_cases_due_at WHERE is_open AND due_at > :after AND due_at <= :now AND clock = 'handle' "
    "AND department IS NOT NULL ORDER BY due_at LIMIT :most"
)
_DEPARTMENT = text("SELECT name, phone FROM department WHERE code = :code")
_INSERT = text(
    "INSERT INTO message (key, event, number, department, phone, channel, text, state, at, next_at, tries, detail) "
    "VALUES (:key, :event, :number, :department, :phone, :channel, :text, :state, :at, :at, 0, '') "
    "ON CONFLICT (key) DO NOTHING"
)


def something_to_tell(connection: Connection, office: Office, now: int) -> bool:
    """Whether `write_messages` has anything to do; a look at two numbers and at most one index."""
    if not office.settings.messages.channels:
        return False
    cursor = connection.execute(_CURSOR).one_or_none()
    if cursor is None or last_seq(connection) > cursor.seq:
        return True
    return connection.execute(_LATE, {"after": cursor.due, "now": now, "most": 1}).first() is not None


def write_messages(unit: Unit, office: Office) -> int:
    """Write what is to be told since the last time; returns how many messages, at most a few hundred a call."""
    connection, settings = unit.connection, office.settings.messages
    cursor = connection.execute(_CURSOR).one_or_none()
    if cursor is None:
        connection.execute(_BEGIN, {"seq": last_seq(connection), "due": unit.now})
        return 0
    by_action = {action: rule for rule in rules() if rule.event in settings.events for action in rule.actions}
    news = connection.execute(_NEWS, {"after": cursor.seq, "most": AT_ONCE}).all()
    written = 0
    for row in news:
        number, _, seq = row.id.partition("/")
        found = connection.execute(_ACTION, {"number": number, "seq": int(seq)}).mappings().one_or_none()
        rule = None if found is None else by_action.get(found["action"])
        if found is not None and rule is not None and found["department"]:
            written += _write(unit, office, rule, found, row.id)
    late, due = _late(unit, office, cursor.due)
    seq = news[-1].seq if len(news) == AT_ONCE else max(last_seq(connection), cursor.seq)
    connection.execute(_MOVE, {"seq": seq, "due": due})
    return written + late


def _late(unit: Unit, office: Office, after: int) -> tuple[int, int]:
    """Messages of the cases whose handling limit passed, and how far the due times were looked through."""
    rule = next(rule for rule in rules() if rule.event == OVERDUE)
    if OVERDUE not in office.settings.messages.events:
        return 0, unit.now
    rows = unit.connection.execute(_LATE, {"after": after, "now": unit.now, "most": AT_ONCE}).mappings().all()
    written = sum(_write(unit, office, rule, row, f"{row['number']}:{row['due_at']}") for row in rows)
    return written, rows[-1]["due_at"] if len(rows) == AT_ONCE else unit.now


def _write(unit: Unit, office: Office, rule: Rule, case: Any, event_key: str) -> int:
    connection, settings = unit.connection, office.settings
    department = connection.execute(_DEPARTMENT, {"code": case["department"]}).one_or_none()
    name, phone = ("", "") if department is None else (department.name, department.phone or "")
    due = case["due_at"] or case["handle_due_at"]
    words = rule.words(settings.language, settings.messages.texts).format(
        county=settings.name, number=case["number"], name=case["name"] or case["code"],
        place=case["address"] or "", due="" if due is None else local(due, settings.zone).strftime(TIME),
        department=name,
    )  # fmt: skip
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
