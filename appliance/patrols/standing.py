"""How the walked patrols of a day stand: duty grid by duty grid, the unit grids of one, and the sum of all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.errors import NotFound
from appliance.nearest import nearest
from appliance.patrols import day_file
from appliance.patrols.plans import Plan, attributes_of, plan_of

if TYPE_CHECKING:
    from appliance.cases.office import Office

Row = dict[str, Any]
WORST = 5
ALL = 100_000

_ROWS = (
    "SELECT c.code, g.name, coalesce(p.collector, g.collector) AS collector, g.attributes, p.rounds_due, "
    "p.rounds_done, coalesce(p.grids, (SELECT count(*) FROM unit_grid u WHERE u.duty_grid = c.code "
    "AND u.valid_to IS NULL)) AS grids, p.needed, p.passed, p.last_at, p.last_by, p.walkers, p.rounds, p.counted_at "
    "FROM ({}) c LEFT JOIN duty_grid g ON g.code = c.code "
    "LEFT JOIN patrol_day p ON p.day = :day AND p.duty_grid = c.code ORDER BY c.code LIMIT :limit"
)
_PAGE = text(
    _ROWS.format(
        "SELECT code FROM duty_grid WHERE valid_to IS NULL AND code > :after "
        "UNION SELECT duty_grid FROM patrol_day WHERE day = :day AND duty_grid > :after"
    )
)
_ONE = text(_ROWS.format("SELECT code FROM duty_grid WHERE code = :code"))
_NAMES = text("SELECT account, name FROM account")
_CODES = text("SELECT code || ' ' || name FROM duty_grid WHERE valid_to IS NULL")
_GRIDS = text(
    "SELECT code, name, lon, lat FROM unit_grid WHERE duty_grid = :code AND valid_to IS NULL AND code > :after "
    "ORDER BY code LIMIT :limit"
)
_STAYS = "SELECT who, entered_at, left_at FROM walk WHERE grid = ? ORDER BY entered_at, who"
_WALKED = "SELECT walks, rounds, level, last_at FROM walked WHERE grid = ?"
_ODD = "SELECT who, at, lon, lat, speed FROM odd WHERE (who, at) > (?, ?) ORDER BY who, at LIMIT ?"


def duty_grids_page(
    connection: Connection, office: Office, day: str, *, after: str = "", limit: int = ALL, told: bool = True
) -> list[Row]:
    """The duty grids of a day by code, above a code; those that nobody walked as well.

    Args:
        told: with everybody who walked and the rounds one by one; sums need neither.
    """
    rows = connection.execute(_PAGE, {"day": day, "after": after, "limit": limit}).mappings()
    names = names_of(connection)
    now, when = office.records.clock.now(), date.fromisoformat(day)
    return [_view(row, office, names, when, now) | (_walked(row, names) if told else {}) for row in rows]


def unit_grids_page(
    connection: Connection, office: Office, code: str, day: str, *, after: str, limit: int
) -> tuple[Row, list[Row]]:
    """A duty grid, and its unit grids by code with everybody who passed them.

    Raises:
        NotFound: the nearest codes and names are told.
    """
    row = connection.execute(_ONE, {"code": code, "day": day, "limit": 1}).mappings().one_or_none()
    if row is None:
        near = nearest(code, connection.execute(_CODES).scalars())
        raise NotFound(
            f"没有责任网格 {code}。" + (f"最接近的: {'、'.join(near)}。" if near else ""),
            f"There is no duty grid {code}." + (f" Nearest: {', '.join(near)}." if near else ""),
        )
    names = names_of(connection)
    found = _view(row, office, names, date.fromisoformat(day), office.records.clock.now()) | _walked(row, names)
    grids = connection.execute(_GRIDS, {"code": code, "after": after, "limit": limit}).mappings().all()
    with day_file.opened(office.records.home, day) as file:
        items = []
        for grid in grids:
            walked = file and file.execute(_WALKED, (grid["code"],)).fetchone()
            walks, rounds, level, last_at = walked or (0, 0, 0, None)
            stays = [] if file is None else file.execute(_STAYS, (grid["code"],)).fetchall()
            items.append(
                {
                    "grid": grid["code"], "name": grid["name"], "lon": grid["lon"], "lat": grid["lat"], "walks": walks,
                    "rounds": rounds, "level": level, "last_at": rfc3339(last_at),
                    "stays": [
                        {
                            "who": who, "name": names.get(who, who), "own": who == found["collector"],
                            "entered_at": rfc3339(entered_at), "left_at": rfc3339(left_at),
                        }
                        for who, entered_at, left_at in stays
                    ],
                }
            )  # fmt: skip
    return found, items


def odd_page(connection: Connection, office: Office, day: str, *, who: str, at: int, limit: int) -> list[Row]:
    """Positions of a day that cannot be, by person and time, above a person and time in microseconds."""
    names = names_of(connection)
    with day_file.opened(office.records.home, day) as file:
        rows = [] if file is None else file.execute(_ODD, (who, at, limit)).fetchall()
    return [
        {"who": who, "name": names.get(who, who), "key": at, "at": rfc3339(at), "lon": lon, "lat": lat, "speed": speed}
        for who, at, lon, lat, speed in rows
    ]


def total(rows: list[Row]) -> Row:
    """The sum of a day's duty grids, and the worst of them."""
    walked = [row for row in rows if row["rounds_due"]]
    grids, passed = sum(row["grids"] for row in walked), sum(row["passed"] for row in walked)
    behind = [row for row in walked if row["behind"]]
    worst = sorted(behind, key=lambda row: (row["rounds_done"] - row["rounds_due_now"], row["share"], row["duty_grid"]))
    shown = ("duty_grid", "name", "collector_name", "rounds_done", "rounds_due_now", "rounds_due", "share")
    return {
        "counted_at": max((row["counted_at"] for row in rows if row["counted_at"]), default=None),
        "duty_grids": len(walked), "behind": len(behind),
        "rounds_due": sum(row["rounds_due"] for row in walked),
        "rounds_due_now": sum(row["rounds_due_now"] for row in walked),
        "rounds_done": sum(min(row["rounds_done"], row["rounds_due"]) for row in walked),
        "grids": grids, "passed": passed, "share": round(passed / grids, 4) if grids else None,
        "worst": [{name: row[name] for name in shown} for row in worst[:WORST]],
    }  # fmt: skip


