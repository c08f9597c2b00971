"""A plan is written in a few words and knows its moments."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.clock import local, micros
from appliance.errors import BadHome
from appliance.scheduling.declared import jobs
from appliance.scheduling.plan import JobPlan
from appliance.settings import load

SHANGHAI = ZoneInfo("Asia/Shanghai")
EARLIEST, LATEST = micros(datetime(2020, 1, 1, tzinfo=UTC)), micros(datetime(2040, 1, 1, tzinfo=UTC))
WRITTEN = (
    "every 1m", "every 15m", "every 6h", "every 24h", "daily 00:00", "daily 03:10", "daily 23:59", "weekly mon 04:00",
    "weekly sun 00:00", "monthly 1 05:00", "monthly 28 23:00",
)  # fmt: skip


@given(st.sampled_from(WRITTEN), st.integers(EARLIEST, LATEST), st.sampled_from(["Asia/Shanghai", "Europe/Berlin"]))
def test_now_lies_between_the_last_moment_and_the_next_and_none_between(written: str, now: int, zone: str) -> None:
    plan = JobPlan.parse(written)
    assert plan is not None
    before, after = plan.before(now, ZoneInfo(zone)), plan.after(now, ZoneInfo(zone))
    assert before <= now < after
    assert plan.after(before, ZoneInfo(zone)) == after
    assert plan.before(after - 1, ZoneInfo(zone)) == before
    assert plan.before(after, ZoneInfo(zone)) == after


@pytest.mark.parametrize(
    ("written", "before", "after"),
    [
        ("every 6h", "2026-11-27T06:00", "2026-11-27T12:00"),
        ("daily 03:10", "2026-11-27T03:10", "2026-11-28T03:10"),
        ("daily 20:00", "2026-11-26T20:00", "2026-11-27T20:00"),
        ("weekly MON  04:00", "2026-11-23T04:00", "2026-11-30T04:00"),
        ("monthly 2 05:00", "2026-11-02T05:00", "2026-12-02T05:00"),
    ],
)
def test_the_moments_are_the_countys(written: str, before: str, after: str) -> None:
    """Friday, 27 November 2026, eleven in the morning in the county."""
    now, plan = micros(datetime(2026, 11, 27, 3, 0, tzinfo=UTC)), JobPlan.parse(written)
    assert plan is not None
    moments = (plan.before(now, SHANGHAI), plan.after(now, SHANGHAI))
    told = [local(moment, SHANGHAI).strftime("%Y-%m-%dT%H:%M") for moment in moments]
    assert told == [before, after]


@pytest.mark.parametrize(
    "written", ["", "daily", "daily 24:00", "every 7m", "every 25h", "every 0m", "weekly 04:00", "monthly 29 04:00",
                "monthly 0 04:00", "03:10", "* * * * *"]
)  # fmt: skip
def test_what_is_no_plan_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="every 15m"):
        JobPlan.parse(written)


def test_a_wrong_plan_in_the_settings_names_job_and_forms(home: Path) -> None:
    file = home / "wanmi.toml"
    file.write_text(file.read_text() + '\n[schedule]\nmake-papers = "at dawn"\n')
    with pytest.raises(BadHome, match=r"make-papers.*at dawn.*daily 03:10"):
        load(home)


def test_every_job_of_ours_has_a_plan_and_both_languages() -> None:
    for job in jobs({}):
        assert job.plan is not None, job.name
        assert job.zh != job.en
        assert callable(job.load())
    assert {job.name: job.plan for job in jobs({"resume": "off"})}["resume"] is None
