"""Who and what there was in a period: staff by role, units, duty grids with their collectors, unit grids by street.

Frozen with a period, so that what is changed later (a collector moved, a unit ended) changes no old score.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, text

from appliance.scoring.periods import Period

STAFF_SCOPES = ("collector", "acceptor", "shift_leader", "dispatcher")

_STAFF = "SELECT account, name, roles FROM {p}account WHERE active OR ended_at >= :start ORDER BY account"
_NAMES = "SELECT account, name FROM {p}account"
_UNITS = (
    "SELECT code, name, parent, duty_group FROM {p}department "
    "WHERE ended_at IS NULL OR ended_at >= :start ORDER BY code"
)
_DUTIES = (
    "SELECT d.code, CASE WHEN EXISTS (SELECT 1 FROM {p}duty_post e WHERE e.duty_grid = d.code) THEN "
    "(SELECT p.collector FROM {p}duty_post p WHERE p.duty_grid = d.code AND p.since < :as_of "
    "ORDER BY p.since DESC, p.id DESC LIMIT 1) ELSE d.collector END AS collector FROM {p}duty_grid d "
    "WHERE (d.valid_from IS NULL OR d.valid_from <= :last) AND (d.valid_to IS NULL OR d.valid_to >= :first)"
)
"""Who has a duty grid at the end of the period, whoever got it later."""
_VALID = "(valid_from IS NULL OR valid_from <= :last) AND (valid_to IS NULL OR valid_to >= :first)"
_GRIDS = (
    "SELECT substr(code, 1, 9) AS street, count(*) AS number FROM {p}unit_grid "  # noqa: S608  # a constant
    f"WHERE {_VALID} GROUP BY substr(code, 1, 9)"
)
_SECOND_CLASS = f"SELECT code FROM {{p}}unit_grid WHERE trim(grade) = '2' AND {_VALID}"  # noqa: S608  # a constant
_STREETS = "SELECT code, name FROM {p}area WHERE level = 'street'"


class Unit(msgspec.Struct, frozen=True):
    """A department: who is above it, and with whom it is compared."""

    name: str
    parent: str | None
    group: str | None


class Basis(msgspec.Struct, frozen=True):
    """What a period's scores are computed against.

    Attributes:
        staff: accounts by role. names: of accounts. units: by code. collectors: by duty grid.
        streets: names by 9-digit code. grids: how many unit grids of each class a street has.
    """

    staff: dict[str, list[str]]
    names: dict[str, str]
    units: dict[str, Unit]
    collectors: dict[str, str]
    streets: dict[str, str]
    grids: dict[str, dict[int, int]]
    second_class: frozenset[str]

    def name_of(self, scope: str, subject: str) -> str:
        """What a subject is called; its code where nobody knows it any more."""
        if scope in ("department", "sub_unit"):
            return self.units[subject].name if subject in self.units else subject
        names = self.streets if scope == "region" else self.names
        return names.get(subject, subject)

    def subjects(self, scope: str) -> list[str]:
        """Who has a row also without work."""
        if scope in STAFF_SCOPES:
            return self.staff.get(scope, [])
        if scope == "department":
            return list(self.units)
        return sorted(self.grids) if scope == "region" else []


def basis_of(connection: Connection, period: Period, zone: ZoneInfo, schema: str = "") -> Basis:
    """Who and what there was; an ended grid or unit counts until its end, a duty grid is whose it was at the end."""
    last = datetime.fromtimestamp((period.as_of - 1) / 1_000_000, zone).date().isoformat()
    values = {
        "start": period.start, "as_of": period.as_of, "last": last,
        "first": datetime.fromtimestamp(period.start / 1_000_000, zone).date().isoformat(),
    }  # fmt: skip

    def ask(statement: str) -> list[Any]:
        written = statement.format(p=f"{schema}." if schema else "")
        return list(connection.execute(text(written), {k: v for k, v in values.items() if f":{k}" in written}))

    staff: dict[str, list[str]] = {role: [] for role in STAFF_SCOPES}
    for row in ask(_STAFF):
        for role in row.roles.split("|"):
            if role in staff:
                staff[role].append(row.account)
    second = frozenset(row.code for row in ask(_SECOND_CLASS))
    of_second = Counter(code[:9] for code in second)
    grids = {}
    for row in ask(_GRIDS):
        classes = {1: row.number - of_second[row.street], 2: of_second[row.street]}
        grids[row.street] = {class_: number for class_, number in classes.items() if number}
    return Basis(
        staff, {row.account: row.name for row in ask(_NAMES)},
        {row.code: Unit(row.name, row.parent, row.duty_group) for row in ask(_UNITS)},
        {row.code: row.collector for row in ask(_DUTIES) if row.collector},
        {row.code: row.name for row in ask(_STREETS)},
        grids, second,
    )  # fmt: skip
