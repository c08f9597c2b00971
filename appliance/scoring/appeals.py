"""Appeals 申诉: a case that is not to count for somebody's score of a closed period. The raw facts stay as they are.

Who is scored appeals, an assessor or leader decides; an approved appeal takes the case off every fact of that subject,
and the period's scores are written anew as the next revision.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, String, bindparam, text

from appliance.clock import rfc3339
from appliance.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from appliance.people.actor import Actor
from appliance.records.acts import append_act
from appliance.records.writer import Unit
from appliance.scoring import store
from appliance.scoring.evaluation import Evaluation, check_scope
from appliance.scoring.sight import OFFICE, require_cases

DECIDERS = frozenset(("assessor", "leader", "admin"))
REASON_AT_MOST = 2000
SCOPES = ("department", "sub_unit", "collector", "acceptor", "shift_leader", "dispatcher")
"""Whose scores can be appealed against; streets, sources and the county are nobody's."""

_CASE = text("SELECT id FROM cases WHERE number = :number")
_SAME = text(
    "SELECT 1 FROM score_appeal WHERE period = :period AND scope = :scope AND subject = :subject "
    "AND number = :number AND (decided_at IS NULL OR approved)"
)
_ASK = text(
    "INSERT INTO score_appeal (period, scope, subject, number, reason, asked_by, asked_at) "
    "VALUES (:period, :scope, :subject, :number, :reason, :by, :at) RETURNING id"
)
_ONE = text("SELECT * FROM score_appeal WHERE id = :id")
_DECIDE = text(
    "UPDATE score_appeal SET approved = :approved, decided_by = :by, decided_at = :at, note = :note "
    "WHERE id = :id AND decided_at IS NULL"
)
_PAGE = text(
    "SELECT * FROM score_appeal WHERE id > :after AND (:waiting = 0 OR decided_at IS NULL) "
    "AND (:period = '' OR period = :period) AND (:all = 1 OR asked_by = :account OR subject = :account "
    "OR subject IN :units) ORDER BY id LIMIT :limit"
).bindparams(bindparam("units", expanding=True, type_=String))


def ask(unit: Unit, actor: Actor, period: str, scope: str, subject: str, number: str, reason: str) -> int:
    """Appeal; returns the appeal's id.

    Raises:
        Forbidden: it is somebody else's score. Conflict: the period is not closed, or the case was appealed already.
        NotFound: the case counts for nothing there. Invalid: no reason, or nobody's score.
    """
    check_scope(scope)
    if scope not in SCOPES:
        raise Invalid(
            f"{scope} 的评分不属于个人或单位,不能申诉。",
            f"The scores of {scope} are nobody's and cannot be appealed against.",
            fields=(FieldError("scope", "不能申诉", "no appeal", SCOPES),),
        )  # fmt: skip
    require_cases(actor, scope, subject)
    if not reason.strip() or len(reason) > REASON_AT_MOST:
        raise Invalid(
            f"申诉须写理由,最多 {REASON_AT_MOST} 字。",
            f"An appeal needs a reason of at most {REASON_AT_MOST} characters.",
            fields=(FieldError("reason", "缺少或太长", "missing or too long"),),
        )  # fmt: skip
    row = store.read_period(unit.connection, period)
    if row is None or row.closed_at is None:
        raise Conflict(f"{period} 还没有结账;结账后才能申诉。", f"{period} is not closed yet; appeals come after that.")
    key = unit.connection.execute(_CASE, {"number": number}).scalar_one_or_none()
    behind = store.cases_in(unit.connection, period, scope, subject)
    if key is None or not any(key in cases for cases in behind.values()):
        raise NotFound(
            f"{number} 没有计入 {subject} 在 {period} 的评分。",
            f"{number} counts for nothing of {subject} in {period}.",
        )
    values = {
        "period": period, "scope": scope, "subject": subject, "number": number, "reason": reason.strip(),
        "by": actor.account, "at": unit.now,
    }  # fmt: skip
    if unit.connection.execute(_SAME, values).first() is not None:
        raise Conflict(f"{number} 已经申诉过。", f"{number} was appealed against already.")
    id_: int = unit.connection.execute(_ASK, values).scalar_one()
    append_act(unit, actor.account, "score.appeal", f"{period}/{scope}/{subject}", {"appeal": id_, "number": number})
    return id_


def decide(unit: Unit, evaluation: Evaluation, actor: Actor, id_: int, approve: bool, note: str = "") -> dict[str, Any]:
    """Decide on an appeal; an approved one writes the scores of its period anew.

    Raises:
        NotFound: there is none. Forbidden: not one's role, or one's own appeal. Conflict: it was decided.
    """
    row = unit.connection.execute(_ONE, {"id": id_}).one_or_none()
    if row is None:
        raise NotFound(f"没有第 {id_} 号申诉。", f"There is no appeal {id_}.")
    is_own = actor.account in (row.asked_by, row.subject) or row.subject in actor.subtree
    if actor.roles.isdisjoint(DECIDERS) or is_own:
        raise Forbidden(
            "申诉由考核员或领导裁定,且不能裁定自己提出的或关于自己评分的申诉。",
            "An appeal is decided by an assessor or a leader, and neither by who made it nor by whose score it is.",
            needed=sorted(DECIDERS),
        )
    if row.decided_at is not None:
        raise Conflict(f"第 {id_} 号申诉已经裁定。", f"Appeal {id_} was decided already.")
    values = {"approved": approve, "by": actor.account, "at": unit.now, "note": note or None, "id": id_}
    unit.connection.execute(_DECIDE, values)
    append_act(unit, actor.account, "score.decide", f"{row.period}/{row.scope}/{row.subject}",
               {"appeal": id_, "approve": approve})  # fmt: skip
    if approve:
        evaluation.revise(unit, row.period)
    return told(unit.connection.execute(_ONE, {"id": id_}).one())


def page(
    connection: Connection, actor: Actor, *, period: str, waiting: bool, after: int, limit: int
) -> list[dict[str, Any]]:
    """Appeals by key above a key: the office sees all, others those of their own scores."""
    values = {
        "after": after, "waiting": int(waiting), "period": period, "limit": limit, "account": actor.account or "",
        "all": int(bool(actor.roles & OFFICE)), "units": sorted(actor.subtree),
    }  # fmt: skip
    return [told(row) for row in connection.execute(_PAGE, values)]


def find(connection: Connection, id_: int) -> dict[str, Any]:
    """One appeal.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(_ONE, {"id": id_}).one_or_none()
    if row is None:
        raise NotFound(f"没有第 {id_} 号申诉。", f"There is no appeal {id_}.")
    return told(row)


def told(row: Any) -> dict[str, Any]:
    """An appeal as the API tells it."""
    return {
        "id": row.id, "period": row.period, "scope": row.scope, "subject": row.subject, "number": row.number,
        "reason": row.reason, "asked_by": row.asked_by, "asked_at": rfc3339(row.asked_at),
        "approved": None if row.approved is None else bool(row.approved), "decided_by": row.decided_by,
        "decided_at": rfc3339(row.decided_at), "note": row.note,
    }  # fmt: skip
