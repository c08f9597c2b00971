"""The messages that wait, what became of them, and the ledger of all; who sends them is the device agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, text

from appliance.clock import DAY, MINUTE, rfc3339
from appliance.errors import NotFound
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office

AT_ONCE = 5
LEASE = 10 * MINUTE
"""So long an agent has for what it took; a message that is told of later is sent by another one meanwhile."""
FIRST_PAUSE, LONGEST_PAUSE = MINUTE, 60 * MINUTE
DETAIL_AT_MOST = 300
_COLUMNS = (
    'm.id, m.event, m.number AS "case", m.department, coalesce(d.name, m.department) AS department_name, m.phone, '
    "m.channel, m.text, m.state, m.at, m.tries, m.sent_at, m.detail"
)
_FROM = "FROM message m LEFT JOIN department d ON d.code = m.department"
_TAKE = text("UPDATE message SET next_at = :until WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
_OF_CHANNELS = text(
    f"SELECT {_COLUMNS} {_FROM} WHERE m.state = 'waiting' AND m.next_at <= :now AND m.channel IN :channels "
    "ORDER BY m.next_at, m.id LIMIT :most"
).bindparams(bindparam("channels", expanding=True))
_WAITING = text(
    f"SELECT {_COLUMNS} {_FROM} WHERE m.state = 'waiting' AND m.next_at <= :now ORDER BY m.next_at, m.id LIMIT :most"
)
_PAGE = text(f"SELECT {_COLUMNS} {_FROM} WHERE m.id < :before ORDER BY m.id DESC LIMIT :limit")
_ONE = text(f"SELECT {_COLUMNS} {_FROM} WHERE m.id = :id")
_RESULT = text(
    "UPDATE message SET state = :state, tries = tries + 1, next_at = :next_at, sent_at = :sent_at, detail = :detail "
    "WHERE id = :id AND state = 'waiting'"
)
_FORGET = text("DELETE FROM message WHERE at < :before")
_COUNTS = text(
    "SELECT 'waiting' AS state, count(*) AS number FROM message WHERE state = 'waiting' UNION ALL "
    "SELECT state, count(*) FROM message WHERE at >= :since AND state NOT IN ('waiting', 'sent') GROUP BY state"
)


def waiting_messages(connection: Connection, now: int) -> list[dict[str, Any]]:
    """What is to be sent now, the longest waiting first."""
    return [_told(row) for row in connection.execute(_WAITING, {"now": now, "most": AT_ONCE}).mappings()]


def take_messages(unit: Unit, channels: Sequence[str]) -> list[dict[str, Any]]:
    """Hand messages of these channels to one agent, for as long as it may take to send them; then they wait again."""
    values = {"now": unit.now, "channels": list(channels), "most": AT_ONCE}
    rows = [_told(row) for row in unit.connection.execute(_OF_CHANNELS, values).mappings()] if channels else []
    if rows:
        unit.connection.execute(_TAKE, {"until": unit.now + LEASE, "ids": [row["id"] for row in rows]})
    return rows


def messages_page(connection: Connection, *, before: int, limit: int) -> list[dict[str, Any]]:
    """The ledger, newest first, below a key."""
    return [_told(row) for row in connection.execute(_PAGE, {"before": before, "limit": limit}).mappings()]


def result(unit: Unit, office: Office, message_id: int, ok: bool, detail: str) -> dict[str, Any]:
    """What became of a message. One that failed is tried again after a pause that doubles, so many times as is set.

    Raises:
        NotFound: no such message.
    """
    row = unit.connection.execute(_ONE, {"id": message_id}).mappings().one_or_none()
    if row is None:
        raise NotFound(f"没有消息 {message_id}。", f"There is no message {message_id}.")
    given_up = row["tries"] + 1 >= office.settings.messages.tries
    values = {
        "id": message_id, "detail": detail[:DETAIL_AT_MOST], "sent_at": unit.now if ok else None,
        "state": "sent" if ok else "given_up" if given_up else "waiting",
        "next_at": unit.now + min(FIRST_PAUSE * 2 ** row["tries"], LONGEST_PAUSE),
    }  # fmt: skip
    unit.connection.execute(_RESULT, values)
    return _told(unit.connection.execute(_ONE, {"id": message_id}).mappings().one())


def counts(connection: Connection, now: int) -> dict[str, int]:
    """How many wait, and how many were not sent in the last day, by state."""
    return {row.state: row.number for row in connection.execute(_COUNTS, {"since": now - DAY})}


def forget_messages(office: Office) -> dict[str, Any]:
    """The job: forget the messages that are older than the county keeps them."""

    def work(unit: Unit) -> int:
        before = unit.now - round(office.settings.messages.kept_days * DAY)
        return int(unit.connection.execute(_FORGET, {"before": before}).rowcount)

    return {"forgotten": office.records.write(work)}


def _told(row: Any) -> dict[str, Any]:
    return {**row, "at": rfc3339(row["at"]), "sent_at": rfc3339(row["sent_at"])}
