"""What is due: every planned moment once, the missed one later, the failed one again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from appliance.clock import DAY, HOUR, MINUTE, micros
from appliance.scheduling.declared import Job
from appliance.scheduling.due import LONGEST_PAUSE, due_now, standing
from appliance.scheduling.plan import JobPlan
from appliance.scheduling.runs import Run

ZONE = ZoneInfo("Asia/Shanghai")
NOW = micros(datetime(2026, 11, 27, 3, 0, tzinfo=UTC))


def job(plan: str = "daily 03:10") -> Job:
    return Job("papers", JobPlan.parse(plan), "报表", "papers", EntryPoint("papers", "x:y", "wanmi.jobs"))


def ran(planned: int, ok: bool | None = True, took: int = MINUTE) -> Run:
    return Run(
        1, "papers", planned, planned + HOUR, None if ok is None else planned + HOUR + took, "clock", ok, {}, "", ""
    )


def test_a_new_box_and_one_that_was_off_for_weeks_run_it_once_now() -> None:
    planned = job().plan.before(NOW, ZONE)  # type: ignore[union-attr]  # it has one
    for runs in ([], [ran(planned - 20 * DAY)], [ran(planned - DAY)]):
        found = standing(job(), runs, NOW, ZONE)
        assert (found.due_at, found.planned_at) == (planned, planned)
        assert due_now([found], NOW) == [found]
    done = standing(job(), [ran(planned)], NOW, ZONE)
    assert (done.due_at, due_now([done], NOW)) == (planned + DAY, [])


def test_a_failed_run_is_tried_again_after_longer_and_longer_pauses() -> None:
    planned = job().plan.before(NOW, ZONE)  # type: ignore[union-attr]  # it has one
    failed = ran(planned, ok=False)
    assert failed.ended_at is not None
    pauses = []
    for times in range(1, 9):
        found = standing(job(), [failed] * times, NOW, ZONE)
        assert found.due_at is not None
        assert found.failures == times
        pauses.append(found.due_at - failed.ended_at)
    assert pauses[:3] == [10 * MINUTE, 20 * MINUTE, 40 * MINUTE]
    assert pauses[-1] == LONGEST_PAUSE
    tomorrow = standing(job(), [failed] * 8, planned + DAY, ZONE)
    assert tomorrow.due_at == planned + DAY, "a new day, a new beginning"


def test_what_runs_by_hand_only_is_never_due() -> None:
    found = standing(job("off"), [ran(NOW - DAY, ok=False)], NOW, ZONE)
    assert (found.due_at, due_now([found], NOW)) == (None, [])


@given(
    st.lists(st.integers(1, 40 * 24), min_size=1, max_size=40),
    st.sampled_from(["every 1h", "daily 03:10", "weekly tue 01:00"]),
)
def test_a_box_that_is_looked_at_now_and_then_runs_each_moment_at_most_once(hours: list[int], plan: str) -> None:
    """However it was switched on and off, after a look nothing is left to do, and no moment ran twice."""
    planned = job(plan)
    runs: list[Run] = []
    now = NOW
    for hour in hours:
        now += hour * HOUR
        found = standing(planned, runs, now, ZONE)
        if due_now([found], now):
            assert found.planned_at is not None
            runs.insert(0, replace(ran(found.planned_at), started_at=now, ended_at=now))
        assert not due_now([standing(planned, runs, now, ZONE)], now)
    moments = [run.planned_at for run in runs]
    assert len(moments) == len(set(moments))
    assert moments == sorted(moments, key=lambda each: -(each or 0))
