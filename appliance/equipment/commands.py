"""Commands to devices: handed in by a person, fetched and answered by the device agent, kept as a ledger.

A command that no agent fetched within its time is answered by the clock: brightness of an hour ago helps nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, text

from appliance.clock import DAY, MINUTE, rfc3339
from appliance.errors import Conflict, FieldError, Invalid, NotFound
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

LIFE = 2 * MINUTE
WAITING_AT_MOST = 200
TEXT_AT_MOST = 2000
NAME_AT_MOST = 40
_COLUMNS = (
    "c.id, c.device, c.action, c.value, c.account, coalesce(a.name, c.account) AS name, c.at, c.answered_at, c.ok, "
    "c.answer, c.zh, c.en"
)
_FROM = "FROM device_command c LEFT JOIN account a ON a.account = c.account"
_ONE = text(f"SELECT {_COLUMNS} {_FROM} WHERE c.id = :id")
_PAGE = text(f"SELECT {_COLUMNS} {_FROM} WHERE c.id < :before ORDER BY c.id DESC LIMIT :limit")
_WAITING = text(f"SELECT {_COLUMNS} {_FROM} WHERE c.answered_at IS NULL AND c.at >= :since ORDER BY c.id")
_COUNT = text("SELECT count(*) FROM device_command WHERE answered_at IS NULL AND at >= :since")
_INSERT = text(
    "INSERT INTO device_command (device, action, value, account, at, zh, en) "
    "VALUES (:device, :action, :value, :account, :at, '', '') RETURNING id"
)
_ANSWER = text(
    "UPDATE device_command SET answered_at = :now, ok = :ok, answer = :answer, zh = :zh, en = :en "
    "WHERE id = :id AND answered_at IS NULL"
)
_FORGET = text("DELETE FROM device_command WHERE at < :before AND id < (SELECT max(id) FROM device_command)")
_LAPSE = text(
    "UPDATE device_command SET answered_at = :now, ok = false, zh = :zh, en = :en "
    "WHERE answered_at IS NULL AND at < :since"
)
_OLD = text("SELECT 1 FROM device_command WHERE answered_at IS NULL AND at < :since LIMIT 1")
NOBODY_ZH = "设备代理没有运行,命令已作废。"
NOBODY_EN = "No device agent runs; the command lapsed."


def command(unit: Unit, actor: Actor, device: str, action: str, value: str | None) -> dict[str, Any]:
    """Hand in a command; returns it.

    Raises:
        Invalid: a name or a value that is too long. Conflict: too many commands wait already.
    """
    for name, given, least, most in (
        ("device", device, 1, NAME_AT_MOST), ("action", action, 1, NAME_AT_MOST),
        ("value", value or "", 0, TEXT_AT_MOST),
    ):  # fmt: skip
        if not least <= len(given) <= most:
            raise Invalid(
                f"{name} 须有 {least} 到 {most} 字。",
                f"{name} has {least} to {most} characters.",
                fields=(FieldError(name, "长度不对", "wrong length"),),
            )
    lapse(unit)
    waiting = unit.connection.execute(_COUNT, {"since": unit.now - LIFE}).scalar_one()
    if waiting >= WAITING_AT_MOST:
        raise Conflict("等待执行的设备命令太多,请稍候。", "Too many commands wait for devices already; wait a little.")
    values = {"device": device, "action": action, "value": value, "account": actor.account, "at": unit.now}
    return find_command(unit.connection, unit.connection.execute(_INSERT, values).scalar_one())


def answer(unit: Unit, command_id: int, *, ok: bool, told: dict[str, Any], zh: str, en: str) -> dict[str, Any]:
    """What the agent told of a command; the first answer counts.

    Raises:
        NotFound: no such command.
    """
    find_command(unit.connection, command_id)
    values = {"now": unit.now, "ok": ok, "answer": msgspec.json.encode(told).decode(), "zh": zh, "en": en}
    unit.connection.execute(_ANSWER, values | {"id": command_id})
    return find_command(unit.connection, command_id)


def without_message(command: dict[str, Any]) -> dict[str, Any]:
    """The command as those see it who may not read a text message: who was written to, and what, is left out."""
    if command["action"] != "sms":
        return command
    return command | {"value": None, "answer": None}


def forget_commands(office: Office) -> dict[str, Any]:
    """The job: forget the commands that are older than messages are kept."""

    def work(unit: Unit) -> int:
        before = unit.now - round(office.settings.messages.kept_days * DAY)
        return int(unit.connection.execute(_FORGET, {"before": before}).rowcount)

    return {"forgotten": office.records.write(work)}


def lapse(unit: Unit) -> int:
    """Answer what nobody fetched in time, and say how many."""
    values = {"now": unit.now, "since": unit.now - LIFE, "zh": NOBODY_ZH, "en": NOBODY_EN}
    return int(unit.connection.execute(_LAPSE, values).rowcount)


def some_lapsed(connection: Connection, now: int) -> bool:
    """Whether `lapse` has anything to do."""
    return connection.execute(_OLD, {"since": now - LIFE}).first() is not None


def find_command(connection: Connection, command_id: int) -> dict[str, Any]:
    """One command.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(_ONE, {"id": command_id}).mappings().one_or_none()
    if row is None:
        raise NotFound(f"没有设备命令 {command_id}。", f"There is no device command {command_id}.")
    return _told(row)


def waiting_commands(connection: Connection, now: int) -> list[dict[str, Any]]:
    """What the agent is to do, oldest first."""
    return [_told(row) for row in connection.execute(_WAITING, {"since": now - LIFE}).mappings()]


def commands_page(connection: Connection, *, before: int, limit: int) -> list[dict[str, Any]]:
    """The ledger, newest first, below a key."""
    return [_told(row) for row in connection.execute(_PAGE, {"before": before, "limit": limit}).mappings()]


def _told(row: Any) -> dict[str, Any]:
    found = dict(row)
    answered = found["answer"]
    found["answer"] = msgspec.json.decode(answered) if isinstance(answered, str | bytes) else answered
    found["ok"] = None if found["ok"] is None else bool(found["ok"])
    return found | {"at": rfc3339(found["at"]), "answered_at": rfc3339(found["answered_at"])}
