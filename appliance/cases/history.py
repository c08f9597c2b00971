"""History rows: one for every action, appended and chained, never edited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.records import chain
from appliance.records.acts import broken_act
from appliance.records.sql import Sql
from appliance.records.writer import Unit

CHAINED = (
    "case_id", "seq", "number", "action", "actor", "actor_name", "role", "on_behalf_of", "at", "from_state", "to_state",
    "clock_started", "clock_stopped", "due_at", "detail", "note_digest",
)  # fmt: skip
COLUMNS = (*CHAINED, "note", "note_salt", "previous", "hash")

MEMBERS = {
    "seq": "seq", "action": "action", "actor": "actor", "actor_name": "actor_name", "role": "role",
    "on_behalf_of": "on_behalf_of", "at": "at", "from": "from_state", "to": "to_state",
    "clock_started": "clock_started", "clock_stopped": "clock_stopped", "due_at": "due_at", "note": "note",
}  # fmt: skip
"""Column by member of a row as outsiders see it."""

_LAST = Sql("SELECT hash FROM case_action ORDER BY id DESC LIMIT 1")
_INSERT = Sql(
    f"INSERT INTO case_action ({', '.join(COLUMNS)}) VALUES ({', '.join(':' + name for name in COLUMNS)})"  # noqa: S608
)
_ROWS = text(
    "SELECT id, seq, action, actor, actor_name, role, on_behalf_of, at, from_state, to_state, clock_started, "
    "clock_stopped, due_at, detail, note FROM case_action WHERE case_id = :case_id ORDER BY seq"
)
_ALL = text(f"SELECT id, {', '.join(COLUMNS)} FROM case_action WHERE id > :after ORDER BY id LIMIT 5000")  # noqa: S608


def append(unit: Unit, row: dict[str, Any]) -> None:
    """Append one history row; `note` is its free text, `detail` a dict without personal data.

    Args:
        row: every column of `CHAINED` but `note_digest`, and `note`.
    """
    previous = _LAST.value(unit.connection, {}) or chain.FIRST
    salt, digest = chain.salted(row["note"])
    chained = {name: row.get(name) for name in CHAINED} | {"note_digest": digest}
    values = {
        **chained,
        "detail": None if row["detail"] is None else chain.encode(row["detail"]),
        "note": row["note"],
        "note_salt": salt,
        "previous": previous,
        "hash": chain.link(previous, chained),
    }
    _INSERT.run(unit.connection, values)
    unit.changed("case_action", f"{row['number']}/{row['seq']}")


def rows(connection: Connection, case_id: int) -> list[dict[str, Any]]:
    """The history of a case in order, as the API shows it."""
    return [shown(row) for row in connection.execute(_ROWS, {"case_id": case_id})]


def shown(row: Any) -> dict[str, Any]:
    """A history row as outsiders see it: what its detail holds, and the members of `MEMBERS`."""
    detail = msgspec.json.decode(row.detail) if isinstance(row.detail, str) else row.detail or {}
    told = {member: getattr(row, column) for member, column in MEMBERS.items()}
    return {**detail, **told, "at": rfc3339(row.at), "due_at": rfc3339(row.due_at)}


def walk(connection: Connection) -> Iterator[dict[str, Any]]:
    """Every history row in the order of the chain, `detail` decoded."""
    after = 0
    while True:
        page = connection.execute(_ALL, {"after": after}).all()
        if not page:
            return
        for row in page:
            values = dict(row._mapping)
            values["detail"] = msgspec.json.decode(row.detail) if row.detail else None
            yield values
        after = page[-1].id


def broken_row(connection: Connection) -> tuple[int, int | None]:
    """Walk the chain: how many rows held, and the key of the first broken one (None when all hold).

    A row is broken when its hash does not follow from the row before and its own content, or when its free text no
    longer has the chained digest (blanked text is not broken).
    """
    previous, held = chain.FIRST, 0
    for row in walk(connection):
        chained = {name: row[name] for name in CHAINED}
        text_holds = row["note"] is None or chain.digest(row["note_salt"] or "", row["note"]) == row["note_digest"]
        if row["previous"] != previous or row["hash"] != chain.link(previous, chained) or not text_holds:
            return held, row["id"]
        previous, held = row["hash"], held + 1
    return held, None


def audit_chains(connection: Connection) -> dict[str, tuple[int, int | None]]:
    """Both chains, of history rows and of administrative acts: how many rows held, and the first broken one."""
    return {"case_action": broken_row(connection), "admin_act": broken_act(connection)}
