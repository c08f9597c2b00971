"""The worked example of indicator_definitions 11, number by number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from appliance.clock import micros
from appliance.scoring.counting import Counted, count_rows, grid_counts
from appliance.scoring.pack import national
from appliance.scoring.periods import Period, period_of
from tests.scoring import example
from tests.scoring.example import ZONE

LATER = micros(datetime(2026, 11, 20, tzinfo=ZONE))
THIRD = 1 / 3
EXPECTED: list[tuple[str, str, dict[str, Any], float | None, str | None]] = [
    ("collector", "L1", {"reports": 1, "effective_reports": 1, "effective_report_rate": 1.0, "miss_rate": THIRD,
                         "verify_on_time_rate": 1.0, "check_on_time_rate": 0.75}, 88 + THIRD, "B"),
    ("collector", "L2", {"reports": 3, "effective_reports": 3, "effective_report_rate": 1.0, "miss_rate": 0.0,
                         "verify_on_time_rate": 0.5, "check_on_time_rate": None}, 87.5, "B"),
    ("acceptor", "S1", {"accepted": 5, "accepted_band": 0, "verify_dispatch_on_time_rate": 2 / 3,
                        "check_dispatch_on_time_rate": 0.75}, 40 * 2 / 3 + 26.25, "D"),
    ("shift_leader", "Z1", {"open_on_time_rate": 0.8, "open_accurate_rate": 0.8, "close_on_time_rate": 2 / 3},
     52 + 35 * 2 / 3, "B"),
    ("dispatcher", "P1", {"dispatched": 5, "dispatched_band": 0, "dispatch_on_time_rate": 0.8,
                          "dispatch_accurate_rate": 0.8}, 64.0, "C"),
    ("department", "D01", {"opened": 2, "dept_opened_band": 100, "should_close": 2, "close_rate": 0.5,
                           "handle_on_time_rate": 0.5, "rework_rate": 0.0}, 70.0, "C"),
    ("department", "D02", {"opened": 2, "dept_opened_band": 100, "should_close": 2, "close_rate": 0.5,
                           "handle_on_time_rate": 2 / 3, "handle_overdue_rate": THIRD, "rework_rate": 0.5}, 60.0, "C"),
    ("region", "510182001", {"public_report_rate": THIRD, "region_opened_band_1": 90.0, "region_opened_band_2": None,
                             "close_rate": 2 / 3, "close_on_time_rate": THIRD}, 58.0, "D"),
    ("region", "510182002", {"public_report_rate": 0.0, "region_opened_band_1": 95.0, "close_rate": 0.0,
                             "close_on_time_rate": 0.0}, 29.0, "E"),
    ("platform", "", {"reports": 6, "accepted": 5, "filed": 5, "dispatched": 4, "undispatched": 0, "should_close": 4,
                      "closed": 2, "closed_on_time": 1, "reworked": 1, "voided": 1, "open_rate": 1.0,
                      "dispatch_rate": 0.8, "accept_on_time_rate": 5 / 7, "accept_accurate_rate": 0.8,
                      "verify_rate": 2 / 3, "check_rate": 1.0, "close_rate": 0.5, "close_on_time_rate": 0.25,
                      "overdue_close_rate": 0.25, "unclosed_rate": 0.5, "rework_rate": 0.25, "extension_rate": 0.0,
                      "void_rate": 0.2, "public_satisfaction": None}, None, None),
]  # fmt: skip


def counted(period: Period) -> Counted:
    """The example as it is counted for a period."""
    rows = [row for row in example.rows() if row.at < period.as_of]
    found = count_rows(rows, example.cases(), period)
    found.grids = grid_counts(found, example.basis())
    return found


@pytest.mark.parametrize(("scope", "subject", "values", "score", "grade"), EXPECTED)
def test_the_worked_example(
    scope: str, subject: str, values: dict[str, Any], score: float | None, grade: str | None
) -> None:
    pack, basis = national(), example.basis()
    found = counted(period_of("2026-10", ZONE, LATER)).subjects(scope, basis)[subject]
    made = pack.values(scope, found)
    assert {name: made[name] for name in values} == pytest.approx(values, nan_ok=True)
    code = pack.score_code(scope)
    total = None if code is None else made[code]
    assert total == (None if score is None else pytest.approx(score))
    assert pack.grade(total) == grade


def test_people_without_work_have_a_row_and_no_score() -> None:
    pack, basis = national(), example.basis()
    empty = count_rows([], [], period_of("2026-10", ZONE, LATER)).subjects("collector", basis)
    assert list(empty) == ["L1", "L2"]
    assert pack.values("collector", empty["L1"])["collector_score"] is None


def test_the_cases_behind_a_figure() -> None:
    found = counted(period_of("2026-10", ZONE, LATER)).cases
    assert found["department", "D02", "closed"] == [2]
    assert found["department", "D02", "should_close"] == [2, 3]
    assert found["collector", "L1", "check_should"] == [1, 2, 3, 3], "once for each task"
    assert found["collector", "L1", "public_in_area"] == [2]


@pytest.mark.parametrize(
    ("ending", "state", "due"), [(None, "dispatched", 1), ("void", "void", 0), ("suspend", "suspended", 0)]
)
def test_a_unit_below_owes_what_its_department_owes(ending: str | None, state: str, due: int) -> None:
    """Case 5 is given to a unit below until the 26th; void or suspended, the unit does not owe it any more."""
    rows = [row for row in example.rows() if row.case == 5][:4]
    given = {"sub_unit": "D011", "until": example.october("26T09:00")}
    rows.append(rows[-1]._replace(action="assign", clock_started=None, clock_stopped=None, due_at=None, detail=given))
    if ending is not None:
        rows.append(
            rows[3]._replace(action=ending, to_state=state, clock_started=None, clock_stopped="handle", detail={})
        )
    facts = count_rows(rows, example.cases(), period_of("2026-10", ZONE, LATER)).facts()
    assert facts["sub_unit"].get("D011", {}).get("sub_should", 0) == due
