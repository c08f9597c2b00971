"""The jobs there are, entry points `wanmi.jobs` (`module:function(office) -> dict`), and when each of them is to run.

`schedule.csv` has the plan of every job of ours; `[schedule]` in `wanmi.toml` changes it, as in
`make-papers = "daily 06:00"` or `forget-calls = "off"`, and gives one to the jobs of others.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from appliance.errors import FieldError, NotFound
from appliance.scheduling.plan import JobPlan

if TYPE_CHECKING:
    from appliance.cases.office import Office

Work = Callable[["Office"], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Job:
    """A job: its name, when it runs (None: by hand only), what it does in both languages."""

    name: str
    plan: JobPlan | None
    zh: str
    en: str
    entry: EntryPoint

    def load(self) -> Work:
        """The function that does it."""
        work: Work = self.entry.load()
        return work


def jobs(changed: Mapping[str, str]) -> list[Job]:
    """Every job, in the order of the schedule, others after it by name.

    Args:
        changed: plans by name, as in `[schedule]`.
    """
    planned = _schedule()
    order = list(planned)
    found = []
    for name, entry in _entries().items():
        plan, zh, en = planned.get(name, ("off", name, name))
        found.append(Job(name, JobPlan.parse(changed.get(name, plan)), zh, en, entry))
    return sorted(found, key=lambda job: (order.index(job.name) if job.name in planned else len(order), job.name))


def job_named(name: str, changed: Mapping[str, str]) -> Job:
    """A job by its name.

    Raises:
        NotFound: there is none; those there are are named.
    """
    known = {job.name: job for job in jobs(changed)}
    if name not in known:
        raise NotFound(
            f"没有任务 {name};可用: {'、'.join(sorted(known))}。",
            f"There is no job {name}; known: {', '.join(sorted(known))}.",
            fields=(FieldError("name", "没有这个任务", "no such job", tuple(sorted(known))),),
        )
    return known[name]


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group="wanmi.jobs")}


@cache
def _schedule() -> dict[str, tuple[str, str, str]]:
    """JobPlan and titles by name; a wrong plan is an error of ours and ends the program."""
    with (files(__package__) / "schedule.csv").open(encoding="utf-8") as file:
        rows = {row["name"]: (row["plan"], row["zh"], row["en"]) for row in csv.DictReader(file)}
    for plan, *_ in rows.values():
        JobPlan.parse(plan)
    return rows
