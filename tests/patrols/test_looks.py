"""The round through the cameras: who waits longest comes first, each look stays, a period is covered or has gaps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.clock import HOUR, MINUTE
from appliance.errors import Invalid, NotFound
from appliance.patrols import looks
from appliance.patrols.coverage import coverage
from appliance.patrols.rounds import interval, round_of, rounds
from appliance.people import shift_log
from provisioning.import_files.pipeline import Options, run_import
from tests.cases.desk import Desk, place

CAMERAS = (
    "code,name,street_class,url,lon,lat\n"
    "C1,药城路东口,一类,rtsp://10.0.0.1/1,113.4005,34.1005\n"
    "C2,滨河路,二类街道,,113.4105,34.1015\n"
    "C3,南门巷,,rtsp://10.0.0.1/3,113.4015,34.1025\n"
)


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    """An office with three cameras."""
    made = Desk(home)
    file = home / "cameras.csv"
    file.write_text(CAMERAS, encoding="utf-8")
    assert run_import(made.office.records, "cameras", file, Options(crs="EPSG:4490"))[0].added == 3
    yield made
    made.close()


def look(desk: Desk, code: str, found: str = "nothing", note: str = "", number: str | None = None) -> dict[str, Any]:
    actor = desk.who("s1")
    return desk.office.records.write(lambda unit: looks.look(unit, desk.office, actor, code, found, note, number))


def the_round(desk: Desk, **wanted: Any) -> dict[str, Any]:
    with desk.office.records.read() as connection:
        return looks.the_round(
            connection, desk.office, **{"street_class": None, "everything": False, "limit": 9, **wanted}
        )


def codes(found: dict[str, Any]) -> list[str]:
    return [camera["code"] for camera in found["items"]]


def test_every_class_has_its_interval_and_says_where_it_comes_from() -> None:
    assert [item.minutes for item in rounds()] == [30, 60, 60]
    assert all(item.provenance for item in rounds())
    assert round_of("中心").street_class == round_of(" 一类街道 ").street_class == "一类"
    assert round_of(None) is round_of("whatever") is rounds()[-1]
    assert interval("二类", {}) == HOUR
    assert interval("次干道", {"二类": 45}) == 45 * MINUTE


def test_never_looked_through_comes_first_then_the_longest_overdue(desk: Desk) -> None:
    assert codes(the_round(desk)) == ["C1", "C2", "C3"]
    look(desk, "C2")
    desk.clock.advance(minutes=10)
    look(desk, "C1")
    found = the_round(desk)
    assert (codes(found), found["cameras"], found["due"], found["never"]) == (["C3"], 3, 1, 1)
    desk.clock.advance(minutes=31)
    assert codes(the_round(desk)) == ["C3", "C1"]
    desk.clock.advance(minutes=20)
    assert codes(the_round(desk)) == ["C3", "C1", "C2"]
    assert codes(the_round(desk, street_class="一类")) == ["C1"]
    look(desk, "C3")
    assert codes(the_round(desk, everything=True)) == ["C1", "C2", "C3"]


def test_a_look_is_logged_and_names_only_a_case_of_its_camera(desk: Desk) -> None:
    number = desk.report("s1", source="video", camera="C1", **place())
    other = desk.report("s1", source="video", camera="C2", **place())
    with pytest.raises(Invalid):
        look(desk, "C1", "problem", number=other)
    with pytest.raises(Invalid):
        look(desk, "C1", "something")
    with pytest.raises(NotFound, match="C1"):
        look(desk, "C9")
    look(desk, "C1", "problem", "占道经营", number)
    with desk.office.records.read() as connection:
        (row,) = looks.looks_page(connection, desk.office, "C1", before=2**60, limit=9)
        (line,) = shift_log.page(connection, before=2**60, limit=9, kind="problem")
    assert (row["found"], row["note"], row["number"], row["name"]) == ("problem", "占道经营", number, "坐席一")
    assert line["subject"] == "C1"
    assert number in line["text"]


def test_a_period_tells_how_well_it_was_covered(desk: Desk) -> None:
    start = desk.clock.now()
    for _ in range(3):
        look(desk, "C1")
        desk.clock.advance(minutes=40)
    with desk.office.records.read() as connection:
        first, second, _ = looks.coverage_page(connection, desk.office, start, start + 2 * HOUR, after="", limit=9)
        with pytest.raises(Invalid):
            looks.coverage_page(connection, desk.office, start, start, after="", limit=9)
    assert (first["looks"], first["due"], first["covered"], len(first["gaps"])) == (3, 4, 0.75, 3)
    assert first["longest_minutes"] == 10
    assert (second["looks"], second["covered"], second["longest_minutes"]) == (0, 0.0, 120)


@given(st.lists(st.integers(-50, 250), max_size=12), st.integers(1, 60), st.one_of(st.none(), st.integers(-100, -1)))
def test_gaps_and_looks_add_up_to_the_period(times: list[int], step: int, before: int | None) -> None:
    """Compared with counting minute by minute."""
    found = coverage(times, 0, 200, step, before)
    known = [at for at in times if 0 <= at < 200] + ([] if before is None else [before])
    missed = [minute for minute in range(200) if not any(at <= minute < at + step for at in known)]
    assert sum(last - first for first, last in found.gaps) == len(missed)
    assert found.covered == pytest.approx(1 - len(missed) / 200)
    assert all(first < last for first, last in found.gaps)
    assert found.looks == len([at for at in times if 0 <= at < 200])
