"""The ledger of leaders' instructions 领导批示: what was instructed on which case, when a reply is due, and the reply.

An instruction is the history row of the action `instruct`; its reply is a later row `note` of the same case whose fact
`instruction` names the instruction's number in the history. Nothing else is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, bindparam, text

from appliance.cases.sight import sees_case
from appliance.clock import rfc3339

if TYPE_CHECKING:
    from appliance.people.actor import Actor

CHUNK = 200

_INSTRUCTIONS = text(
    "SELECT h.id, h.case_id, h.seq, h.number, h.actor, h.actor_name, h.at, h.detail, h.note, c.name, c.address, "
    "c.state, c.department, c.sub_unit, c.collector, c.registered_by, c.duty_grid "
    "FROM case_action h JOIN cases c ON c.id = h.case_id "
    "WHERE h.action = 'instruct' AND h.id < :before ORDER BY h.id DESC LIMIT :size"
)
_NOTES = text(
    "SELECT case_id, seq, actor, actor_name, at, detail, note FROM case_action "
    "WHERE case_id IN :cases AND action = 'note' AND detail IS NOT NULL ORDER BY case_id, seq"
).bindparams(bindparam("cases", expanding=True))
INSTRUCTION = text("SELECT 1 FROM case_action WHERE case_id = :case_id AND seq = :seq AND action = 'instruct'")


def instructions_page(
    connection: Connection, actor: Actor, now: int, *, before: int, limit: int, replied: bool | None, overdue: bool
) -> tuple[list[dict[str, Any]], int | None]:
    """A page of the instructions on cases that this person may see, newest first, and the key the next page is below.

    Args:
        now: microseconds.
        replied: only replied ones, or only the others; None takes both.
        overdue: only those whose reply is due since before now and did not come.
    """
    found: list[dict[str, Any]] = []
    for key, item in _walk(connection, actor, before):
        late = item["reply"] is None and item["due"] is not None and item["due"] < now
        if replied in (None, item["reply"] is not None) and (late or not overdue):
            if len(found) == limit:
                return found, found[-1]["id"]
            found.append({**_told(item), "id": key, "overdue": late})
    return found, None


def _walk(connection: Connection, actor: Actor, before: int) -> Iterator[tuple[int, dict[str, Any]]]:
    while rows := connection.execute(_INSTRUCTIONS, {"before": before, "size": CHUNK}).all():
        seen = [row for row in rows if sees_case(actor, dict(row._mapping))]
        replies = _replies(connection, {row.case_id for row in seen})
        for row in seen:
            detail = msgspec.json.decode(row.detail) if row.detail else {}
            yield row.id, {**row._mapping, "due": detail.get("until"), "reply": replies.get((row.case_id, row.seq))}
        before = rows[-1].id
        if len(rows) < CHUNK:
            return


def _replies(connection: Connection, cases: set[int]) -> dict[tuple[int, int], dict[str, Any]]:
    """The first reply to each instruction of some cases, by case and the instruction's number."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    if not cases:
        return found
    for row in connection.execute(_NOTES, {"cases": sorted(cases)}):
        named = msgspec.json.decode(row.detail).get("instruction")
        if named is not None:
            reply = {
                "seq": row.seq,
                "actor": row.actor,
                "actor_name": row.actor_name,
                "at": rfc3339(row.at),
                "note": row.note,
            }
            found.setdefault((row.case_id, named), reply)
    return found


def _told(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "case": item["number"], "seq": item["seq"], "actor": item["actor"], "actor_name": item["actor_name"],
        "at": rfc3339(item["at"]), "note": item["note"], "due_at": rfc3339(item["due"]), "name": item["name"],
        "address": item["address"], "state": item["state"], "department": item["department"], "reply": item["reply"],
    }  # fmt: skip
