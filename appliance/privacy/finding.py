"""Where a person's data stands: cases they reported, calls they made, texts that hold their number, their account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, Table, Text, cast, select, text

from appliance.clock import rfc3339
from appliance.privacy.columns import columns_of
from appliance.privacy.sought import Sought, digits
from appliance.records.metadata import metadata

AT_ONCE = 5_000

_REPORTERS = text(
    "SELECT r.id, r.name, r.phone, r.email, c.number, c.reported_at, c.description, c.address "
    "FROM reporter r JOIN cases c ON c.id = r.id "
    "WHERE r.name IS NOT NULL OR r.phone IS NOT NULL OR r.email IS NOT NULL"
)
_CALLS = text("SELECT id, number, seat, at, recording, case_number FROM seat_call WHERE number <> ''")
_ACCOUNTS = text("SELECT account, name, roles, department, phone, active, created_at, ended_at FROM account")
_NOTES = text("SELECT action, at, note FROM case_action WHERE case_id = :id AND note IS NOT NULL ORDER BY seq")
_SENT = text(
    "SELECT e.sha256, e.type, e.stage FROM evidence e JOIN case_action a ON a.case_id = e.case_id AND a.seq = 1 "
    "WHERE e.case_id = :id AND e.stage = 'report' AND a.role = 'public' ORDER BY e.id"
)


@dataclass(frozen=True, slots=True)
class InText:
    """A text in which the person's number stands; `key` is its row's primary key by column."""

    table: str
    column: str
    key: dict[str, Any]
    text: str


@dataclass(slots=True)
class Found:
    """What was found; rows of `reporter` with their case, of `seat_call`, texts, rows of `account`."""

    reporters: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    texts: list[InText] = field(default_factory=list)
    accounts: list[dict[str, Any]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How much was found, without any of it."""
        return {
            "cases": len(self.reporters), "calls": len(self.calls), "texts": len(self.texts),
            "accounts": len(self.accounts),
        }  # fmt: skip


def find(connection: Connection, person: Sought) -> Found:
    """Everything of a person. Looks through every text: some seconds in a county of a million cases."""
    return Found(
        [dict(row) for row in connection.execute(_REPORTERS).mappings() if _reported(person, row)],
        [dict(row) for row in connection.execute(_CALLS).mappings() if person.phone(digits(row["number"]))],
        list(texts(connection, person)),
        [dict(row) for row in connection.execute(_ACCOUNTS).mappings() if _is_account(person, row)],
    )


def texts(connection: Connection, person: Sought) -> Iterator[InText]:
    """The texts of `columns.csv` in which the person's telephone or e-mail stands."""
    for name, column in columns_of("text"):
        table = metadata().tables[name]
        spelt = cast(table.c[column], Text)
        query = select(*table.primary_key.columns, spelt.label("spelt")).where(_may_hold(spelt, person))
        for row in connection.execute(query, execution_options={"yield_per": AT_ONCE}).mappings():
            if person.in_text(row["spelt"]):
                yield InText(name, column, key_of(table, row), row["spelt"])


def key_of(table: Table, row: Any) -> dict[str, Any]:
    """The primary key of a row, by column."""
    return {column.name: row[column.name] for column in table.primary_key.columns}


def export(connection: Connection, found: Found) -> dict[str, Any]:
    """What was found, whole, as the person may ask for it (个人信息保护法 Art. 45)."""
    cases = []
    for row in found.reporters:
        notes = connection.execute(_NOTES, {"id": row["id"]}).mappings()
        sent = connection.execute(_SENT, {"id": row["id"]}).mappings()
        kept = {name: row[name] for name in ("number", "name", "phone", "email", "description", "address")}
        cases.append(
            kept
            | {"reported_at": rfc3339(row["reported_at"]), "evidence": [dict(each) for each in sent]}
            | {"notes": [{**each, "at": rfc3339(each["at"])} for each in notes]}
        )
    return {
        "cases": cases,
        "calls": [{**row, "at": rfc3339(row["at"])} for row in found.calls],
        "texts": [{"where": f"{each.table}.{each.column}", "row": each.key, "text": each.text} for each in found.texts],
        "accounts": [
            {**row, "created_at": rfc3339(row["created_at"]), "ended_at": rfc3339(row["ended_at"])}
            for row in found.accounts
        ],
    }


def _reported(person: Sought, row: Any) -> bool:
    return (
        person.phone(digits(row["phone"]))
        or person.email((row["email"] or "").lower())
        or person.case(row["number"], row["reported_at"])
        or bool(person.name and row["name"] == person.name)
    )


def _is_account(person: Sought, row: Any) -> bool:
    return (
        person.account(row["account"])
        or bool(person.name and row["name"] == person.name)
        or person.phone(digits(row["phone"]))
    )


def _may_hold(spelt: Column[Any] | Any, person: Sought) -> Any:
    """Rows worth reading; numbers are written with blanks, but hardly within their last digits."""
    return spelt.contains(person.tail) if person.tail else spelt.is_not(None)
