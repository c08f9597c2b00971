"""Entering into a register by its form, and closing an entry; nothing entered is changed, both are in the audit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.errors import Conflict, FieldError, Invalid, NotFound
from appliance.ledgers.values import CLOSE, ENTRY, REGISTER, FormField, Ledger
from appliance.moments import WrongMoment, micros_within
from appliance.people.actor import Actor
from appliance.records.acts import append_act
from appliance.records.writer import Unit

TEXT_AT_MOST, CASES_AT_MOST = 2000, 500
_BETWEEN = re.compile(r"[\s,,、;;]+")
WITHOUT_CASE = frozenset(("police_lookup", "bulletin_instruction"))
"""Registers whose entries need not be about a case."""

_CASE = text("SELECT id FROM cases WHERE number = :number")
_DEPARTMENT = text("SELECT 1 FROM department WHERE code = :code AND ended_at IS NULL")
_ENTER = text(
    "INSERT INTO ledger_entry (ledger, number, entered, note, entered_by, at) "
    "VALUES (:ledger, :number, :entered, :note, :by, :at) RETURNING id"
)
_ENTRY = text("SELECT * FROM ledger_entry WHERE id = :id AND ledger = :ledger")
_CLOSE = text(
    "UPDATE ledger_entry SET closing = :closing, closed_by = :by, closed_at = :at WHERE id = :id AND closed_at IS NULL"
)


class WrongValue(ValueError):
    """A field's value is wrong; says why in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def enter(
    unit: Unit, actor: Actor, ledger: Ledger, number: str | None, fields: Mapping[str, Any], note: str = ""
) -> int:
    """Enter something into a register; returns the entry's id.

    Raises:
        Invalid: it is no register, or a field is missing, unknown or wrong. NotFound: there is no such case.
    """
    _require_register(ledger)
    checked = check_fields(unit.connection, ledger, ENTRY, fields)
    if number is None and ledger.ledger not in WITHOUT_CASE:
        raise Invalid(
            f"{ledger.chinese}须写明案件编号。", f"An entry of {ledger.english} needs the number of its case.",
            fields=(FieldError("number", "缺少", "missing"),),
        )  # fmt: skip
    if number is not None and unit.connection.execute(_CASE, {"number": number}).first() is None:
        raise NotFound(f"没有案件 {number}。", f"There is no case {number}.")
    if len(note) > TEXT_AT_MOST:
        raise _field("note", f"最多 {TEXT_AT_MOST} 字", f"at most {TEXT_AT_MOST} characters")
    values = {
        "ledger": ledger.ledger, "number": number, "entered": msgspec.json.encode(checked).decode(), "note": note,
        "by": actor.account, "at": unit.now,
    }  # fmt: skip
    id_: int = unit.connection.execute(_ENTER, values).scalar_one()
    append_act(unit, actor.account, "ledger.enter", f"{ledger.ledger}/{id_}", {"number": number})
    return id_


def close(unit: Unit, actor: Actor, ledger: Ledger, id_: int, fields: Mapping[str, Any]) -> None:
    """Close an entry (销号).

    Raises:
        NotFound: there is no such entry. Conflict: it is closed. Invalid: a field is missing, unknown or wrong.
    """
    _require_register(ledger)
    row = unit.connection.execute(_ENTRY, {"id": id_, "ledger": ledger.ledger}).one_or_none()
    if row is None:
        raise NotFound(f"{ledger.chinese}没有第 {id_} 条。", f"{ledger.english} has no entry {id_}.")
    if row.closed_at is not None:
        raise Conflict(f"第 {id_} 条已经销号。", f"Entry {id_} is closed already.")
    checked = check_fields(unit.connection, ledger, CLOSE, fields)
    values = {
        "closing": msgspec.json.encode(checked).decode(), "by": actor.account, "at": unit.now, "id": id_,
    }  # fmt: skip
    unit.connection.execute(_CLOSE, values)
    append_act(unit, actor.account, "ledger.close", f"{ledger.ledger}/{id_}", None)


def check_fields(connection: Connection, ledger: Ledger, at: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a form as they are kept: texts trimmed, moments in microseconds, money in cents, cases as a list.

    Raises:
        Invalid: names every field that is missing, unknown or wrong.
    """
    form = {field.field: field for field in ledger.form(at)}
    wrong = [FieldError(name, "没有这个字段", "no such field", tuple(form)) for name in fields if name not in form]
    kept: dict[str, Any] = {}
    for name, field in form.items():
        given = fields.get(name)
        if given is None or given == "":
            if field.needed:
                wrong.append(FieldError(name, f"缺少{field.chinese}", f"{field.english} is missing"))
            continue
        try:
            kept[name] = _value(connection, field, given)
        except (WrongValue, WrongMoment) as error:
            wrong.append(FieldError(name, f"{field.chinese}{error.zh}", error.en))
        except ValueError:
            wrong.append(FieldError(name, f"{field.chinese}不对", f"no {field.type}"))
    if wrong:
        named = "、".join(each.zh for each in wrong)
        raise Invalid(
            f"{ledger.chinese}的表单不对: {named}。",
            f"The form of {ledger.english} is wrong: {'; '.join(f'{each.field}: {each.en}' for each in wrong)}.",
            fields=tuple(wrong),
        )
    return kept


def _value(connection: Connection, field: FormField, given: Any) -> Any:
    if field.type == "money":
        amount = float(given)
        if not 0 <= amount < 1e10:
            raise WrongValue("须为不小于 0 的金额(元)", "an amount in yuan, not below 0")
        return round(amount * 100)
    written = str(given).strip()
    if field.type == "cases":
        return _cases(connection, written)
    if len(written) > TEXT_AT_MOST:
        raise WrongValue(f"最多 {TEXT_AT_MOST} 字", f"at most {TEXT_AT_MOST} characters")
    if field.type == "moment":
        return micros_within(datetime.fromisoformat(written))
    if field.type == "department" and connection.execute(_DEPARTMENT, {"code": written}).first() is None:
        raise WrongValue(f": 没有部门 {written}", f"there is no unit {written}")
    return written


def _cases(connection: Connection, written: str) -> list[str]:
    """The numbers of cases, written with blanks or commas between them; each is there."""
    numbers = list(dict.fromkeys(number for number in _BETWEEN.split(written) if number))
    if len(numbers) > CASES_AT_MOST:
        raise WrongValue(f"最多 {CASES_AT_MOST} 件", f"at most {CASES_AT_MOST} cases")
    unknown = [number for number in numbers if connection.execute(_CASE, {"number": number}).first() is None]
    if unknown:
        named = ", ".join(unknown[:5])
        raise WrongValue(f": 没有案件 {named}", f"there is no case {named}")
    return numbers


def _require_register(ledger: Ledger) -> None:
    if ledger.kind != REGISTER:
        raise Invalid(
            f"{ledger.chinese}由案件的办理自动形成,不能手工登记。",
            f"{ledger.english} fills itself from the cases' actions; nothing is entered by hand.",
        )


def _field(name: str, zh: str, en: str) -> Invalid:
    return Invalid(f"{name}: {zh}。", f"{name}: {en}.", fields=(FieldError(name, zh, en),))
