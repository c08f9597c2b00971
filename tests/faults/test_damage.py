"""A bad sector in the database, and one in its log: told, never served as truth, never forgotten by the warm copy."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance import cli
from appliance.doctor import examine
from appliance.errors import Conflict
from appliance.exchange.reading import feed_state
from appliance.records.anchor import Anchor, admit_loss
from appliance.records.store import DATABASE, Records, glance
from appliance.settings import load
from backups.warm.following import Follower
from backups.warm.restoring import restore_warm
from tests.faults.conftest import is_refused, report, rows
from tests.nodes import RunningNode

pytestmark = pytest.mark.sqlite("PostgreSQL has checksums of its own")
PAGE = 4096


def found(home: Path, check: str) -> Any:
    return next(each for each in examine(home) if each.check == check)


def spoil(file: Path, start: int, end: int) -> None:
    """A bad sector in every page between two places."""
    with file.open("r+b") as stream:
        for place in range(start, end, PAGE):
            stream.seek(place)
            stream.write(b"\xa5" * 1024)


def pages_of(home: Path, table: str) -> list[int]:
    """The places of a table's pages in the file."""
    with closing(sqlite3.connect(home / DATABASE)) as driver:
        query = "SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno"
        try:
            return [(number - 1) * PAGE for (number,) in driver.execute(query, (table,))]
        except sqlite3.OperationalError:
            root = driver.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
            return [(root - 1) * PAGE]


def test_a_bad_sector_in_the_database_is_named_and_the_way_back_told(node: RunningNode) -> None:
    number = report(node).json()["number"]
    node.stop()
    for place in pages_of(node.home, "case_record"):
        spoil(node.home / DATABASE, place, place + PAGE)
    said = found(node.home, "database.integrity")
    assert said.result == "failed"
    assert "backup restore" in said.en
    node.start()
    assert is_refused(node.client("z1").get(f"/api/v1/cases/{number}"), "broken", 500)
    assert node.client("z1").get("/health").status_code in (200, 503), "it lives, so that somebody reads why"


def power_loss(node: RunningNode, new: Path) -> list[str]:
    """Three cases are answered, the power goes, and the sector with the last of them is bad; returns their numbers.

    Somebody reads meanwhile, so that the log is not folded back; `new` is what lies on the disk afterwards.
    """
    with closing(sqlite3.connect(node.home / DATABASE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM cases").fetchone()
        numbers = [report(node).json()["number"] for _ in range(3)]
        with closing(sqlite3.connect(node.home / DATABASE)) as other:
            frames = other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
        node.stop(signal.SIGKILL)
        shutil.copytree(node.home, new, ignore=shutil.ignore_patterns("*-shm", "*.lock"))
    start = 32 + (frames - 2) * (PAGE + 24)
    spoil(new / f"{DATABASE}-wal", start + 24, start + 24 + PAGE)
    return numbers


def numbers_in(home: Path) -> set[str]:
    return set(str(rows(home, "SELECT group_concat(number) FROM cases")).split(","))


def test_a_bad_sector_in_the_log_loses_answered_cases_and_that_is_told(node: RunningNode, tmp_path: Path) -> None:
    with glance(node.home) as connection:
        before = feed_state(connection).name
    new = tmp_path / "new"
    numbers = power_loss(node, new)
    started = RunningNode(new).start()
    started.stop()
    assert not set(numbers) <= numbers_in(new), "the story is about a loss"
    said = found(new, "database.answered")
    assert said.result == "failed"
    assert "answered changes" in said.en
    with glance(new) as connection:
        assert feed_state(connection).name != before, "numbers that come twice mean nothing to the platforms above"
    accept = ["audit", "accept-loss", "--home", str(new)]
    assert CliRunner().invoke(cli.wanmi, accept).exit_code == 0
    assert found(new, "database.answered").result == "passed"
    assert rows(new, "SELECT count(*) FROM admin_act WHERE act = 'records.lost'") == 1
    assert isinstance(CliRunner().invoke(cli.wanmi, accept, standalone_mode=False).exception, Conflict)


def test_the_warm_copy_has_what_the_home_lost_and_does_not_forget_it(node: RunningNode, tmp_path: Path) -> None:
    file = node.home / "wanmi.toml"
    file.write_text(file.read_text() + f'\n[backup]\nwarm = "{tmp_path / "second"}"\n')
    follower = Follower(node.home, load(node.home))
    follower.begin()
    new = tmp_path / "new"
    with closing(sqlite3.connect(node.home / DATABASE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM cases").fetchone()
        numbers = power_loss(node, new)
        follower.look()
        follower.close()
    RunningNode(new).start().stop()
    assert not set(numbers) <= numbers_in(new), "the story is about a loss"
    again = Follower(new, load(new))
    with pytest.raises(Conflict, match="warm copy has"):
        again.begin()
    again.close()
    restore_warm(follower.place, tmp_path / "restored")
    assert set(numbers) <= numbers_in(tmp_path / "restored")
    assert found(tmp_path / "restored", "database.answered").result == "passed"
    assert CliRunner().invoke(cli.wanmi, ["audit", "accept-loss", "--home", str(new)]).exit_code == 0
    given_up = Follower(new, load(new))
    given_up.begin()
    given_up.close()


def test_of_two_programs_that_write_the_slower_one_does_not_take_the_later_answer_back(tmp_path: Path) -> None:
    node, scheduler = Anchor(tmp_path), Anchor(tmp_path)
    scheduler.advance(11)
    node.advance(10)
    assert node.seq == scheduler.seq == 11
    node.reset(7)
    assert scheduler.seq == 7, "a loss that was told"
    node.close()
    scheduler.close()


def test_two_programs_that_find_the_same_loss_tell_it_once(home: Path) -> None:
    records = Records.open(home)
    try:
        for _ in range(2):
            records.write(lambda unit: admit_loss(unit, 1_000_000))
    finally:
        records.close()
    assert rows(home, "SELECT count(*) FROM admin_act WHERE act = 'records.lost'") == 1
