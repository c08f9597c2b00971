"""Who worked how much in a period: collectors by patrols and tasks, seats by shifts, calls and cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from appliance.clock import HOUR
from appliance.scoring.periods import Period
from appliance.scoring.scores import Named
from appliance.settings import Settings

_WALKED = text(
    "SELECT collector, count(DISTINCT day) AS days, "
    "count(DISTINCT CASE WHEN rounds_done > 0 THEN day END) AS present, sum(rounds_due) AS due, "
    "sum(rounds_done) AS done, sum(passed) AS passed FROM patrol_day "
    "WHERE day >= :first AND day <= :last AND rounds_due > 0 AND collector IS NOT NULL GROUP BY collector"
)
_SHIFTS = text(
    "SELECT account, count(*) AS shifts, "
    "sum(CASE WHEN coalesce(ended_at, :as_of) < :as_of THEN coalesce(ended_at, :as_of) ELSE :as_of END "
    "- CASE WHEN started_at > :start THEN started_at ELSE :start END) AS time "
    "FROM shift WHERE started_at < :as_of AND coalesce(ended_at, :as_of) > :start GROUP BY account"
)
_ACTIONS = text(
    "SELECT coalesce(on_behalf_of, actor) AS who, count(*) AS actions FROM case_action "
    "WHERE at >= :start AND at < :as_of AND role IN ('acceptor', 'shift_leader', 'dispatcher') GROUP BY 1"
)
_LOOKS = text("SELECT account, count(*) AS looks FROM camera_look WHERE at >= :start AND at < :as_of GROUP BY account")
_ROSTER = text("SELECT account, count(*) AS turns FROM roster WHERE day >= :first AND day <= :last GROUP BY account")
_NAMES = text("SELECT account, name, roles FROM account WHERE active ORDER BY account")
SEATS = frozenset(("acceptor", "shift_leader", "dispatcher"))


def collectors(
    connection: Connection, period: Period, settings: Settings, named: Mapping[str, Named]
) -> list[dict[str, Any]]:
    """Attendance and workload of every active collector.

    `days` are those with rounds due, `present` those of them with a round made, in however many duty grids.

    Args:
        named: the counts of the period by collector.
    """
    walked = {row.collector: row for row in connection.execute(_WALKED, _days(period, settings))}
    found = []
    for row in connection.execute(_NAMES):
        if "collector" not in row.roles.split("|"):
            continue
        facts = named[row.account].subject.facts if row.account in named else {}
        days = walked.get(row.account)
        found.append(
            {
                "account": row.account, "name": row.name, "days": days.days if days else 0,
                "present": days.present if days else 0, "rounds_due": days.due if days else 0,
                "rounds_done": days.done if days else 0, "grids_passed": days.passed if days else 0,
                "reports": facts.get("reports", 0), "self_handled": facts.get("self_handled", 0),
                "verifications": facts.get("verify_done", 0), "checks": facts.get("check_done", 0),
                "unproven": facts.get("unproven", 0),
            }
        )  # fmt: skip
    return found


def seats(connection: Connection, period: Period, settings: Settings) -> list[dict[str, Any]]:
    """Shifts on the roster and worked, hours, actions on cases and looks of every seat."""
    span = {"start": period.start, "as_of": period.as_of}
    shifts = {row.account: row for row in connection.execute(_SHIFTS, span)}
    actions = {row.who: row.actions for row in connection.execute(_ACTIONS, span)}
    looks = {row.account: row.looks for row in connection.execute(_LOOKS, span)}
    turns = {row.account: row.turns for row in connection.execute(_ROSTER, _days(period, settings))}
    found = []
    for row in connection.execute(_NAMES):
        if SEATS.isdisjoint(row.roles.split("|")):
            continue
        worked = shifts.get(row.account)
        found.append(
            {
                "account": row.account, "name": row.name, "on_roster": turns.get(row.account, 0),
                "shifts": worked.shifts if worked else 0, "hours": round(worked.time / HOUR, 1) if worked else 0.0,
                "actions": actions.get(row.account, 0), "looks": looks.get(row.account, 0),
            }
        )  # fmt: skip
    return found


def _days(period: Period, settings: Settings) -> dict[str, str]:
    first, last = (
        datetime.fromtimestamp(at / 1_000_000, settings.zone).date().isoformat()
        for at in (period.start, period.as_of - 1)
    )
    return {"first": first, "last": last}
