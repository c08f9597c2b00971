"""How the jobs stand, for programs and people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from appliance.clock import rfc3339
from appliance.scheduling.declared import jobs
from appliance.scheduling.due import Standing, standings
from appliance.scheduling.running import is_running
from appliance.scheduling.runs import Run
from appliance.settings import Settings


def tell_jobs(connection: Connection, home: Path, settings: Settings, now: int) -> list[dict[str, Any]]:
    """Every job: what it does, its plan, when it runs next, whether it runs now, how its last run ended."""
    found = standings(connection, jobs(settings.schedule), now, settings.zone)
    return [_told(each, is_running(home, each.job.name)) for each in found]


def _told(each: Standing, runs_now: bool) -> dict[str, Any]:
    job = each.job
    return {
        "name": job.name, "zh": job.zh, "en": job.en, "plan": job.plan.written if job.plan else None,
        "next_at": rfc3339(each.due_at), "running": runs_now, "failures": each.failures,
        "last": None if each.last is None else tell_run(each.last),
    }  # fmt: skip


def tell_run(run: Run) -> dict[str, Any]:
    """One run."""
    return {
        "name": run.name, "started_at": rfc3339(run.started_at), "ended_at": rfc3339(run.ended_at), "by": run.by,
        "ok": run.ok, "result": run.result, "zh": run.zh, "en": run.en,
    }  # fmt: skip
