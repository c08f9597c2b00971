"""The workflow as a table: which action leads from which states to which, who may do it, which clocks run.

Three tables beside this file are loaded and validated: `workflow.csv` (the loop), `states.csv` (the states and their
names), `actions.csv` (what a caller must and may send with an action, and its key in the console). This module is
pure: the console loads it too, so it imports nothing of the records.

Source of the loop: CJ/T 315-2009 and GB/T 30428.8-2020, seven stages; details in docs/workflow.md.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
ANY_OPEN = "any open"
ANY = "any"
CLOCKS = ("accept", "verify", "file", "dispatch", "handle", "ask_check", "check", "close", "coordinate")
ROLES = (
    "collector", "acceptor", "shift_leader", "dispatcher", "department", "leader", "assessor", "admin", "technician",
)  # fmt: skip
MACHINE_ROLES = ("public", "prefecture", "device", "clock")
FIELDS = frozenset(
    [
        "department",
        "condition",
        "collector",
        "result",
        "until",
        "reason",
        "into",
        "method",
        "answer",
        "lon",
        "lat",
        "at",
        "evidence",
        "note",
        "basis",
        "code",
        "kind",
        "part",
        "address",
        "description",
        "supervision",
        "instruction",
    ]
)


class WorkflowError(ValueError):
    """A table of the workflow contradicts itself; the message names file, row and field."""


@dataclass(frozen=True, slots=True)
class State:
    """A state of a case: its key, its names, whether the case is still open in it."""

    key: str
    chinese: str
    english: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Action:
    """A row of the loop.

    Attributes:
        sources: the states it starts from; empty for an action that makes a case.
        target: the state it leads to, None when the state stays.
        role_order: the roles that may take it, in the table's order: the first one that fits is the one it is taken in.
        stopped: the clocks it stops; `all` stands for every running clock of the case.
        called_by: `create` (POST cases), `act` (POST actions), `request` (an approved request), `machine`.
        needs, may: names of the fields a caller must and may send.
    """

    name: str
    chinese: str
    english: str
    note: str
    sources: frozenset[str]
    target: str | None
    roles: frozenset[str]
    role_order: tuple[str, ...]
    started: str | None
    stopped: frozenset[str]
    called_by: str
    needs: tuple[str, ...]
    may: tuple[str, ...]
    key: str

    def possible_from(self, state: str) -> bool:
        """Whether the action may be taken from this state."""
        return state in self.sources

    def open_to(self, roles: Iterable[str]) -> bool:
        """Whether one of these roles may take it."""
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Workflow:
    """The whole loop."""

    states: dict[str, State]
    actions: dict[str, Action]

    def allowed(self, state: str, roles: Iterable[str] | None = None) -> list[Action]:
        """The actions possible from a state, for any of `roles` if given, in the table's order."""
        roles = None if roles is None else frozenset(roles)
        return [
            action
            for action in self.actions.values()
            if action.possible_from(state) and (roles is None or action.open_to(roles))
        ]

    @property
    def open_states(self) -> frozenset[str]:
        """The states in which a case is still open."""
        return frozenset(key for key, state in self.states.items() if state.is_open)


@cache
def workflow() -> Workflow:
    """The loop of this house, loaded and validated once.

    Raises:
        WorkflowError: a table names an unknown state, role, clock or field.
    """
    return load(HERE)


def load(folder: Path) -> Workflow:
    """Read and validate the three tables in a folder."""
    states = {
        row["state"]: State(row["state"], row["chinese"], row["english"], row["open"] == "yes")
        for row in _rows(folder / "states.csv")
    }
    details = {row["action"]: row for row in _rows(folder / "actions.csv")}
    actions: dict[str, Action] = {}
    for line, row in enumerate(_rows(folder / "workflow.csv"), start=2):
        action = _action(row, details, states, f"workflow.csv row {line}")
        actions[action.name] = action
    unknown = details.keys() - actions.keys()
    if unknown:
        raise WorkflowError(f"actions.csv: no such action in workflow.csv: {', '.join(sorted(unknown))}")
    return Workflow(states, actions)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _action(row: dict[str, str], details: dict[str, dict[str, str]], states: dict[str, State], where: str) -> Action:
    name = row["action"]
    if name not in details:
        raise WorkflowError(f"{where}: action {name} has no row in actions.csv")
    detail = details[name]
    target = row["to"] or None
    if target is not None:
        _known({target}, states, f"{where}, to")
    roles = _split(row["role"])
    if roles == {ANY}:
        roles = frozenset(ROLES)
    _known(roles, (*ROLES, *MACHINE_ROLES), f"{where}, role")
    started = row["clock_started"] or None
    stopped = frozenset(CLOCKS) if row["clock_stopped"] == "all" else _split(row["clock_stopped"]) - {"supervise"}
    _known(stopped | ({started} if started else set()), (*CLOCKS, "supervise"), f"{where}, clock")
    needs, may = tuple(sorted(_split(detail["needs"]))), tuple(sorted(_split(detail["may"])))
    _known({*needs, *may}, FIELDS, f"actions.csv, {name}")
    if detail["called_by"] not in ("create", "act", "request", "machine"):
        raise WorkflowError(f"actions.csv, {name}, called_by: {detail['called_by']!r}")
    return Action(
        name=name,
        chinese=row["chinese"],
        english=detail["english"],
        note=row["note"],
        sources=_sources(row["from"], states, where),
        target=target,
        roles=roles,
        role_order=tuple(role for role in row["role"].split("|") if role in roles) or ROLES,
        started=None if started == "supervise" else started,
        stopped=stopped,
        called_by=detail["called_by"],
        needs=needs,
        may=may,
        key=detail["key"],
    )


def _sources(text: str, states: dict[str, State], where: str) -> frozenset[str]:
    if text == ANY:
        return frozenset(states)
    if text == ANY_OPEN:
        return frozenset(key for key, state in states.items() if state.is_open)
    found = _split(text)
    _known(found, states, f"{where}, from")
    return found


def _split(text: str) -> frozenset[str]:
    return frozenset(part for part in text.split("|") if part)


def _known(names: Iterable[str], known: Iterable[str], where: str) -> None:
    unknown = set(names) - set(known)
    if unknown:
        raise WorkflowError(f"{where}: unknown {', '.join(sorted(unknown))}")
