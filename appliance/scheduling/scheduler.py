"""The scheduler: looks which jobs are due and runs them one after another, each as a `wanmi` command of its own.

What it knows is in the records, so it may be stopped and killed at any moment; what was missed meanwhile is made up
after the start. A job that hangs is ended after hours and tried again.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event
from time import monotonic

import structlog

from appliance.clock import SystemClock
from appliance.errors import WanmiError
from appliance.log import configure
from appliance.records.store import Records, glance
from appliance.scheduling.declared import jobs
from appliance.scheduling.due import Standing, due_now, standings
from appliance.scheduling.running import end_interrupted, is_running
from appliance.settings import load

FIRST_SECONDS, LOOK_SECONDS, STOP_SECONDS = 20.0, 20.0, 10.0
LONGEST_SECONDS = 6 * 3600.0
WORDS_KEPT = 400


def keep_schedule(home: Path, ending: Event, *, once: bool = False, first: float = FIRST_SECONDS) -> int:
    """Run what is due until told to end; returns how many runs failed.

    Args:
        once: run what is due now, and return. first: seconds to wait before the first look, for the node to start.

    Raises:
        BadHome: there is no home.
    """
    configure(home, "scheduler")
    records = Records.open(home)
    try:
        end_interrupted(records)
    finally:
        records.close()
    failed = 0
    if not once:
        ending.wait(first)
    while not ending.is_set():
        for each in _due(home):
            if ending.is_set():
                break
            failed += not _run(home, each, ending)
        if once:
            break
        ending.wait(LOOK_SECONDS)
    return failed


def _due(home: Path) -> list[Standing]:
    """What is to run now; nothing while the home cannot be read."""
    now = SystemClock().now()
    try:
        settings = load(home)
        with glance(home) as connection:
            found = standings(connection, jobs(settings.schedule), now, settings.zone)
    except WanmiError as error:
        structlog.get_logger("wanmi").error("schedule", error=error.en)
        return []
    return [each for each in due_now(found, now) if not is_running(home, each.job.name)]


def _run(home: Path, due: Standing, ending: Event) -> bool:
    """Run a job in a process of its own; returns whether it went well."""
    began, log = monotonic(), structlog.get_logger("wanmi")
    child = subprocess.Popen(
        [sys.executable, "-m", "appliance", "jobs", "run", due.job.name, "--home", str(home), "--by-clock"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    said = b""
    while True:
        try:
            _, said = child.communicate(timeout=0.3)
            break
        except subprocess.TimeoutExpired:
            if ending.is_set() or monotonic() - began > LONGEST_SECONDS:
                said = _end(child)
                break
    seconds, well = round(monotonic() - began, 1), child.returncode == 0
    if well:
        log.info("job", name=due.job.name, seconds=seconds)
    else:
        words = said.decode(errors="replace").strip()[-WORDS_KEPT:]
        log.error("job", name=due.job.name, seconds=seconds, code=child.returncode, said=words)
    return well


def _end(child: subprocess.Popen[bytes]) -> bytes:
    child.terminate()
    try:
        return child.communicate(timeout=STOP_SECONDS)[1]
    except subprocess.TimeoutExpired:
        child.kill()
        return child.communicate()[1]
