"""What a citizen sees under a query code: the stage, its dates, and the reason of a rejection or of waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    "SELECT note FROM case_action WHERE case_id = :id AND action IN ('reject', 'suspend', 'void', 'answer') "
    "ORDER BY seq DESC LIMIT 1"
)
_SHOWS_REASON = frozenset(("rejected", "suspended", "void", "answered"))


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
        reason = connection.execute(_REASON, {"id": row.id}).scalar_one_or_none()
    times = {name: rfc3339(getattr(row, name)) for name in (
        "reported_at", "accepted_at", "filed_at", "dispatched_at", "handled_at", "checked_at", "closed_at",
    )}  # fmt: skip
    return {
        "number": row.number, "name": row.name, "stage": row.state, "stage_name": state.chinese,
        "open": bool(row.is_open), **times, "reason": reason,
        "waits_until": rfc3339(row.resume_at), "merged": row.merged_into is not None,
    }  # fmt: skip
