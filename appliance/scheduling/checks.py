"""What the schedule lets the doctor check: that jobs run on time and well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from appliance.clock import HOUR, SystemClock
from appliance.doctor import Finding
from appliance.errors import BadHome
from appliance.lock import is_held
from appliance.records.store import glance
from appliance.scheduling.declared import jobs
from appliance.scheduling.due import Standing, standings
from appliance.settings import load

LATE = 2 * HOUR


def check_schedule(home: Path) -> Iterator[Finding]:
    """Jobs that failed last, or should have run hours ago; plans for jobs that do not exist."""
    try:
        settings = load(home)
        known, now = jobs(settings.schedule), SystemClock().now()
        with glance(home) as connection:
            found = standings(connection, known, now, settings.zone)
    except BadHome as error:
        yield Finding("schedule.jobs", "skipped", error.zh, error.en)
        return
    unknown = sorted(set(settings.schedule) - {job.name for job in known})
    if unknown:
        names = ", ".join(unknown)
        yield Finding(
            "schedule.plans", "warning", f"[schedule] 中没有这些任务: {names}",
            f"[schedule] has plans for jobs that do not exist: {names}",
        )  # fmt: skip
    failed = [each for each in found if each.last is not None and each.last.ok is False]
    for each in failed:
        assert each.last is not None
        zh = f"任务 {each.job.name} ({each.job.zh}) 上次失败: {each.last.zh};可 wanmi jobs run {each.job.name}"
        en = f"the job {each.job.name} failed last: {each.last.en}; try wanmi jobs run {each.job.name}"
        yield Finding("schedule.jobs", "failed", zh, en)
    late = [each.job.name for each in found if each not in failed and _is_late(each, now)]
    if late:
        runs = is_held(home, "scheduler")
        zh, en = f"到点未运行的任务: {'、'.join(late)}", f"jobs that did not run on time: {', '.join(late)}"
        if not runs:
            zh, en = f"{zh};调度没有运行,请启动 wanmi up", f"{en}; the scheduler does not run, start wanmi up"
        yield Finding("schedule.jobs", "warning", zh, en)
    elif not failed:
        yield Finding("schedule.jobs", "passed", f"{len(known)} 项任务按时运行", f"{len(known)} jobs run on time")


def _is_late(each: Standing, now: int) -> bool:
    return each.due_at is not None and each.due_at < now - LATE
