"""Handing in the monthly return: draft, submitted, revised; who signed and when. A filed return is never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.errors import Conflict, Forbidden
from appliance.papers.monthly import digest_of, encoded, return_document
from appliance.people.actor import Actor
from appliance.records.acts import append_act
from appliance.records.writer import Unit
from appliance.scoring import store
from appliance.scoring.evaluated import Evaluated
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.periods import Period, month_of

SIGNERS = frozenset(("assessor", "leader", "admin"))
DRAFT, SUBMITTED, REVISED = "draft", "submitted", "revised"
UNFILED: Mapping[str, Any] = {
    "state": DRAFT, "revision": 0, "signed_by": None, "signed_by_name": None, "signed_at": None
}  # fmt: skip
_COLUMNS = "period, revision, state, signed_by, signed_by_name, signed_at, sha256"
_NEWEST = text("SELECT * FROM filed_return WHERE period = :period ORDER BY revision DESC LIMIT 1")
_PAGE = text(
    f"SELECT {_COLUMNS} FROM filed_return f WHERE period < :before AND revision = "  # noqa: S608  # constants
    "(SELECT max(revision) FROM filed_return n WHERE n.period = f.period) ORDER BY period DESC LIMIT :limit"
)
_FILE = text(
    "INSERT INTO filed_return (period, revision, state, signed_by, signed_by_name, signed_at, document, sha256) "
    "VALUES (:period, :revision, :state, :by, :name, :at, :document, :sha256)"
)


def submit(unit: Unit, evaluation: Evaluation, actor: Actor, written: str) -> dict[str, Any]:
    """Sign and hand in the return of a closed month; a second time only what has changed.

    Returns:
        The filing: state, revision, signer, time, digest.

    Raises:
        Forbidden: no role that signs. Invalid: no month. Conflict: it is not closed, or nothing has changed.
    """
    require_signer(actor)
    connection = unit.connection
    period = month_of(written, evaluation.settings.zone, evaluation.records.clock.now())
    row = store.read_period(connection, period.name)
    if row is None or row.closed_at is None:
        raise not_closed(period)
    document = return_document(connection, evaluation, evaluation.evaluate(connection, period))
    digest, before = digest_of(document), connection.execute(_NEWEST, {"period": period.name}).one_or_none()
    if before is not None and before.sha256 == digest:
        raise Conflict(
            f"{period.name} 月报已由 {before.signed_by_name} 报送,内容没有变化,无须更正;模板修改后可再报送。",
            f"The return of {period.name} was handed in by {before.signed_by_name} and nothing in it has changed; it "
            "is handed in again after the template was changed.",
        )
    revision = 1 if before is None else before.revision + 1
    values = {
        "period": period.name, "revision": revision, "state": SUBMITTED if revision == 1 else REVISED,
        "by": actor.account, "name": actor.name, "at": unit.now, "document": encoded(document).decode(),
        "sha256": digest,
    }  # fmt: skip
    connection.execute(_FILE, values)
    append_act(unit, actor.account, "return.submit", period.name, {"revision": revision, "sha256": digest})
    return _told(connection.execute(_NEWEST, {"period": period.name}).one())


def require_signer(actor: Actor) -> None:
    """Refuse who may not sign.

    Raises:
        Forbidden.
    """
    if actor.roles.isdisjoint(SIGNERS):
        needed = sorted(SIGNERS)
        raise Forbidden(
            f"{actor.name} 不能报送月报;需要角色: {'、'.join(needed)}。",
            f"{actor.name} may not hand in the return; needed is one of the roles {', '.join(needed)}.",
            needed=needed,
        )


def not_closed(period: Period) -> Conflict:
    """The refusal to hand in a month that can still change."""
    return Conflict(
        f"{period.name} 还没有结账,月报不能报送;请先 wanmi score close {period.name}。",
        f"{period.name} is not closed, so its return cannot be handed in; run wanmi score close {period.name} first.",
    )


def filing_of(connection: Connection, period: str) -> dict[str, Any]:
    """How the return of a month stands; a draft where it was never handed in."""
    row = connection.execute(_NEWEST, {"period": period}).one_or_none()
    return dict(UNFILED) if row is None else _told(row)


def filed_or_draft(
    connection: Connection, evaluation: Evaluation, evaluated: Evaluated, *, draft: bool = False
) -> dict[str, Any]:
    """The newest filed return of a month with its filing, else the draft.

    Args:
        draft: what would be handed in now, filed or not.
    """
    row = connection.execute(_NEWEST, {"period": evaluated.period.name}).one_or_none()
    if row is None or draft:
        return return_document(connection, evaluation, evaluated) | dict(UNFILED)
    kept = row.document
    document: dict[str, Any] = msgspec.json.decode(kept) if isinstance(kept, str) else kept
    filing = _told(row)
    return document | {name: filing[name] for name in UNFILED}


def filings_page(connection: Connection, *, before: str, limit: int) -> list[dict[str, Any]]:
    """The newest filing of each month that was handed in, newest month first, below a month."""
    return [_told(row) for row in connection.execute(_PAGE, {"before": before, "limit": limit})]


def _told(row: Any) -> dict[str, Any]:
    return {
        "period": row.period, "state": row.state, "revision": row.revision, "signed_by": row.signed_by,
        "signed_by_name": row.signed_by_name, "signed_at": rfc3339(row.signed_at), "sha256": row.sha256,
    }  # fmt: skip
