"""The doctor says early what goes wrong with the box: the disk, the memory, the clock, the writer, the passwords."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from appliance.doctor import Finding, examine
from appliance.machine import checks, clock, disk
from appliance.people.accounts import hash_password
from appliance.records import schema
from appliance.records.store import DATABASE
from appliance.settings import load
from tests import homes
from tests.nodes import RunningNode

ALERTS = Path(__file__).parents[2] / "docs" / "examples" / "wanmi-alerts.yml"


def found(home: Path, check: str) -> Finding:
    return next(each for each in examine(home) if each.check == check)


def command(folder: Path, name: str, says: str, code: int = 0) -> None:
    """A program of the machine that answers as the real one does."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\nexit {code}\n")
    (folder / name).chmod(0o755)


def test_a_healthy_home_has_nothing_to_say_about_its_machine(home: Path) -> None:
    told = {each.check: each.result for each in examine(home)}
    assert told["clock.records"] == "passed"
    assert told["people.passwords"] == "passed"
    assert told["database.answered"] == "passed"
    assert told["database.writer"] == "passed"
    assert {told["machine.memory"], told["machine.disk"], told["clock.source"]} <= {"passed", "warning", "skipped"}


@pytest.mark.parametrize(("free", "result"), [(2_000_000, "passed"), (400_000, "warning"), (100_000, "failed")])
def test_memory_that_runs_out_is_named(tmp_path: Path, free: int, result: str) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal:        4000000 kB\nMemAvailable:    {free} kB\n")
    assert checks._memory(tmp_path / "meminfo").result == result


@pytest.mark.parametrize(
    ("says", "result"),
    [('{"smart_status": {"passed": true}}', "passed"), ('{"smart_status": {"passed": false}}', "failed"),
     ('{"smartctl": {"messages": [{"string": "Unable to detect device type"}]}}', "skipped"), ("no json", "skipped")],
)  # fmt: skip
def test_a_disk_that_says_it_is_failing_is_backed_up_first(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, result: str
) -> None:
    command(tmp_path / "bin", "smartctl", says)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(checks, "device_of", lambda _: "/dev/sda")
    said = found(home, "machine.disk")
    assert said.result == result
    assert result != "failed" or "backup now" in said.en


def test_the_disk_under_a_partition_is_the_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    number = os.stat(tmp_path).st_dev
    whole = tmp_path / "sys" / "devices" / "null"
    (whole / "null1").mkdir(parents=True)
    (whole / "null1" / "partition").write_text("1")
    (tmp_path / "block").mkdir()
    (tmp_path / "block" / f"{os.major(number)}:{os.minor(number)}").symlink_to(whole / "null1")
    monkeypatch.setattr(disk, "BLOCK", tmp_path / "block")
    assert disk.device_of(tmp_path) == "/dev/null"
    monkeypatch.setattr(disk, "BLOCK", tmp_path / "nothing")
    assert disk.device_of(tmp_path) is None


@pytest.mark.parametrize(
    ("says", "expected"),
    [("Leap status     : Normal", ("chrony", True)), ("Leap status     : Not synchronised", ("chrony", False))],
)
def test_where_the_time_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, expected: tuple[str, bool]
) -> None:
    command(tmp_path / "bin", "chronyc", says)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert clock.source_of_time() == expected


@pytest.mark.sqlite("SQLite has one lock")
def test_an_import_that_holds_the_database_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.records import checks as records_checks

    monkeypatch.setattr(records_checks, "WRITER_PATIENCE", 0)
    with closing(sqlite3.connect(home / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        said = found(home, "database.writer")
        assert (said.result, "import" in said.en) == ("failed", True)
        other.execute("ROLLBACK")
    assert found(home, "database.writer").result == "passed"


@pytest.mark.sqlite("it writes into the county's file")
def test_passwords_that_everybody_knows_and_those_that_were_only_lent(home: Path) -> None:
    known = hash_password("wanmi-demo", load(home).sign_in)
    with closing(sqlite3.connect(home / DATABASE, isolation_level=None)) as driver:
        driver.execute("UPDATE account SET new_password_due = 1 WHERE account = 'l1'")
        assert found(home, "people.passwords").result == "warning"
        driver.execute("UPDATE account SET password = ? WHERE roles LIKE '%admin%'", (known,))
    said = found(home, "people.passwords")
    assert said.result == "failed"
    assert "wanmi users password" in said.en


def test_the_example_alerts_ask_for_metrics_that_there_are(node: RunningNode) -> None:
    node.client("z1").post("/api/v1/jobs/forget-calls")
    told = node.client("z1").get("/metrics").text
    there = set(re.findall(r"^# HELP (\w+)", told, re.M))
    asked = set(re.findall(r"\b(wanmi_\w+)", ALERTS.read_text(encoding="utf-8")))
    assert asked <= there, asked - there
    assert "wanmi_job_well{job_name=" in told, "`job` is the name of the scrape in Prometheus"


@pytest.mark.sqlite("it makes an older schema")
def test_a_home_of_an_earlier_schema_can_be_examined_before_it_is_upgraded(tmp_path: Path) -> None:
    making = homes.new_engine(tmp_path)
    schema.upgrade(making, "0009")
    making.dispose()
    told = {each.check: each.result for each in examine(tmp_path)}
    assert told["database.schema"] == "warning"
    assert "error" not in told.values(), told
