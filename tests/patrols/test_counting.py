"""A day of walked patrols on the real grids: rounds by duty grid, late positions, alarms, the map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from appliance.clock import DAY, SECOND
from appliance.errors import Broken, NotFound
from appliance.patrols import alarms, checks, compaction, counting, day_file, jobs, on_map, standing
from appliance.patrols.position import Position
from appliance.patrols.tracks import Tracks
from appliance.places.outlines import View
from appliance.settings import Patrols
from provisioning.import_files.pipeline import Options, run_import
from tests.cases.desk import Desk, at
from tests.homes import SOUTH, STEP, WEST
from tests.patrols.walkers import rows_of, walk

TODAY = "2026-10-09"
FIRST, SECOND_GRID = "411081001-1", "411081002-1"
EVERYTHING = View(WEST, SOUTH, WEST + 20 * STEP, SOUTH + 10 * STEP, 10.0, 20, 10)


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    made = Desk(home, f"{TODAY} 18:30")
    yield made
    made.close()


@pytest.fixture
def tracks(desk: Desk) -> Iterator[Tracks]:
    made = Tracks(desk.office.records.home, desk.office.settings.zone)
    yield made
    made.close()


def whole_street(who: str, time: str, street: int = 0) -> list[Position]:
    """A round through all hundred grids of a street in 50 minutes, by bicycle."""
    spots = rows_of(range(street * 10, street * 10 + 10), range(10))
    return walk(who, at(f"{TODAY} {time}"), spots, steps=3)


def count(desk: Desk) -> dict[str, counting.Counted]:
    return counting.count(desk.office.records, desk.clock.now())


def page(desk: Desk, day: str = TODAY) -> dict[str, dict[str, Any]]:
    with desk.office.records.read() as connection:
        return {row["duty_grid"]: row for row in standing.duty_grids_page(connection, desk.office, day)}


def all_alarms(desk: Desk, tracks: Tracks) -> list[tuple[str, str, int | None]]:
    with desk.office.records.read() as connection:
        found = alarms.alarms(connection, desk.office, tracks.last())
    return [(alarm["kind"], alarm["code"], alarm["missing"]) for alarm in found]


def kept_walks(desk: Desk) -> list[Any]:
    with day_file.opened(desk.office.records.home, TODAY) as file:
        assert file is not None
        return file.execute("SELECT * FROM walk").fetchall() + file.execute("SELECT * FROM walked").fetchall()


def test_two_rounds_by_the_collector_and_a_substitute(desk: Desk, tracks: Tracks) -> None:
    tracks.add([*whole_street("l1", "08:10"), *whole_street("l2", "14:00")])
    assert count(desk)[TODAY] == counting.Counted(2, 2, 2)
    first, second = page(desk)[FIRST], page(desk)[SECOND_GRID]
    assert (first["rounds_due"], first["rounds_done"], first["passed"], first["grids"]) == (2, 2, 100, 100)
    assert (first["share"], first["behind"], first["last_by"]) == (1.0, False, "l2")
    assert [(walker["who"], walker["own"]) for walker in first["walkers"]] == [("l1", True), ("l2", False)]
    assert [one["grids"] for one in first["rounds"]] == [100, 100]
    assert (second["rounds_done"], second["passed"], second["behind"]) == (0, 0, True)
    with desk.office.records.read() as connection:
        of, grids = standing.unit_grids_page(connection, desk.office, FIRST, TODAY, after="", limit=500)
        with pytest.raises(NotFound, match=FIRST):
            standing.unit_grids_page(connection, desk.office, "411081001", TODAY, after="", limit=500)
    assert of["collector_name"] == "采集员一"
    assert len(grids) == 100
    assert all(grid["level"] == 2 and grid["rounds"] == 2 for grid in grids)
    assert [(stay["who"], stay["own"]) for stay in grids[0]["stays"]] == [("l1", True), ("l2", False)]


def test_who_is_no_collector_walks_for_nothing(desk: Desk, tracks: Tracks) -> None:
    tracks.add([*whole_street("car-1", "08:10"), *whole_street("s1", "14:00")])
    assert count(desk)[TODAY].people == 0
    assert page(desk)[FIRST]["passed"] == 0


def test_late_positions_change_a_past_day_and_the_way_of_counting_does_not_matter(desk: Desk, tracks: Tracks) -> None:
    whole = whole_street("l1", "08:10")
    tracks.add(whole[::2])
    count(desk)
    tracks.add(whole_street("l2", "09:00", street=1))
    assert count(desk)[TODAY].people == 1, "only who sent something since"
    desk.clock.set(at("2026-10-14 10:00"))
    compaction.compact(desk.office.records.home, TODAY)
    assert list(count(desk)) == ["2026-10-13", "2026-10-14"], "nothing new for a day of last week"
    assert page(desk, "2026-10-13")[FIRST]["behind"], "nobody walked, and that is on record"
    tracks.add(whole[1::2])
    assert count(desk)[TODAY].people == 1
    by_steps, row = kept_walks(desk), page(desk)[FIRST]
    assert (row["rounds_done"], row["passed"]) == (1, 100)

    day_file.path_of(desk.office.records.home, TODAY).unlink()
    again = Tracks(desk.office.records.home, desk.office.settings.zone)
    again.add([*whole_street("l2", "09:00", street=1), *reversed(whole)])
    again.close()
    count(desk)
    assert kept_walks(desk) == by_steps, "the same positions give the same walks"
    assert page(desk)[FIRST] | {"counted_at": None} == row | {"counted_at": None}


def test_new_grids_count_everything_anew(desk: Desk, tracks: Tracks) -> None:
    tracks.add(whole_street("l1", "08:10"))
    count(desk)
    ended = "UPDATE unit_grid SET valid_to = '2026-10-09' WHERE code LIKE '41108100100105%'"
    desk.office.records.write(lambda unit: unit.connection.execute(text(ended)) and None)
    assert count(desk)[TODAY].people == 1
    assert (page(desk)[FIRST]["grids"], page(desk)[FIRST]["passed"]) == (90, 90)


def test_what_is_not_patrolled_raises_an_alarm_at_its_hour(desk: Desk, tracks: Tracks) -> None:
    clock, behind = desk.clock, [("behind", FIRST, 1), ("behind", SECOND_GRID, 1)]
    silent = [("silent", "l1", None), ("silent", "l2", None)]
    clock.set(at(f"{TODAY} 08:29"))
    assert all_alarms(desk, tracks) == []
    clock.set(at(f"{TODAY} 08:31"))
    assert all_alarms(desk, tracks) == silent
    tracks.add(whole_street("l1", "08:10"))
    clock.set(at(f"{TODAY} 13:01"))
    count(desk)
    assert all_alarms(desk, tracks) == [behind[1], *silent], "one was walked, and is silent now"
    tracks.add([Position("l1", clock.now() - SECOND, WEST, SOUTH)])
    assert all_alarms(desk, tracks) == [behind[1], silent[1]]
    clock.set(at(f"{TODAY} 18:30"))
    assert all_alarms(desk, tracks) == [behind[0], ("behind", SECOND_GRID, 2)], "after work nobody is silent"
    file = desk.office.records.home / "cameras.csv"
    file.write_text("code,name,street_class,lon,lat\nC1,药城路东口,一类,113.4005,34.1005\n", encoding="utf-8")
    run_import(desk.office.records, "cameras", file, Options(crs="EPSG:4490"))
    assert all_alarms(desk, tracks)[-1] == ("camera", "C1", None)


def test_a_county_sets_how_often_a_duty_grid_is_walked(desk: Desk, tracks: Tracks) -> None:
    desk.office.settings.patrols = Patrols(rounds={FIRST: 1, SECOND_GRID: 0}, silent_minutes=600)
    tracks.add(whole_street("l1", "08:10"))
    count(desk)
    rows = page(desk)
    assert (rows[FIRST]["rounds_due"], rows[FIRST]["behind"]) == (1, False)
    assert (rows[SECOND_GRID]["rounds_due"], rows[SECOND_GRID]["behind"]) == (0, False)
    assert all_alarms(desk, tracks) == []
    total = standing.total(list(rows.values()))
    assert (total["duty_grids"], total["rounds_due"], total["rounds_done"], total["share"]) == (1, 1, 1, 1.0)


def test_a_duty_grid_says_by_its_import_that_nobody_walks_it(desk: Desk, tracks: Tracks) -> None:
    marked = """UPDATE duty_grid SET attributes = '{"巡查类别": "免巡"}' WHERE code = '411081002-1'"""
    desk.office.records.write(lambda unit: unit.connection.execute(text(marked)) and None)
    assert count(desk) == {}, "no track was ever sent"
    tracks.add(whole_street("l1", "08:10"))
    count(desk)
    assert (page(desk)[SECOND_GRID]["rounds_due"], page(desk)[SECOND_GRID]["behind"]) == (0, False)
    with desk.office.records.read() as connection:
        found = on_map.patrols_in_view(connection, desk.office, on_map.WalkedGrids(), EVERYTHING)
    assert found.levels == {"none": 0, "passed": 100, "planned": 0}


def test_the_map_shows_every_grid_and_by_cell_the_worst(
    desk: Desk, tracks: Tracks, monkeypatch: pytest.MonkeyPatch
) -> None:
    street = whole_street("l1", "08:10")
    tracks.add([*street, *whole_street("l2", "14:00")[:100]])
    count(desk)
    with desk.office.records.read() as connection:
        found = on_map.patrols_in_view(connection, desk.office, on_map.WalkedGrids(), EVERYTHING)
        monkeypatch.setattr(on_map, "SINGLE_AT_MOST", 10)
        wide = View(WEST, SOUTH, WEST + 40 * STEP, SOUTH + 10 * STEP, 10.0, 4, 1)
        cells = on_map.patrols_in_view(connection, desk.office, on_map.WalkedGrids(), wide)
    assert found.levels == {"none": 100, "passed": 66, "planned": 34}
    assert (found.number, len(found.grids)) == (200, 200)
    assert {grid.level for grid in found.grids if grid.lon < WEST + 10 * STEP} == {1, 2}
    assert (cells.grids, cells.levels) == ([], found.levels)
    assert cells.rows == ["10.."], "the worst of each, and two that are empty"


def test_a_jump_is_listed(desk: Desk, tracks: Tracks) -> None:
    street = whole_street("l1", "08:10")
    jump = Position("l1", street[5].at + SECOND, WEST + 0.5, SOUTH + 0.5)
    tracks.add([*street, jump])
    count(desk)
    with desk.office.records.read() as connection:
        (odd,) = standing.odd_page(connection, desk.office, TODAY, who="", at=-1, limit=9)
        assert standing.odd_page(connection, desk.office, TODAY, who="l1", at=jump.at, limit=9) == []
    assert (odd["who"], odd["key"], odd["speed"] > 1000) == ("l1", jump.at, True)


def test_the_job_counts_in_a_process_of_its_own_and_the_doctor_sees_what_is_missing(desk: Desk, tracks: Tracks) -> None:
    office, home = desk.office, desk.office.records.home
    tracks.add(whole_street("l1", "08:10"))
    tracks.add([Position("l1", desk.clock.now() - 70 * DAY, WEST, SOUTH)])
    desk.clock.set(at("2026-10-11 09:00"))

    def results() -> dict[str, str]:
        return {finding.check: finding.result for finding in checks.findings(home, office.settings, desk.clock.now())}

    assert results() == {"tracks.packed": "warning", "tracks.kept": "warning", "patrols.counted": "warning"}
    assert jobs.patrol_coverage(office)["days"][TODAY] == {"people": 1, "of": 1, "duty_grids": 2}
    assert jobs.compact_tracks(office)["days"].keys() == {"2026-07-31", TODAY}
    assert jobs.forget_tracks(office) == {"forgotten": ["2026-07-31"]}
    assert results() == {"tracks.packed": "passed", "tracks.kept": "passed", "patrols.counted": "passed"}
    assert page(desk)[FIRST]["rounds_done"] == 1
    day_file.path_of(home, "2026-10-10").write_bytes(b"no database" * 1000)
    assert results()["tracks.packed"] == "failed"
    assert list(count(desk)) == ["2026-10-11"], "a damaged day does not keep the others from being counted"
    (home / "wanmi.toml").rename(home / "gone.toml")
    with pytest.raises(Broken, match="wanmi init"):
        jobs.patrol_coverage(office)
