"""Alarms for what is not patrolled: duty grids behind their plan, collectors who send no position, overdue cameras.

A collector is on duty in the working window of the duty grid that this account walks. One list, by kind and code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.clock import MINUTE, local, rfc3339
from appliance.patrols import looks
from appliance.patrols.plans import attributes_of, plan_of
from appliance.patrols.position import Position
from appliance.patrols.standing import Row, duty_grids_page

if TYPE_CHECKING:
    from appliance.cases.office import Office

KINDS = ("behind", "silent", "camera")

_WALKERS = text(
    "SELECT g.code, g.name AS place, g.attributes, a.account, a.name FROM duty_grid g "
    "JOIN account a ON a.account = g.collector AND a.active WHERE g.valid_to IS NULL "
    "AND EXISTS (SELECT 1 FROM unit_grid u WHERE u.duty_grid = g.code AND u.valid_to IS NULL) ORDER BY g.code"
)


def alarms(
    connection: Connection, office: Office, last: Iterable[Position], rows: list[Row] | None = None
) -> list[Row]:
    """All alarms of this moment, by kind and code.

    Args:
        last: the newest position of everybody.
        rows: today's duty grids where they were read already.
    """
    now, zone = office.records.clock.now(), office.settings.zone
    if rows is None:
        rows = duty_grids_page(connection, office, local(now, zone).date().isoformat(), told=False)
    found = [_behind(row) for row in rows if row["behind"]]
    found += _silent(connection, office, {position.who: position.at for position in last})
    found += _cameras(connection, office)
    return sorted(found, key=key)


def key(alarm: Mapping[str, Any]) -> tuple[int, str]:
    """The order of the list."""
    return KINDS.index(alarm["kind"]), alarm["code"]


def numbers(found: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many alarms there are of each kind."""
    counted = Counter(alarm["kind"] for alarm in found)
    return {kind: counted[kind] for kind in KINDS}


def _behind(row: Row) -> Row:
    return {
        "kind": "behind", "code": row["duty_grid"], "name": row["name"], "account": row["collector"],
        "account_name": row["collector_name"], "since": row["behind_since"],
        "missing": row["rounds_due_now"] - row["rounds_done"],
    }  # fmt: skip


def _silent(connection: Connection, office: Office, heard: Mapping[str, int]) -> list[Row]:
    """Collectors in their working window of whom nothing was heard for the county's minutes."""
    now, zone = office.records.clock.now(), office.settings.zone
    patience, today = round(office.settings.patrols.silent_minutes * MINUTE), local(now, zone).date()
    found: dict[str, Row] = {}
    for row in connection.execute(_WALKERS):
        plan = plan_of(row.code, attributes_of(row.attributes), office.settings.patrols)
        begins, ends = plan.window(today, zone)
        last = heard.get(row.account)
        on_duty = plan.rounds and begins + patience <= now <= ends
        if on_duty and (last is None or now - last > patience):
            found.setdefault(
                row.account,
                {
                    "kind": "silent", "code": row.account, "name": row.name, "account": row.account,
                    "account_name": row.name, "since": rfc3339(last), "missing": None,
                },
            )  # fmt: skip
    return list(found.values())


def _cameras(connection: Connection, office: Office) -> list[Row]:
    due = looks.the_round(connection, office, street_class=None, everything=False, limit=looks.CAMERAS_AT_MOST)
    return [
        {
            "kind": "camera", "code": camera["code"], "name": camera["name"], "account": None, "account_name": None,
            "since": camera["due_at"], "missing": None,
        }
        for camera in due["items"]
    ]  # fmt: skip
