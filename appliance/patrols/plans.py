"""How often a duty grid is walked: `plans.csv` beside this file, each row with its provenance.

A duty grid says its kind by the attribute `patrol` (巡查类别) of its import; without one it is of the first kind. A
county's own values (`[patrols.plans.普通]` in `wanmi.toml`) win over the table, and the number of rounds of a single
duty grid (`[patrols.rounds]`) wins over both. Pure but for the settings.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.clock import HOUR, micros

if TYPE_CHECKING:
    from appliance.settings import Patrols

FILE = Path(__file__).parent / "plans.csv"
ATTRIBUTES = ("patrol", "巡查类别", "巡查等级")
"""Names of the attribute of a duty grid that says its kind."""
MIDNIGHT = "24:00"


class PlanError(ValueError):
    """A row of the table is wrong; the message names it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a kind of duty grid is walked.

    Attributes:
        rounds: how many times a day; 0 is not at all.
        hours_between: at least between the beginnings of two rounds.
        begins, ends: the working window as `08:00`, within a day: it ends at 24:00 where `ends` is not later.
        share: of the unit grids must be passed to make a round.
    """

    kind: str
    english: str
    also: frozenset[str]
    rounds: int
    hours_between: float
    begins: str
    ends: str
    share: float
    provenance: str

    def needed(self, grids: int) -> int:
        """How many of so many unit grids make a round."""
        return max(ceil(round(grids * self.share, 6)), 1)

    def window(self, day: date, zone: ZoneInfo) -> tuple[int, int]:
        """The working window of a county day, in microseconds."""
        first, last = _moment(day, self.begins, zone), _moment(day, self.ends, zone)
        return first, last if last > first else _moment(day, MIDNIGHT, zone)

    def due(self, day: date, zone: ZoneInfo, now: int) -> int:
        """How many rounds ought to be complete at a moment: they are spread evenly over the window."""
        first, last = self.window(day, zone)
        return min(max((now - first) * self.rounds // (last - first), 0), self.rounds)

    def due_at(self, day: date, zone: ZoneInfo, number: int) -> int:
        """When the round of this number (from 1 on) ought to be complete."""
        first, last = self.window(day, zone)
        return first + (last - first) * number // max(self.rounds, 1)

    @property
    def pause(self) -> int:
        """Microseconds between the beginnings of two rounds."""
        return round(self.hours_between * HOUR)


@cache
def plans() -> tuple[Plan, ...]:
    """The table, the kind of all other duty grids first.

    Raises:
        PlanError: a row without provenance, with an impossible value, or a name given twice.
    """
    found: list[Plan] = []
    names: set[str] = set()
    with FILE.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            also = frozenset(part for part in row["also"].split("|") if part)
            plan = Plan(
                row["kind"], row["english"], also, int(row["rounds"]), float(row["hours_between"]), row["begins"],
                row["ends"], float(row["share"]), row["provenance"],
            )  # fmt: skip
            mine = also | {plan.kind}
            if not plan.provenance or not 0 < plan.share <= 1 or plan.rounds < 0 or names & mine:
                raise PlanError(f"plans.csv row {number}: no provenance, a value out of range, or a name given twice")
            names |= mine
            found.append(plan)
    return tuple(found)


def plan_of(duty_grid: str, attributes: Mapping[str, Any] | None, own: Patrols) -> Plan:
    """The plan of a duty grid with the county's own values on top."""
    wanted = next((str(attributes[name]).strip() for name in ATTRIBUTES if (attributes or {}).get(name)), "")  # type: ignore[index]  # only where there are attributes
    plan = next((item for item in plans() if wanted == item.kind or wanted in item.also), plans()[0])
    if plan.kind in own.plans:
        values = own.plans[plan.kind].model_dump(exclude_none=True)
        plan = replace(plan, **values)
    if duty_grid in own.rounds:
        plan = replace(plan, rounds=own.rounds[duty_grid])
    return plan


def attributes_of(stored: Any) -> dict[str, Any] | None:
    """The attributes of a duty grid as the database gives them: a JSON text, or read already."""
    found = msgspec.json.decode(stored) if isinstance(stored, str | bytes) else stored
    return found if isinstance(found, dict) else None


@lru_cache(maxsize=1000)
def _moment(day: date, written: str, zone: ZoneInfo) -> int:
    hour, minute = (int(part) for part in written.split(":"))
    midnight = datetime.combine(day + timedelta(days=hour // 24), time(hour % 24, minute), zone)
    return micros(midnight)
