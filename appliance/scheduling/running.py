"""Running one job: once at a time, and noted from its beginning to its end."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from appliance.cases.office import Office
from appliance.errors import BadHome, Conflict, WanmiError
from appliance.lock import hold, is_held
from appliance.records.store import Records
from appliance.scheduling import runs
from appliance.scheduling.declared import Job, job_named

LOCKS = "locks"
CLOCK = "clock"
"""Who ran what the scheduler ran."""
INTERRUPTED = ("中断: 停机或被终止", "interrupted: the machine stopped, or it was ended")


def run_job(office: Office, name: str, by: str) -> runs.Run:
    """Run a job now and return its run.

    Raises:
        NotFound: no such job. Conflict: it runs already. And what the job raises; that it failed is noted then.
    """
    records = office.records
    job = job_named(name, office.settings.schedule)
    with _alone(records.home, job):
        planned = None if job.plan is None else job.plan.before(records.clock.now(), office.settings.zone)
        run = runs.begin(records, name, planned, by)
        failed: tuple[str, str] | None = INTERRUPTED
        result: dict[str, Any] = {}
        try:
            result, failed = job.load()(office), None
        except WanmiError as error:
            failed = (error.zh, error.en)
            raise
        except Exception as error:
            failed = (f"出错: {error!r}", f"failed: {error!r}")
            raise
        finally:
            runs.end(records, run, name, result, failed)
    with records.read() as connection:
        return next(each for each in runs.newest(connection, name, records.clock.now()) if each.id == run)


def is_running(home: Path, name: str) -> bool:
    """Whether a job runs now, here or in another process."""
    return is_held(home / LOCKS, name)


def end_interrupted(records: Records) -> None:
    """Note of the runs that did not end and do not go on: they were interrupted."""
    with records.read() as connection:
        left = runs.running(connection)
    for run, name in left:
        if not is_running(records.home, name):
            runs.end(records, run, name, {}, INTERRUPTED)


def _alone(home: Path, job: Job) -> IO[str]:
    (home / LOCKS).mkdir(mode=0o700, exist_ok=True)
    with suppress(BadHome):
        return hold(home / LOCKS, job.name)
    raise Conflict(
        f"任务 {job.name} ({job.zh}) 正在运行;请等它结束。", f"The job {job.name} is running; wait until it has ended."
    )
