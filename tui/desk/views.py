"""The saved views of the desk: a name and a filter, by role, from `views.csv`. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from appliance.cases.workflow import workflow

FILE = Path(__file__).parent / "views.csv"


@dataclass(frozen=True, slots=True)
class View:
    """One view of the queue; `states` empty means every state."""

    key: str
    chinese: str
    english: str
    states: frozenset[str]
    overdue: bool = False

    def fits(self, record: dict[str, Any]) -> bool:
        """Whether a case belongs into it (overdue by its light)."""
        in_state = not self.states or record["state"] in self.states
        return in_state and (not self.overdue or record.get("light") == "red")

    def parameters(self) -> dict[str, Any]:
        """The query parameters of GET /api/v1/cases."""
        return {"state": sorted(self.states), "overdue": self.overdue}


def views_for(roles: Iterable[str]) -> tuple[View, ...]:
    """The views of somebody with these roles, in the table's order; a view that several roles have is their union."""
    held = frozenset(roles)
    found: dict[str, View] = {}
    for key, chinese, english, needed, states, overdue in _rows():
        if needed and held.isdisjoint(needed):
            continue
        before = found[key].states if key in found else frozenset()
        found[key] = View(key, chinese, english, before | states, overdue)
    return tuple(found.values())


@cache
def _rows() -> tuple[tuple[str, str, str, frozenset[str], frozenset[str], bool], ...]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            (
                row["view"],
                row["chinese"],
                row["english"],
                frozenset(part for part in row["role"].split("|") if part),
                _states(row["states"]),
                row["overdue"] == "yes",
            )
            for row in csv.DictReader(file)
        )


def _states(text: str) -> frozenset[str]:
    return workflow().open_states if text == "open" else frozenset(part for part in text.split("|") if part)
