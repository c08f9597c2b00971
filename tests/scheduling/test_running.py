"""The box does its work by itself: what is due is run, noted, seen, and made up after a stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from appliance import cli
from appliance.clock import DAY
from appliance.doctor import examine
from appliance.lock import hold
from appliance.records.store import Records, glance
from appliance.scheduling.declared import jobs
from appliance.scheduling.scheduler import keep_schedule
from tests.cases.desk import ZONE, Desk
from tests.devices.waiting import until
from tests.nodes import RunningNode


def daily() -> str:
    """A plan whose last moment was hours ago, whenever the story is told."""
    return f"daily {datetime.now(ZONE) - timedelta(hours=6):%H}:00"


@pytest.fixture
def box(home: Path) -> Path:
    """A county at work for some days, on which two jobs have a plan and the others none."""
    planned = {"resume": "every 15m", "close-periods": daily()}
    lines = [f'{job.name} = "{planned.get(job.name, "off")}"' for job in jobs({})]
    desk = Desk(home, start=f"{datetime.now(ZONE) - timedelta(days=3):%Y-%m-%d} 09:00")
    desk.report()
    desk.close()
    file = home / "wanmi.toml"
    file.write_text(file.read_text() + "\n[schedule]\n" + "\n".join(lines) + "\n")
    return home


def wanmi(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance", *arguments, "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
    )


def listed(home: Path) -> dict[str, dict[str, Any]]:
    """`wanmi jobs list`."""
    done = CliRunner().invoke(cli.wanmi, ["jobs", "list", "--json", "--home", str(home)])
    assert done.exit_code == 0, done.output
    return {job["name"]: job for job in json.loads(done.stdout)["items"]}


def once(home: Path) -> int:
    """One look of the scheduler, its jobs in processes of their own; how many failed."""
    return keep_schedule(home, Event(), once=True)


def runs(home: Path) -> list[tuple[str, str, bool | None]]:
    with glance(home) as connection:
        rows = connection.execute(text("SELECT name, by, ok FROM job_run ORDER BY id"))
        return [(row.name, row.by, None if row.ok is None else bool(row.ok)) for row in rows]


def schedule_findings(home: Path) -> list[tuple[str, str]]:
    return [(found.result, found.en) for found in examine(home) if found.check.startswith("schedule")]


def test_what_is_due_is_run_once_and_what_was_missed_is_made_up(box: Path) -> None:
    planned = listed(box)["close-periods"]["plan"]
    assert planned.startswith("daily")
    assert listed(box)["resume"]["last"] is None
    assert [result for result, _ in schedule_findings(box)] == ["warning"], "a new box ran nothing yet"
    assert once(box) == 0
    assert sorted(runs(box)) == [("close-periods", "clock", True), ("resume", "clock", True)]
    assert once(box) == 0
    assert len([run for run in runs(box) if run[0] == "close-periods"]) == 1, "its moment has been run for"
    assert schedule_findings(box) == [("passed", f"{len(jobs({}))} jobs run on time")]
    told = listed(box)["close-periods"]
    assert (told["plan"], told["last"]["ok"], told["running"]) == (planned, True, False)

    _days_pass(box, 9)
    assert [result for result, _ in schedule_findings(box)] == ["warning"], "the box was off for nine days"
    assert once(box) == 0
    assert len([run for run in runs(box) if run[0] == "close-periods"]) == 2, "made up once, not nine times"


def _days_pass(home: Path, days: int) -> None:
    records = Records.open(home)
    shift = text(
        "UPDATE job_run SET planned_at = planned_at - :by, started_at = started_at - :by, ended_at = ended_at - :by"
    )
    records.write(lambda unit: unit.connection.execute(shift, {"by": days * DAY}) and None)
    records.close()


def test_a_job_that_fails_is_told_with_its_reason_and_tried_again_later(box: Path) -> None:
    file = box / "wanmi.toml"
    good = file.read_text()
    file.write_text(good + '\n[scoring]\npack = "nowhere"\n')
    assert once(box) == 1
    told = listed(box)["close-periods"]
    assert (told["last"]["ok"], told["failures"]) == (False, 1)
    assert "nowhere" in told["last"]["zh"]
    assert any(result == "failed" and "nowhere" in en for result, en in schedule_findings(box))
    file.write_text(good)
    assert once(box) == 0
    assert listed(box)["close-periods"]["failures"] == 1, "not before the pause is over"
    assert wanmi(box, "jobs", "run", "close-periods").returncode == 0, "but by hand at once"
    assert listed(box)["close-periods"]["last"]["by"] == "technician"
    assert [result for result, _ in schedule_findings(box)] == ["passed"]


def test_a_run_that_was_cut_off_is_noted_as_interrupted(box: Path) -> None:
    command = subprocess.Popen([sys.executable, "-m", "appliance", "jobs", "run", "close-periods", "--home", str(box)])
    until(lambda: runs(box), "it began")
    command.kill()
    command.wait()
    assert runs(box) == [("close-periods", "technician", None)]
    assert once(box) == 0
    assert runs(box)[0] == ("close-periods", "technician", False)
    assert "interrupted" in listed(box)["close-periods"]["last"]["en"]


def test_the_scheduler_ends_when_told_and_there_is_one_for_a_home(box: Path) -> None:
    scheduler = subprocess.Popen([sys.executable, "-m", "appliance", "scheduler", "--home", str(box)])
    until(lambda: (box / "scheduler.lock").exists() and (box / "scheduler.lock").read_text(), "it runs")
    second = wanmi(box, "scheduler")
    assert (second.returncode, str(scheduler.pid) in second.stderr) == (1, True)
    scheduler.send_signal(signal.SIGTERM)
    assert scheduler.wait(10) == 0


def test_a_job_is_run_over_http_and_refused_while_it_runs(shared_node: RunningNode) -> None:
    client, locks = shared_node.client("z1"), shared_node.home / "locks"
    assert client.post("/api/v1/jobs/forget-calls").json()["result"] == {"forgotten": 0}
    told = {job["name"]: job for job in client.get("/api/v1/jobs").json()["items"]}
    assert (told["forget-calls"]["last"]["by"], told["forget-calls"]["last"]["ok"]) == ("z1", True)
    with hold(locks, "forget-calls"):
        refused = client.post("/api/v1/jobs/forget-calls", headers={"Accept-Language": "en"})
        assert (refused.status_code, "is running" in refused.json()["detail"]) == (409, True)
        told = {job["name"]: job for job in client.get("/api/v1/jobs").json()["items"]}
        assert told["forget-calls"]["running"] is True
    assert 'wanmi_job_well{job_name="forget-calls"} 1.0' in client.get("/metrics").text


def test_looking_does_not_take_the_lock_away(home: Path) -> None:
    """Who only asks whether a lock is held never makes another one's start fail."""
    from appliance.lock import is_held

    ending = Event()

    def look() -> None:
        while not ending.is_set():
            is_held(home, "trial")
            ending.wait(0.001)

    looker = Thread(target=look)
    looker.start()
    try:
        for _ in range(200):
            hold(home, "trial").close()
    finally:
        ending.set()
        looker.join()
