"""Which unit grids were passed, when and by whom: positions, what lies between them, impossible jumps, rounds."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.clock import HOUR, MINUTE, SECOND
from appliance.patrols.completed import Passed, completed
from appliance.patrols.plans import plan_of, plans
from appliance.patrols.position import Position
from appliance.patrols.walks import OUTSIDE, Walk, walks
from appliance.settings import Patrols, Plan
from tests.cases.desk import at
from tests.homes import SOUTH, STEP, WEST
from tests.patrols.walkers import walk

DAY = date(2026, 10, 9)
MORNING = at("2026-10-09 08:00")
ZONE = ZoneInfo("Asia/Shanghai")
WIDE = 10
PLAN = plans()[0]
WINDOW = PLAN.window(DAY, ZONE)


def locate(lons: Any, lats: Any) -> Any:
    """The furnished county's first street by arithmetic: ten grids wide, numbered from the south-west."""
    column, row = numpy.floor((lons - WEST) / STEP + 1e-6), numpy.floor((lats - SOUTH) / STEP + 1e-6)
    inside = (column >= 0) & (column < WIDE) & (row >= 0) & (row < WIDE)
    return numpy.where(inside, row * WIDE + column, OUTSIDE).astype(numpy.int64)


def position(second: float, column: float, row: float = 0.5) -> Position:
    return Position("l1", MORNING + round(second * SECOND), WEST + column * STEP, SOUTH + row * STEP)


def grids(*track: Position) -> list[int]:
    return [stay.grid for stay in walks(track, locate)[0]]


def test_a_walk_through_a_row_passes_each_grid_once_with_its_times() -> None:
    stays, odd = walks(walk("l1", MORNING, [(0.5, 0.5), (3.5, 0.5)], steps=30), locate)
    assert [stay.grid for stay in stays] == [0, 1, 2, 3]
    assert odd == []
    assert stays[0].entered_at == MORNING
    assert stays[-1].left_at == MORNING + 300 * SECOND
    for before, after in pairwise(stays):
        assert 0 <= after.entered_at - before.left_at <= 10 * SECOND


def test_what_is_crossed_between_two_positions_counts_unless_they_are_too_far_apart() -> None:
    assert grids(position(0, 0.5), position(10, 4.5)) == [0, 1, 2, 3, 4], "370 metres in ten seconds, a vehicle"
    stays, _ = walks([position(0, 0.5), position(10, 4.5)], locate)
    assert stays[2].entered_at - MORNING == pytest.approx(3.75 * SECOND, abs=SECOND / 2)
    assert grids(position(0, 0.5), position(61, 4.5)) == [0, 4], "a minute without a position"
    assert grids(position(0, 0.5), position(40, 7.5)) == [0, 7], "more than 500 metres"


def test_a_corner_is_passed_and_nothing_is_passed_outside_the_county() -> None:
    assert grids(position(0, 0.5, 0.9), position(10, 1.2, 1.5)) == [0, 10, 11]
    assert grids(position(0, -3), position(10, -2)) == []
    assert grids() == []
    assert grids(position(0, 9.5), position(10, 10.5)) == [9]


def test_an_impossible_jump_counts_for_nothing_and_is_listed() -> None:
    track = [position(0, 0.5), position(10, 0.6), position(20, 9.5, 9.5), position(30, 0.8), position(40, 1.5)]
    stays, odd = walks(track, locate)
    assert [stay.grid for stay in stays] == [0, 1]
    assert [(item.at, item.speed > 50) for item in odd] == [(track[2].at, True)]


def test_who_begins_with_a_wrong_position_is_believed_from_the_second_good_one_on() -> None:
    track = [position(0, 9.5, 9.5), position(10, 0.5), position(20, 0.6), position(30, 1.5)]
    stays, odd = walks(track, locate)
    assert [stay.grid for stay in stays] == [99, 0, 1]
    assert [item.at for item in odd] == [track[1].at]


def test_a_wavering_receiver_at_a_border_makes_one_stay_and_a_second_visit_another() -> None:
    track = [position(second, 0.99 + 0.02 * (second // 10 % 2)) for second in range(0, 120, 10)]
    assert grids(*track) == [0, 1]
    assert grids(*track, position(120 + 6 * 60, 0.5)) == [0, 1, 0]


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(-1, 11), st.floats(-1, 11)), max_size=30))
def test_stays_are_in_order_and_hold_every_good_position(spots: list[tuple[int, float, float]]) -> None:
    track = [
        position(second, column, row) for second, column, row in {spot[0]: spot for spot in sorted(spots)}.values()
    ]
    stays, odd = walks(track, locate)
    assert walks(track, locate) == (stays, odd), "the same again, to the byte"
    assert [stay.entered_at for stay in stays] == sorted(stay.entered_at for stay in stays)
    assert all(stay.entered_at <= stay.left_at for stay in stays)
    bad = {item.at for item in odd}
    for item in track:
        (number,) = locate(numpy.array([item.lon]), numpy.array([item.lat])).tolist()
        if item.at not in bad and number != OUTSIDE:
            assert any(stay.grid == number and stay.entered_at <= item.at <= stay.left_at for stay in stays)


