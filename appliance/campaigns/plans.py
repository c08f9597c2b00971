"""Plans for weather and emergencies 大风, 暴雨, 大雪: while one runs, its classes come first for collectors and seats.

A plan names words; a class whose name holds one of them is of the plan, in whichever edition the county uses. A new
case of such a class carries the flag `plan_NAME`, by which views and maps sort it out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.codes.values import CodeClass
from appliance.errors import Conflict, FieldError, NotFound
from appliance.people.actor import Actor
from appliance.records.acts import append_act
from appliance.records.writer import Unit

FILE = Path(__file__).with_name("plans.csv")
FLAG = "plan_"

_RUNNING = text("SELECT * FROM weather_plan WHERE ended_at IS NULL ORDER BY started_at")
_ALL = text("SELECT * FROM weather_plan ORDER BY id DESC LIMIT 200")
_START = text(
    "INSERT INTO weather_plan (plan, reason, started_by, started_at) VALUES (:plan, :reason, :by, :at) "
    "ON CONFLICT DO NOTHING"
)
_END = text("UPDATE weather_plan SET ended_by = :by, ended_at = :at WHERE plan = :plan AND ended_at IS NULL")


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan: its names, the words of its classes, what comes first."""

    plan: str
    chinese: str
    english: str
    words: tuple[str, ...]
    advice: str

    def holds(self, name: str) -> bool:
        """Whether a class of this name comes first."""
        return any(word in name for word in self.words)


@cache
def plans() -> Mapping[str, Plan]:
    """Every plan by its name."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["plan"]: Plan(
                row["plan"], row["chinese"], row["english"], tuple(row["words"].split("|")), row["advice"]
            )
            for row in csv.DictReader(file)
        }


def plan_named(name: str) -> Plan:
    """A plan.

    Raises:
        NotFound: there is none of this name.
    """
    if name not in plans():
        known = ", ".join(plans())
        raise NotFound(
            f"没有预案 {name[:40]};可用 {known}。", f"There is no plan {name[:40]}; known are {known}.",
            fields=(FieldError("plan", "未知", "unknown", tuple(plans())),),
        )  # fmt: skip
    return plans()[name]


def start(unit: Unit, actor: Actor, name: str, reason: str) -> None:
    """Start a plan.

    Raises:
        NotFound: there is none. Conflict: it runs.
    """
    plan = plan_named(name)
    values = {"plan": name, "reason": reason, "by": actor.account, "at": unit.now}
    if unit.connection.execute(_START, values).rowcount != 1:
        raise Conflict(f"{plan.chinese}正在执行。", f"The plan {plan.english} runs already.")
    append_act(unit, actor.account, "plan.start", name, {"reason_length": len(reason)})


def end(unit: Unit, actor: Actor, name: str) -> None:
    """End a plan.

    Raises:
        NotFound: there is none. Conflict: it does not run.
    """
    plan = plan_named(name)
    if unit.connection.execute(_END, {"plan": name, "by": actor.account, "at": unit.now}).rowcount != 1:
        raise Conflict(f"{plan.chinese}没有在执行。", f"The plan {plan.english} does not run.")
    append_act(unit, actor.account, "plan.end", name, None)


def running_plans(connection: Connection) -> tuple[Plan, ...]:
    """The plans that run now."""
    return tuple(plans()[row.plan] for row in connection.execute(_RUNNING) if row.plan in plans())


def flags_for(running: Iterable[Plan], class_name: str) -> set[str]:
    """The flags that a new case of a class carries while these plans run."""
    return {f"{FLAG}{plan.plan}" for plan in running if plan.holds(class_name)}


def standing(connection: Connection, classes: list[CodeClass]) -> dict[str, Any]:
    """Every plan with the classes that it puts first, those that run, and what ran before."""
    rows = [
        {
            "plan": row.plan, "reason": row.reason, "started_by": row.started_by, "started_at": rfc3339(row.started_at),
            "ended_by": row.ended_by, "ended_at": rfc3339(row.ended_at),
        }
        for row in connection.execute(_ALL)
    ]  # fmt: skip
    running = {row["plan"] for row in rows if row["ended_at"] is None}
    told = [
        {
            "plan": plan.plan, "name": plan.chinese, "english": plan.english, "advice": plan.advice,
            "runs": plan.plan in running,
            "classes": [
                {"kind": each.kind, "code": each.code, "name": each.name} for each in classes if plan.holds(each.name)
            ],
        }
        for plan in plans().values()
    ]  # fmt: skip
    return {"plans": told, "history": rows}
