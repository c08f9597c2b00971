"""The roster 排班: who is to work which turn on which day; one turn a day for each account.

Edited by the shift leader, or imported (`wanmi import roster`). A day is a county day, as an ISO text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from sqlalchemy import Connection, text

from appliance.errors import FieldError, Invalid, UnknownCode
from appliance.nearest import nearest
from appliance.people.roles import split_roles
from appliance.people.shift_turns import days_from, find_turn
from appliance.people.shifts import turn_view
from appliance.places.importing import ImportContext, Problems, Record, TableImporter, date_of, required_text
from appliance.records.acts import append_act
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

ROSTERED_ROLES = frozenset(("acceptor", "shift_leader", "dispatcher"))
DAYS_AT_MOST = 62
ENTRIES_AT_MOST = 2000
WEEK = 7
FIRST_YEAR, LAST_YEAR = 2000, 2200

_STAFF = text("SELECT account, name, roles FROM account WHERE active ORDER BY account")
_ENTRIES = text("SELECT day, account, turn FROM roster WHERE day >= :first AND day < :end ORDER BY day, account")
_PUT = text(
    "INSERT INTO roster (key, day, account, turn) VALUES (:key, :day, :account, :turn) "
    "ON CONFLICT (key) DO UPDATE SET turn = excluded.turn"
)
_REMOVE = text("DELETE FROM roster WHERE key = :key")
_REMOVE_DAYS = text("DELETE FROM roster WHERE day >= :first AND day < :end")


class Entry(msgspec.Struct, frozen=True):
    """One account on one day; `turn` None takes it off."""

    day: str
    account: str
    turn: str | None


def roster(connection: Connection, office: Office, first: date, days: int) -> dict[str, Any]:
    """The roster of some days: days, turns, the staff that may be rostered, entries.

    Raises:
        Invalid: no days, or too many.
    """
    if not 1 <= days <= DAYS_AT_MOST:
        raise Invalid(
            f"days 须在 1 到 {DAYS_AT_MOST} 之间。",
            f"days must be between 1 and {DAYS_AT_MOST}.",
            fields=(FieldError("days", "超出范围", "out of range"),),
        )
    listed = list(days_from(first, days))
    end = (first + timedelta(days=days)).isoformat()
    staff = [{"account": key, "name": name} for key, name in rostered_staff(connection).items()]
    rows = connection.execute(_ENTRIES, {"first": listed[0], "end": end}).mappings()
    turns = [turn_view(turn) for turn in office.settings.shifts.turns]
    return {"days": listed, "turns": turns, "staff": staff, "entries": [dict(row) for row in rows]}


def save(unit: Unit, office: Office, actor: Actor, entries: list[Entry]) -> int:
    """Write entries, all or none; returns how many there were.

    Raises:
        UnknownCode: an account that is not at the desk, or a turn the county does not have. Invalid: not a day.
    """
    staff = rostered_staff(unit.connection)
    for entry in entries:
        day = checked_day(entry.day).isoformat()
        if entry.account not in staff:
            raise unknown_account(entry.account, staff)
        key = f"{day}:{entry.account}"
        if entry.turn is None:
            unit.connection.execute(_REMOVE, {"key": key})
        else:
            turn = find_turn(office.settings.shifts.turns, entry.turn)
            unit.connection.execute(_PUT, {"key": key, "day": day, "account": entry.account, "turn": turn.key})
    days = sorted({entry.day for entry in entries})
    if days:
        append_act(unit, actor.account, "roster.save", f"{days[0]}/{days[-1]}", {"entries": len(entries)})
    return len(entries)


def copy_week(unit: Unit, actor: Actor, source: date, target: date) -> int:
    """Put the seven days from `source` in the place of the seven from `target`; accounts that ended stay out.

    Raises:
        Invalid: the weeks overlap.
    """
    if abs((target - source).days) < WEEK:
        raise Invalid(
            "两周有重叠,不能复制。",
            "The two weeks overlap, so one cannot be copied over the other.",
            fields=(FieldError("to", "与 from 重叠", "overlaps with from"),),
        )
    connection, staff = unit.connection, rostered_staff(unit.connection)
    rows = connection.execute(_ENTRIES, _week(source)).all()
    connection.execute(_REMOVE_DAYS, _week(target))
    copied = 0
    for row in rows:
        if row.account in staff:
            day = (target + (date.fromisoformat(row.day) - source)).isoformat()
            values = {"key": f"{day}:{row.account}", "day": day, "account": row.account, "turn": row.turn}
            connection.execute(_PUT, values)
            copied += 1
    append_act(unit, actor.account, "roster.copy", target.isoformat(), {"from": source.isoformat(), "entries": copied})
    return copied


def rostered_staff(connection: Connection) -> dict[str, str]:
    """Active accounts of the desk and their names."""
    rows = connection.execute(_STAFF)
    return {row.account: row.name for row in rows if not ROSTERED_ROLES.isdisjoint(split_roles(row.roles))}


def checked_day(written: str, name: str = "day") -> date:
    """A day of a request.

    Raises:
        Invalid: not YYYY-MM-DD, or of a year that no roster is kept for.
    """
    try:
        day = date.fromisoformat(written)
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Invalid(
            f"{name} 须写作 2026-10-08,年份 {FIRST_YEAR} 到 {LAST_YEAR},得到 {written[:20]}。",
            f"{name} is written 2026-10-08, with a year from {FIRST_YEAR} to {LAST_YEAR}; got {written[:20]}.",
            fields=(FieldError(name, "不是日期", "not a day"),),
        )
    return day


def unknown_account(account: str, staff: Mapping[str, str]) -> UnknownCode:
    """The refusal of an account that cannot be rostered; the nearest are named."""
    near = nearest(account, [f"{key} {name}" for key, name in staff.items()])
    return UnknownCode(
        f"值班席没有账号 {account}。" + (f"最接近的: {'、'.join(near)}。" if near else ""),
        f"No account {account} works at the desk." + (f" Nearest: {', '.join(near)}." if near else ""),
        fields=(FieldError("account", f"值班席没有账号 {account}", f"no account {account} at the desk", near),),
    )


class RosterImporter(TableImporter):
    """Imports a roster; the turn by its key or name. An account stands by itself or by a name that only one has."""

    fields: Mapping[str, tuple[str, ...]] = {
        "account": ("账号", "姓名", "人员", "用户名"),
        "date": ("日期", "day"),
        "shift": ("班次", "班别", "turn"),
    }
    required = frozenset({"account", "date", "shift"})

    table: ClassVar[str] = "roster"
    key: ClassVar[str] = "key"
    columns: ClassVar[tuple[str, ...]] = ("day", "account", "turn")
    json_columns: ClassVar[frozenset[str]] = frozenset()
    with_geometry: ClassVar[bool] = False
    batch_column: ClassVar[str | None] = None

    def __init__(self, context: ImportContext) -> None:
        super().__init__(context)
        self.turns = context.settings.shifts.turns
        self.staff: dict[str, str] = {}

    def prepare(self, connection: Connection) -> None:
        """Know who works at the desk."""
        self.staff = rostered_staff(connection)

    def check(self, row: Mapping[str, Any]) -> Record:
        problems = Problems()
        account = self._account(required_text(row, "account", problems), problems)
        day = date_of(row, "date", problems)
        if row.get("date") is None:
            problems.add("date", "为空", "is empty")
        turn = self._turn(required_text(row, "shift", problems), problems)
        problems.raise_any()
        return {"key": f"{day}:{account}", "day": day, "account": account, "turn": turn}

    def _account(self, written: str, problems: Problems) -> str:
        named = [account for account, name in self.staff.items() if name == written]
        if written and written not in self.staff and len(named) != 1:
            problems.errors.extend(unknown_account(written, self.staff).fields)
        return written if written in self.staff or len(named) != 1 else named[0]

    def _turn(self, written: str, problems: Problems) -> str:
        try:
            return find_turn(self.turns, written).key if written else ""
        except UnknownCode as unknown:
            problems.errors.extend(unknown.fields)
            return ""


def _week(first: date) -> dict[str, str]:
    return {"first": first.isoformat(), "end": (first + timedelta(days=WEEK)).isoformat()}