# Rounds.


def passed(*spots: tuple[str, str], who: str = "l1") -> list[Passed]:
    """Stays of a minute by the time of day and the grid."""
    return [Passed(grid, at(f"2026-10-09 {time}"), who, at(f"2026-10-09 {time}") + MINUTE) for time, grid in spots]


def round_from(hour: int, names: str, who: str = "l1") -> list[Passed]:
    return passed(*((f"{hour:02d}:{minute:02d}", name) for minute, name in enumerate(names)), who=who)


def test_two_rounds_a_day_by_two_people() -> None:
    stays = [*round_from(8, "abcdefghij"), *round_from(14, "abcdefghi", who="l2")]
    found = completed(stays, 10, PLAN, WINDOW)
    assert found.done == 2
    assert [one.grids for one in found.rounds] == [10, 9], "nine of ten is enough"
    assert found.walkers == [("l1", 10), ("l2", 9)]
    assert (found.last_by, found.last_at) == ("l2", at("2026-10-09 14:09"))
    assert {one.grid: one.level for one in found.grids} == {**dict.fromkeys("abcdefghi", 2), "j": 1}


def test_a_second_round_too_soon_or_outside_the_window_is_none() -> None:
    assert completed([*round_from(8, "abcdefghij"), *round_from(9, "abcdefghij")], 10, PLAN, WINDOW).done == 1
    assert completed([*round_from(8, "abcdefghij"), *round_from(10, "abcdefghij")], 10, PLAN, WINDOW).done == 2
    assert completed([*round_from(5, "abcdefghij"), *round_from(19, "abcdefghij")], 10, PLAN, WINDOW).done == 0


def test_a_round_may_be_finished_in_the_afternoon_and_is_none_while_a_part_is_missing() -> None:
    part = round_from(8, "abcde")
    found = completed(part, 10, PLAN, WINDOW)
    assert (found.done, found.rounds[0].done_at, len(found.grids)) == (0, None, 5)
    found = completed([*part, *round_from(15, "fghi")], 10, PLAN, WINDOW)
    assert (found.done, found.rounds[0].done_at) == (1, at("2026-10-09 15:03"))


@given(st.permutations([*round_from(8, "abcdefgh"), *round_from(11, "abcfgh", who="l2"), *round_from(16, "abc")]))
def test_the_order_in_which_stays_come_does_not_matter(stays: list[Passed]) -> None:
    assert completed(stays, 8, PLAN, WINDOW) == completed(sorted(stays, key=lambda stay: stay.who), 8, PLAN, WINDOW)


def test_the_plan_is_twice_a_day_and_a_county_sets_its_own() -> None:
    assert all(plan.provenance for plan in plans())
    assert (PLAN.rounds, PLAN.needed(10), PLAN.needed(1), PLAN.needed(17)) == (2, 9, 1, 16)
    noon, evening = at("2026-10-09 13:00"), at("2026-10-09 18:00")
    assert [PLAN.due(DAY, ZONE, now) for now in (MORNING, noon - 1, noon, evening, evening + HOUR)] == [0, 0, 1, 2, 2]
    own = Patrols(plans={"普通": Plan(rounds=3, ends="20:00")}, rounds={"G7": 1})
    assert plan_of("G1", None, own).rounds == 3
    assert plan_of("G7", None, own).rounds == 1
    assert plan_of("G7", None, own).window(DAY, ZONE)[1] == at("2026-10-09 20:00")
    still = plan_of("G1", {"巡查类别": "不巡"}, own)
    assert (still.rounds, still.due(DAY, ZONE, evening)) == (0, 0)
    night = plan_of("G1", None, Patrols(plans={"普通": Plan(begins="22:00", ends="06:00")}))
    assert night.window(DAY, ZONE) == (at("2026-10-09 22:00"), at("2026-10-10 00:00")), "a window lies within a day"


def test_a_stay_is_what_it_says() -> None:
    stays, _ = walks([position(0, 2.5)], locate)
    assert stays == [Walk(2, MORNING, MORNING)], "one position is enough"
