"""Who sees which scores: the office sees all, units see each other's places, everybody sees the own row."""

from __future__ import annotations

from appliance.errors import Forbidden
from appliance.people.actor import Actor
from appliance.scoring.basis import STAFF_SCOPES
from appliance.scoring.periods import Period
from appliance.scoring.scores import Scored

OFFICE = frozenset(("shift_leader", "leader", "assessor", "admin", "technician"))
"""Who sees everybody's scores and the cases behind them."""
OPEN_SCOPES = frozenset(("platform", "department", "sub_unit", "region", "source"))
"""What is published (seeds: daily on the web, monthly by the media)."""


def seen(actor: Actor, scope: str, rows: list[Scored]) -> list[Scored]:
    """The rows of a scope that somebody may see."""
    if scope in OPEN_SCOPES or actor.roles & OFFICE:
        return rows
    return [row for row in rows if row.subject == actor.account]


def require_cases(actor: Actor, scope: str, subject: str) -> None:
    """Refuse who may not open a figure to its cases.

    Raises:
        Forbidden: it is somebody else's.
    """
    own = (scope in STAFF_SCOPES and subject == actor.account) or (
        scope in ("department", "sub_unit") and subject in actor.subtree
    )
    if not own and not actor.roles & OFFICE:
        raise Forbidden(
            f"{actor.name} 只能查看自己的评分明细。", f"{actor.name} may open the own figures only.",
            needed=sorted(OFFICE),
        )  # fmt: skip


def require_span(actor: Actor, period: Period) -> None:
    """Refuse who may not have any span of days counted; days, weeks, months, quarters and years are for everybody.

    Raises:
        Forbidden: it is a span, and somebody outside the office asks.
    """
    if period.kind == "span" and not actor.roles & OFFICE:
        raise Forbidden(
            "任意起止日期的统计由考核员等查询;请选日、周、月、季或年。",
            "Spans of days are for the office; ask for a day, week, month, quarter or year.", needed=sorted(OFFICE),
        )  # fmt: skip
