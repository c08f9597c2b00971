"""What is in the home: the settings and the counts by which the steps stand, read in one look."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from appliance.cases.calendar import shipped_calendar
from appliance.cases.office import county_calendar
from appliance.clock import moment
from appliance.people.roles import split_roles
from appliance.records.store import glance
from appliance.settings import FILE, Settings, load

_COUNTS = {
    "areas": text("SELECT count(*) FROM area"),
    "outlines": text("SELECT count(*) FROM area WHERE geom IS NOT NULL"),
    "grids": text("SELECT count(*) FROM unit_grid WHERE valid_to IS NULL"),
    "duty_grids": text("SELECT count(*) FROM duty_grid WHERE valid_to IS NULL"),
    "parts": text("SELECT count(*) FROM part"),
    "places": text("SELECT count(*) FROM place"),
    "cameras": text("SELECT count(*) FROM camera"),
    "cases": text("SELECT count(*) FROM cases"),
    "departments": text("SELECT count(*) FROM department WHERE ended_at IS NULL"),
    "duties": text("SELECT count(*) FROM duty"),
    "limits": text("SELECT count(*) FROM case_limit"),
    "accounts": text("SELECT count(*) FROM account WHERE active"),
    "without_password": text("SELECT count(*) FROM account WHERE active AND password IS NULL"),
    "new_password_due": text("SELECT count(*) FROM account WHERE active AND new_password_due"),
}
_ROLES = text("SELECT roles FROM account WHERE active")
_LAST_ACT = text("SELECT max(at) FROM admin_act WHERE act = 'backup.now'")
DRILL = Path("backups") / "drill.json"
"""Where `wanmi backup drill` notes how it went."""
SHEET, HANDOVER = Path("run") / "recovery-sheet.html", "handover.pdf"
TO_PRINT = Path("run") / "recovery-sheet.to-print"
"""Where the recovery sheet stands while nobody said that it is on paper; it may be on a stick."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A home as it is.

    Attributes:
        settings: None before the county is made; then all counts are 0.
        years: whose days off are known. last_backup: RFC 3339 to the minute, "" for none. drill: the last one's
            result, empty for none.
    """

    home: Path
    settings: Settings | None = None
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))
    roles: dict[str, int] = field(default_factory=dict)
    years: frozenset[int] = frozenset()
    last_backup: str = ""
    drill: dict[str, Any] = field(default_factory=dict)

    @property
    def wanted_years(self) -> tuple[int, int]:
        """This year and the next."""
        year = date.today().year
        return year, year + 1


def facts_of(home: Path) -> Facts:
    """Read a home; one that is not there yet has nothing.

    Raises:
        BadHome: it is there and cannot be read.
    """
    if not (home / FILE).exists():
        return Facts(home, years=shipped_calendar().known_years)
    with glance(home) as connection:
        counts = {name: int(connection.execute(statement).scalar_one()) for name, statement in _COUNTS.items()}
        roles = Counter(role for row in connection.execute(_ROLES) for role in split_roles(row.roles))
        years = county_calendar(connection).known_years
        last = _last_backup(connection)
    return Facts(home, load(home), counts, dict(roles), years, last, last_drill(home))


def last_drill(home: Path) -> dict[str, Any]:
    """What the last drill noted; empty before the first."""
    try:
        found: dict[str, Any] = json.loads((home / DRILL).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _last_backup(connection: Connection) -> str:
    at = connection.execute(_LAST_ACT).scalar_one()
    return f"{moment(at):%Y-%m-%d %H:%M} UTC" if at is not None else ""
