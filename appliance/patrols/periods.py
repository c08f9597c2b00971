"""The walked patrols of a period, for scores: rounds due and done by collector or by duty grid."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from appliance.errors import FieldError, Invalid
from appliance.patrols.standing import names_of

DAYS_AT_MOST = 92
BY = ("collector", "duty_grid")

_PERIOD = (
    "SELECT {key} AS code, count(*) AS days, sum(rounds_due) AS due, "
    "sum(CASE WHEN rounds_done < rounds_due THEN rounds_done ELSE rounds_due END) AS done, "
    "sum(grids) AS grids, sum(passed) AS passed FROM patrol_day "
    "WHERE day >= :first AND day <= :last AND rounds_due > 0 AND {key} > :after GROUP BY 1 ORDER BY 1 LIMIT :limit"
)
_PERIODS = {key: text(_PERIOD.format(key=key)) for key in BY}
_DUTY_GRIDS = text("SELECT code, name FROM duty_grid")


def period_page(
    connection: Connection, first: date, last: date, by: str, *, after: str, limit: int
) -> list[dict[str, Any]]:
    """Collectors or duty grids by code, above a code: days, rounds due and done, and the share of unit grids passed.

    A day has as many rounds done as were due at most, so a good day does not make up for a bad one.

    Raises:
        Invalid: the period ends before it begins or is too long, or there is no such kind.
    """
    if by not in BY:
        raise Invalid(
            f"by 须为 {'、'.join(BY)}。",
            f"by is one of {', '.join(BY)}.",
            fields=(FieldError("by", "未知", "unknown", BY),),
        )
    if not 0 <= (last - first).days < DAYS_AT_MOST:
        raise Invalid(
            f"时段须先起后止,最长 {DAYS_AT_MOST} 天。",
            f"A period ends after it begins and has at most {DAYS_AT_MOST} days.",
            fields=(FieldError("to", "不对", "wrong"),),
        )
    names = names_of(connection) if by == "collector" else dict(row._tuple() for row in connection.execute(_DUTY_GRIDS))
    values = {"first": first.isoformat(), "last": last.isoformat(), "after": after, "limit": limit}
    return [
        {
            "code": row.code, "name": names.get(row.code) or row.code, "days": row.days, "rounds_due": row.due,
            "rounds_done": row.done, "rate": round(row.done / row.due, 4), "grids": row.grids, "passed": row.passed,
            "share": round(row.passed / row.grids, 4) if row.grids else None,
        }
        for row in connection.execute(_PERIODS[by], values)
    ]  # fmt: skip
