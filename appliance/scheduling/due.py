"""Which jobs are due: every planned moment is run for once, a missed one later, a failed one again after a pause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from appliance.clock import HOUR, MINUTE
from appliance.scheduling.declared import Job
from appliance.scheduling.runs import Run, newest

FIRST_PAUSE, LONGEST_PAUSE = 10 * MINUTE, 4 * HOUR


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job stands.

    Attributes:
        due_at: when it is to run next; not after now means now. None where it has no plan.
        planned_at: for which planned moment that is.
        last: its newest run. failures: how many on end failed for the same moment.
    """

    job: Job
    due_at: int | None
    planned_at: int | None
    last: Run | None
    failures: int


def standing(job: Job, runs: list[Run], now: int, zone: ZoneInfo) -> Standing:
    """How a job stands, by its newest runs (the last one first)."""
    last = runs[0] if runs else None
    if job.plan is None:
        return Standing(job, None, None, last, 0)
    planned = job.plan.before(now, zone)
    tried = [run for run in runs if run.planned_at == planned]
    if any(run.ok for run in tried):
        following = job.plan.after(now, zone)
        return Standing(job, following, following, last, 0)
    failed = [run for run in tried if run.ok is False]
    due = planned
    if failed:
        pause = min(FIRST_PAUSE * 2 ** (len(failed) - 1), LONGEST_PAUSE)
        due = max(planned, (failed[0].ended_at or failed[0].started_at) + pause)
    return Standing(job, due, planned, last, len(failed))


def standings(connection: Connection, jobs: Iterable[Job], now: int, zone: ZoneInfo) -> list[Standing]:
    """How all jobs stand."""
    return [standing(job, newest(connection, job.name, now), now, zone) for job in jobs]


def due_now(found: Iterable[Standing], now: int) -> list[Standing]:
    """Those to run now, the longest overdue first."""
    return sorted(
        (each for each in found if each.due_at is not None and each.due_at <= now), key=lambda each: each.due_at or 0
    )
