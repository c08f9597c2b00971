"""Full histories for a year of a large county's cases, in place of their four rows: about ten rows each, with clocks.

The rows are those the engine would write for a way through the workflow that ends in the state the case has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from appliance.cases.workflow import workflow
from appliance.clock import HOUR, MINUTE
from appliance.records.engine import connect_sqlite

WAY = (
    "report", "ask_verify", "verify_true", "file", "dispatch", "take", "finish", "ask_check", "check_pass", "close",
    "callback",
)  # fmt: skip
RETURNED = ("return", "dispatch", "take")
REWORKED = ("check_fail", "finish", "ask_check", "check_pass")
SHORT = {
    "rejected": ("report", "ask_verify", "verify_false", "reject"), "merged": ("report", "merge"),
    "void": (*WAY[:6], "void"),
}  # fmt: skip
HOURS = {"verify": 12, "handle": 48, "check": 12}
"""The limits of clocks, in hours; half an hour for every other."""
PEOPLE = {"collector": ("l", 60), "acceptor": ("s", 20), "shift_leader": ("z", 6), "dispatcher": ("p", 12),
          "department": ("d", 80), "public": ("public", 1)}  # fmt: skip

_CASES = (
    "SELECT id, number, state, is_open, department, reported_at FROM cases "
    "WHERE reported_at >= ? AND reported_at < ? ORDER BY id"
)
_NEW = "CREATE TEMP TABLE new_action AS SELECT * FROM case_action WHERE 0"
_ADD = (
    "INSERT INTO temp.new_action (case_id, seq, number, action, actor, actor_name, role, at, from_state, to_state, "
    "clock_started, clock_stopped, due_at, detail, previous, hash) "
    "VALUES (?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, '', '')"
)
_COLUMNS = (
    "case_id, seq, number, action, actor, actor_name, role, at, from_state, to_state, clock_started, clock_stopped, "
    "due_at, detail, previous, hash"
)


def make(database: Path, start: int, end: int) -> int:
    """Write them for the cases reported in [start, end), in the order of time as a year would; how many cases."""
    connection = connect_sqlite(database, cache_kib=400_000, read_only=False)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute(_NEW)
        closed, keys = [], []
        for row in connection.execute(_CASES, (start, end)).fetchall():
            steps = list(_steps(*row))
            connection.executemany(_ADD, steps)
            keys.append((row[0],))
            closed += [(step[6], row[0]) for step in steps if step[3] == "close"]
        connection.executemany("DELETE FROM case_action WHERE case_id = ?", keys)
        connection.execute(
            f"INSERT INTO case_action ({_COLUMNS}) SELECT {_COLUMNS} FROM temp.new_action ORDER BY at, case_id"
        )
        connection.executemany("UPDATE cases SET closed_at = ? WHERE id = ?", closed)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    return len(keys)


def _steps(
    id_: int, number: str, state: str, is_open: int, department: str, reported_at: int
) -> Iterator[tuple[Any, ...]]:
    """The history rows of a case."""
    random, actions = Random(id_), workflow().actions
    at, before, clock, collector = reported_at, None, None, _one(random, "collector")
    for seq, name in enumerate(_way(random, state, bool(is_open)), start=1):
        action = actions[name]
        role = "public" if name == "report" else action.role_order[0]
        actor = collector if role == "collector" else _one(random, role)
        started, stopped = action.started, clock if clock in action.stopped else None
        limit = HOURS.get(started or "", 0.5) * HOUR
        after = action.target or before
        detail = {"department": department} if name in ("dispatch", "finish", "return", "check_fail") else \
            {"collector": collector, "drawn": False} if name in ("ask_verify", "ask_check") else \
            {"answer": random.choice(("satisfied", "satisfied", "dissatisfied"))} if name == "callback" else \
            {"method": "site", "proven": True} if role == "collector" else None  # fmt: skip
        yield (
            id_, seq, number, name, actor, role, at, before, after, started, stopped,
            None if started is None else round(at + limit), None if detail is None else json.dumps(detail),
        )  # fmt: skip
        clock, before = started or (None if stopped else clock), after
        wait = HOURS.get(clock or "", 0.5) * HOUR
        at += round(MINUTE + wait * random.random() * 1.1)


def _way(random: Random, state: str, is_open: bool) -> Iterator[str]:
    if state in SHORT:
        yield from SHORT[state]
        return
    for name in WAY:
        if name == "finish" and random.random() < 0.05:
            yield from RETURNED
        if name == "check_pass" and random.random() < 0.08:
            yield from REWORKED
        else:
            yield name
        if is_open and workflow().actions[name].target == state:
            return


def _one(random: Random, role: str) -> str:
    name, count = PEOPLE[role]
    return name if count == 1 else f"{name}{random.randrange(1, count + 1)}"