def plan_of_row(row: Any, office: Office) -> Plan:
    """The plan of a duty grid's row; what was due on a day that was counted stays as it was then."""
    plan = plan_of(row["code"], attributes_of(row["attributes"]), office.settings.patrols)
    due = 0 if not row["grids"] else plan.rounds if row["rounds_due"] is None else row["rounds_due"]
    return plan if plan.rounds == due else replace(plan, rounds=due)


def names_of(connection: Connection) -> dict[str, str]:
    """The names of all accounts."""
    return {row.account: row.name for row in connection.execute(_NAMES)}


def _view(row: Any, office: Office, names: dict[str, str], day: date, now: int) -> Row:
    plan, zone = plan_of_row(row, office), office.settings.zone
    done, grids, passed = row["rounds_done"] or 0, row["grids"], row["passed"] or 0
    due_now = plan.due(day, zone, now)
    behind, collector = done < due_now, row["collector"]
    return {
        "duty_grid": row["code"], "name": row["name"] or row["code"], "collector": collector,
        "collector_name": names.get(collector, collector), "rounds_due": plan.rounds, "rounds_due_now": due_now,
        "rounds_done": done, "grids": grids, "needed": row["needed"] or plan.needed(grids), "passed": passed,
        "share": round(passed / grids, 4) if grids else 0.0, "last_at": rfc3339(row["last_at"]),
        "last_by": row["last_by"], "last_by_name": names.get(row["last_by"], row["last_by"]), "behind": behind,
        "behind_since": rfc3339(plan.due_at(day, zone, done + 1)) if behind else None,
        "counted_at": rfc3339(row["counted_at"]),
    }  # fmt: skip


def _walked(row: Any, names: dict[str, str]) -> Row:
    """Who walked, and the rounds one by one."""
    walkers = msgspec.json.decode(row["walkers"]) if row["walkers"] else []
    rounds = msgspec.json.decode(row["rounds"]) if row["rounds"] else []
    return {
        "walkers": [
            {**walker, "name": names.get(walker["who"], walker["who"]), "own": walker["who"] == row["collector"]}
            for walker in walkers
        ],
        "rounds": [
            {"began_at": rfc3339(one["began_at"]), "done_at": rfc3339(one["done_at"]), "grids": one["grids"]}
            for one in rounds
        ],
    }
