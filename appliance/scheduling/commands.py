"""`wanmi jobs` and `wanmi scheduler`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

import click

from appliance.options import home_option, json_option, say, show


@click.group()
def jobs() -> None:
    """What the box does by itself: closing periods, papers, retention and the like; when, and how it went.

    Plans are written in wanmi.toml under [schedule], as in make-papers = "daily 06:00" or forget-calls = "off". Forms:
    every 15m, every 6h, daily 03:10, weekly mon 04:00, monthly 2 05:00, off.
    """


@jobs.command("list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """Every job: its plan, when it runs next, how its last run ended."""
    from appliance.records.store import Records
    from appliance.scheduling.telling import tell_jobs

    records = Records.open(home)
    try:
        with records.read() as connection:
            found = tell_jobs(connection, home, records.settings, records.clock.now())
    finally:
        records.close()
    if as_json:
        show({"items": found})
        return
    for job in found:
        click.echo(f"{job['name']:<24}{job['plan'] or '-':<18}{_how(job)}")
        click.echo(f"    {job['zh']} / {job['en']}")


def _how(job: dict[str, Any]) -> str:
    last = job["last"]
    if job["running"]:
        return "正在运行 / running"
    following = f"下次 / next {job['next_at'] or '-'}"
    if last is None:
        return f"尚未运行 / never ran  {following}"
    if last["ok"] is False:
        return f"失败 / failed {last['ended_at']}: {last['zh']} {last['en']}  {following}"
    return f"完成 / done {last['ended_at'] or '-'}  {following}"


@jobs.command()
@click.argument("name")
@click.option("--by-clock", is_flag=True, hidden=True, help="The scheduler runs it.")
@home_option
@json_option
def run(name: str, by_clock: bool, home: Path, as_json: bool) -> None:
    """Run a job now. What it did is printed; it is refused while the same job runs already.

    \b
    Example:
      wanmi jobs run make-papers
    """
    from appliance.cases.office import Office
    from appliance.scheduling.running import CLOCK, run_job
    from appliance.scheduling.telling import tell_run

    signal.signal(signal.SIGTERM, _end)
    office = Office.open(home)
    try:
        done = run_job(office, name, CLOCK if by_clock else "technician")
    finally:
        office.close()
    if as_json:
        show(tell_run(done))
        return
    facts = "  ".join(f"{key} {value}" for key, value in done.result.items())
    say(f"{name} 完成 / done: {facts or '-'}")


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(1)


@click.command()
@click.option("--once", is_flag=True, help="Run what is due now, and end.")
@home_option
def scheduler(once: bool, home: Path) -> None:
    """Run the jobs of `wanmi jobs list` on time, until told to stop; `wanmi up` runs it beside the node.

    What was missed while the box was off is made up after the start, once. A job that failed is tried again after ten
    minutes, then after longer pauses. Exit code with --once: 1 if a job failed.
    """
    from appliance.lock import hold
    from appliance.scheduling.scheduler import keep_schedule
    from appliance.settings import load

    load(home)
    ending = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    with hold(home, "scheduler", "调度", "scheduler"):
        os.nice(5)
        failed = keep_schedule(home, ending, once=once)
    if once and failed:
        sys.exit(1)
