"""A large period is tallied by two processes, and the result is that of one."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from appliance.clock import DAY
from appliance.errors import Broken
from appliance.scoring import halves
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.other_half import Half, tally_half
from appliance.scoring.reading import values_of
from tests.cases.desk import Desk
from tests.exchange.work import live_a_little

pytestmark = pytest.mark.sqlite("the other process reads the SQLite file")


@pytest.mark.parametrize("seed", range(3))
def test_two_halves_are_the_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    live_a_little(desk, random.Random(seed), 160)
    evaluation, records = Evaluation(desk.office.records), desk.office.records
    period = evaluation.period("2026-10")
    with records.read() as connection:
        collectors = {"41108100100101": "l1"}
        whole = halves.tally_period(connection, period, collectors)
        monkeypatch.setattr(halves, "LARGE", 2)
        assert halves.tally_period(connection, period, collectors) == whole
        for share in (0.0, 0.1, 0.9, 1.0):
            monkeypatch.setattr(halves, "OWN_SHARE", share)
            assert halves.tally_period(connection, period, collectors) == whole, share
    assert len(whole) > 20


def test_a_half_that_fails_is_told_and_no_process_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        desk.report()
    period = Evaluation(desk.office.records).period("2026-10")
    monkeypatch.setattr(halves, "LARGE", 2)
    monkeypatch.setattr(halves, "_file", lambda _: "/nowhere/county.db")
    with desk.office.records.read() as connection, pytest.raises(Broken, match="unable to open database file"):
        halves.tally_period(connection, period, {})


def test_the_other_half_changes_nothing(tmp_path: Path, desk: Desk) -> None:
    period = Evaluation(desk.office.records).period("2026-10")
    asked = Half(str(tmp_path / "none.db"), values_of(period, [1]), 1000, period, {})
    with pytest.raises(sqlite3.OperationalError):
        tally_half(asked)
    assert not (tmp_path / "none.db").exists(), "it opens to read only"
    assert period.end - period.start == 31 * DAY
