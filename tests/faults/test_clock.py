"""The clock of the box is put right, jumps, and forgets the year because its battery is flat."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.clock import HELD, MINUTE, SECOND, SteadyClock, micros
from appliance.doctor import examine
from tests.faults.conftest import report, rows
from tests.nodes import RunningNode

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


class Hands:
    """Two clocks that are set by hand."""

    def __init__(self) -> None:
        self.wall_now, self.steady_now = 1_700_000_000 * 10**9, 10**9

    def passes(self, microseconds: int) -> None:
        self.wall_now += microseconds * 1000
        self.steady_now += microseconds * 1000

    def set_back(self, microseconds: int) -> None:
        self.wall_now -= microseconds * 1000


def test_a_time_server_puts_the_clock_back_and_no_row_is_before_the_last_one() -> None:
    hands = Hands()
    clock = SteadyClock(lambda: hands.wall_now, lambda: hands.steady_now)
    before = clock.now()
    hands.set_back(5 * MINUTE)
    seen = [before]
    for _ in range(14):
        hands.passes(MINUTE)
        seen.append(clock.now())
    assert seen == sorted(seen)
    assert seen[-1] == hands.wall_now // 1000, "after ten minutes it shows the right time"
    assert seen[2] - seen[1] == MINUTE // 2, "meanwhile it goes at half its speed"


def test_a_clock_that_was_wrong_by_a_day_is_followed() -> None:
    hands = Hands()
    clock = SteadyClock(lambda: hands.wall_now, lambda: hands.steady_now)
    hands.set_back(24 * 60 * MINUTE)
    assert clock.now() == hands.wall_now // 1000


@given(st.lists(st.tuples(st.integers(0, 5 * MINUTE), st.integers(-5 * MINUTE, 5 * MINUTE)), max_size=40))
def test_time_never_runs_back_and_is_never_far_from_the_machines(steps: list[tuple[int, int]]) -> None:
    hands = Hands()
    clock = SteadyClock(lambda: hands.wall_now, lambda: hands.steady_now)
    last = clock.now()
    for passed, step in steps:
        hands.passes(passed)
        hands.set_back(step)
        now, wall = clock.now(), hands.wall_now // 1000
        assert wall <= now <= wall + HELD
        assert now >= last or last - wall > HELD - MINUTE * 5
        last = now


@pytest.fixture
def faked(home: Path, tmp_path: Path) -> Iterator[RunningNode]:
    """A node whose clock is what a file says."""
    if LIBRARY is None:
        pytest.skip("libfaketime is not installed")
    file = tmp_path / "clock"
    file.write_text("+0")
    running = Faked(home)
    running.environment = {
        "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


class Faked(RunningNode):
    """Started as a command of its own, so that the library is loaded before anything else."""

    def start(self) -> RunningNode:
        from tests import nodes

        self.process = subprocess.Popen(
            [sys.executable, "-m", "appliance", "serve", "--home", str(self.home), "--port", str(self.port)],
            env=os.environ | self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        from tests.devices.waiting import until

        until(lambda: nodes.answers(self.port), "the node answers", seconds=nodes.START_SECONDS)
        return self

    def set(self, offset: str) -> None:
        """Set the clock of the box."""
        Path(self.environment["FAKETIME_TIMESTAMP_FILE"]).write_text(offset)


@pytest.mark.sqlite("it looks into the county's file")
def test_the_clock_jumps_under_a_working_office(faked: Faked) -> None:
    numbers = [report(faked).json()["number"]]
    for offset in ("-5m", "+3h", "+0", "-2d", "+0"):
        faked.set(offset)
        faked._clients.clear()  # a session that was left alone for an hour is over
        answer = report(faked)
        assert answer.status_code == 201, (offset, answer.text)
        numbers.append(answer.json()["number"])
        case = faked.client("z1").get(f"/api/v1/cases/{answer.json()['number']}").json()
        assert case["due_at"] is None or case["due_at"] > case["reported_at"]
        moved = faked.act("s1", answer.json()["number"], "accept", reason="电话清楚")
        assert moved.status_code == 200, (offset, moved.text)
    assert len(set(numbers)) == len(numbers), "no number twice"
    first, second = (faked.client("z1").get(f"/api/v1/cases/{number}").json()["reported_at"] for number in numbers[:2])
    assert second >= first, "five minutes back are not followed"
    assert rows(faked.home, "SELECT count(*) = max(seq) - min(seq) + 1 FROM change") == 1
    assert faked.client("z1").get("/health").status_code == 200


def test_a_flat_battery_is_named_before_deadlines_are_wrong(home: Path) -> None:
    """The box stood without power and wakes up in the year 2000; what the doctor says is what the technician reads."""
    from appliance.clock import ManualClock
    from appliance.records.acts import append_act
    from appliance.records.store import Records

    later = micros(datetime.now(UTC)) + 30 * 24 * 3600 * SECOND
    records = Records.open(home, clock=ManualClock(later))
    records.write(lambda unit: append_act(unit, "admin", "note", "x"))
    records.close()
    found = next(each for each in examine(home) if each.check == "clock.records")
    assert found.result == "failed"
    assert "set it" in found.en
