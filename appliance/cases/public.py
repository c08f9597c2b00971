"""What a citizen sees under a query code: the stage, its dates, and the reason of a rejection or of waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.errors import NotFound

if TYPE_CHECKING:
    from appliance.cases.office import Office

_CASE = text(
    "SELECT id, number, name, state, reported_at, accepted_at, filed_at, dispatched_at, handled_at, checked_at, "
    "closed_at, resume_at, merged_into, is_open FROM cases WHERE query_code = :query_code"
)
_REASON = text(
    "SELECT note, detail FROM case_action WHERE case_id = :id AND action IN ('reject', 'suspend', 'answer') "
    "ORDER BY seq DESC LIMIT 1"
)
_SHOWS_REASON = frozenset(("rejected", "suspended", "answered"))


def told(note: str | None, detail: str | None) -> str | None:
    """The part of a row's text that was given as the reason; the office's own note behind it stays inside."""
    facts = msgspec.json.decode(detail) if detail else {}
    return note if note is None else note[: facts.get("reason_length", len(note))]


def public_view(connection: Connection, office: Office, query_code: str) -> dict[str, Any]:
    """The public view of a case, without anything personal.

    Raises:
        NotFound: no such code.
    """
    row = connection.execute(_CASE, {"query_code": query_code.strip().upper()}).one_or_none()
    if row is None:
        raise NotFound(
            "没有这个查询码的案件;请核对字母和数字。",
            "There is no case with this query code; check its letters and digits.",
        )
    state = office.workflow.states[row.state]
    reason = None
    if row.state in _SHOWS_REASON:
        found = connection.execute(_REASON, {"id": row.id}).one_or_none()
        reason = None if found is None else told(found.note, found.detail)
    times = {name: rfc3339(getattr(row, name)) for name in (
        "reported_at", "accepted_at", "filed_at", "dispatched_at", "handled_at", "checked_at", "closed_at",
    )}  # fmt: skip
    return {
        "number": row.number, "name": row.name, "stage": row.state, "stage_name": state.chinese,
        "open": bool(row.is_open), **times, "reason": reason,
        "waits_until": rfc3339(row.resume_at), "merged": row.merged_into is not None,
    }  # fmt: skip
