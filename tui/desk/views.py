"""The saved views of the desk: a name and a filter, by role from `views.csv`, and a person's own. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from appliance.cases.workflow import workflow

FILE = Path(__file__).parent / "views.csv"
OWN = "own:"
"""Begins the key of a person's own view."""

Extra = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class View:
    """One view of the queue; `states` empty means every state, `extra` are further parameters of GET /api/v1/cases."""

    key: str
    chinese: str
    english: str
    states: frozenset[str]
    overdue: bool = False
    extra: Extra = ()

    def fits(self, record: dict[str, Any]) -> bool:
        """Whether a case belongs into it (overdue by its light); what only the node can tell counts as yes."""
        in_state = not self.states or record["state"] in self.states
        plain = {"department": record["department"], "code": record["code"]}
        same = all(plain.get(name, value) == value for name, value in self.extra)
        return in_state and same and (not self.overdue or record.get("light") == "red")

    @property
    def is_told_by_the_node(self) -> bool:
        """Whether only the node can say if a case belongs into it."""
        return any(name not in ("department", "code") for name, _ in self.extra)

    def parameters(self) -> dict[str, Any]:
        """The query parameters of GET /api/v1/cases."""
        return {"state": sorted(self.states), "overdue": self.overdue, **dict(self.extra)}

    def as_setting(self) -> dict[str, Any]:
        """For keeping at the node."""
        return {
            "name": self.chinese, "states": sorted(self.states), "overdue": self.overdue, "extra": dict(self.extra)
        }  # fmt: skip


def own_view(setting: dict[str, Any]) -> View | None:
    """A person's own view as it was kept; None for one that cannot be read any more."""
    name, states, extra = setting.get("name"), setting.get("states"), setting.get("extra")
    if not isinstance(name, str) or not isinstance(states, list) or not isinstance(extra, dict):
        return None
    known = frozenset(str(state) for state in states) & workflow().states.keys()
    pairs = tuple(sorted((str(key), str(value)) for key, value in extra.items()))
    return View(f"{OWN}{name}", name, name, known, bool(setting.get("overdue")), pairs)


def views_for(roles: Iterable[str]) -> tuple[View, ...]:
    """The views of somebody with these roles, in the table's order; a view that several roles have is their union."""
    held = frozenset(roles)
    found: dict[str, View] = {}
    for row in _rows():
        needed = frozenset(part for part in row["role"].split("|") if part)
        if needed and held.isdisjoint(needed):
            continue
        key, states = row["view"], _states(row["states"])
        before = found[key].states if key in found else frozenset()
        extra = tuple(pair.split("=", 1) for pair in row["extra"].split("|") if pair)
        pairs = tuple((name, value) for name, value in extra)
        found[key] = View(key, row["chinese"], row["english"], before | states, row["overdue"] == "yes", pairs)
    return tuple(found.values())


@cache
def _rows() -> tuple[dict[str, str], ...]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _states(text: str) -> frozenset[str]:
    return workflow().open_states if text == "open" else frozenset(part for part in text.split("|") if part)
