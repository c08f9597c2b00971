"""Blanking what was found of a person: rows stay and keep their numbers, so history, scores and audit chains hold."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, select, text, update

from appliance.cases import columns
from appliance.cases.step import rewrite_record
from appliance.errors import Conflict
from appliance.privacy.columns import columns_of
from appliance.privacy.finding import Found, InText, key_of
from appliance.privacy.sought import Sought, digits
from appliance.records.acts import append_act
from appliance.records.metadata import metadata
from appliance.records.writer import Unit

OF_CASE = {"cases": "id", "case_action": "case_id", "request": "case_id", "supervision": "case_id"}
"""Tables with words about one case, and their column of its key."""
NAME_AT_LEAST = 2
"""A name of one sign stands in many words."""

_REPORTER = text("UPDATE reporter SET name = NULL, phone = NULL, email = NULL WHERE id = :id")
_REPORTED_BY = text("SELECT name, phone, email FROM reporter WHERE id = :id")
_CALL = text("UPDATE seat_call SET number = '', recording = NULL WHERE id = :id")
_ACCOUNT = text("UPDATE account SET phone = NULL, password = NULL WHERE account = :account")
_SETTINGS = text("DELETE FROM account_setting WHERE account = :account")
_HIDE = text(
    "UPDATE evidence SET share = false WHERE case_id = :id AND stage = 'report' "
    "AND EXISTS (SELECT 1 FROM case_action a WHERE a.case_id = :id AND a.seq = 1 AND a.role = 'public')"
)


def delete(unit: Unit, found: Found, person: Sought, by: str, why: str) -> dict[str, int]:
    """Blank what was found; says how much. The act names nobody.

    Args:
        by: the account, or `technician`. why: `request`, or `restore` where a deletion is done again.

    Raises:
        Conflict: one of the accounts is still in use.
    """
    refuse_in_use(found, person)
    touched = {row["id"] for row in found.reporters}
    for hit in found.texts:
        touched |= blank_text(unit, hit, person)
    for row in found.reporters:
        forget_reporter(unit, row["id"])
    for row in found.calls:
        unit.connection.execute(_CALL, {"id": row["id"]})
    for row in found.accounts:
        if not row["active"]:
            unit.connection.execute(_ACCOUNT, {"account": row["account"]})
            unit.connection.execute(_SETTINGS, {"account": row["account"]})
    for case_id in sorted(touched):
        rewrite_record(unit, columns.load_by_id(unit.connection, case_id))
    counts = found.counts()
    append_act(unit, by, "personal.delete", why, counts)
    return counts


def refuse_in_use(found: Found, person: Sought) -> None:
    """Refuse a person whose account is still in use.

    Raises:
        Conflict: it is.
    """
    active = [row["account"] for row in found.accounts if row["active"]]
    if active and any(person.account(account) for account in active):
        raise Conflict(
            f"账号 {'、'.join(active)} 仍在使用;请先停用: wanmi users deactivate。",
            f"The account {', '.join(active)} is in use; end it first: wanmi users deactivate.",
        )


def forget_reporter(unit: Unit, case_id: int) -> None:
    """Take a case's reporter away, and their name and number out of the words about the case."""
    connection = unit.connection
    row = connection.execute(_REPORTED_BY, {"id": case_id}).one()
    words = frozenset((row.name,) if row.name and len(row.name) >= NAME_AT_LEAST else ())
    phone, email = digits(row.phone), (row.email or "").lower()
    person = Sought(phone=lambda each: bool(phone) and each == phone, email=lambda each: bool(email) and each == email)
    connection.execute(_REPORTER, {"id": case_id})
    connection.execute(_HIDE, {"id": case_id})
    columns.update(connection, case_id, {"reachable": False})
    for name, own in OF_CASE.items():
        table = metadata().tables[name]
        for column in _texts_of(name):
            query = select(*table.primary_key.columns, table.c[column]).where(table.c[own] == case_id)
            for found in connection.execute(query).mappings().all():
                _write(unit, name, column, key_of(table, found), found[column], person, words)


def blank_text(unit: Unit, hit: InText, person: Sought) -> set[int]:
    """Take the person's number out of one text; gives the key of the case whose record has to be made anew."""
    table = metadata().tables[hit.table]
    here = and_(*(table.c[name] == value for name, value in hit.key.items()))
    row = unit.connection.execute(select(table).where(here)).mappings().one_or_none()
    if row is None:
        return set()
    _write(unit, hit.table, hit.column, hit.key, row[hit.column], person, frozenset())
    own = OF_CASE.get(hit.table)
    return set() if own is None else {int(row[own])}


def _write(
    unit: Unit, name: str, column: str, key: dict[str, Any], value: Any, person: Sought, words: frozenset[str]
) -> None:
    """Write a text without the person; a chained note goes whole, for half of it would break the chain."""
    if value is None:
        return
    blanked = person.blank(value, words)
    if blanked == value:
        return
    table = metadata().tables[name]
    here = and_(*(table.c[each] == part for each, part in key.items()))
    chained = name == "case_action"
    unit.connection.execute(update(table).where(here).values({column: None if chained else blanked}))
    if chained:
        row = unit.connection.execute(select(table.c.number, table.c.seq).where(here)).one()
        unit.changed("case_action", f"{row.number}/{row.seq}")


def _texts_of(name: str) -> list[str]:
    return [column for table, column in columns_of("text") if table == name]
