"""The acceptor gives a position: the node knows grid, street, duty grid and collector, and what stands near."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from appliance.errors import UnknownPlace
from appliance.places.address import propose_address
from appliance.places.locate import locate, locate_grid
from appliance.places.plane import Plane
from appliance.records.spatial import point_wkb
from appliance.records.writer import Unit
from tests.homes import SOUTH, STEP, WEST
from tests.places.imports import opened

MIDDLE = (WEST + 2.5 * STEP, SOUTH + 3.5 * STEP)


def stand(unit: Unit) -> None:
    """Two covers, a road 20 m to the north and a hospital 100 m to the east of the middle."""
    plane = Plane.at(*MIDDLE)
    for code, metres in (("41108101002000001", 12), ("41108101002000002", 60)):
        lon = MIDDLE[0] + metres / plane.metres_per_lon
        unit.connection.execute(
            text(
                "INSERT INTO part (code, type, edition, name, state, lon, lat, geom) VALUES "
                "(:code, '01002', '2026', '污水井盖', '完好', :lon, :lat, ST_GeomFromWKB(:shape, 4490))"
            ),
            {"code": code, "lon": lon, "lat": MIDDLE[1], "shape": point_wkb(lon, MIDDLE[1])},
        )
    road = MIDDLE[1] + 20 / plane.metres_per_lat
    east = MIDDLE[0] + 100 / plane.metres_per_lon
    for code, name, type_, shape in (
        ("R1", "药城路", "街巷", f"LINESTRING({WEST - 1} {road}, {WEST + 1} {road})"),
        ("H1", "人民医院", "兴趣点", f"POINT({east} {MIDDLE[1]})"),
    ):
        unit.connection.execute(
            text(
                "INSERT INTO place (code, name, type, initials, search, lon, lat, geom) VALUES "
                "(:code, :name, :type, '', '', :lon, :lat, ST_GeomFromText(:shape, 4490))"
            ),
            {"code": code, "name": name, "type": type_, "lon": east, "lat": MIDDLE[1], "shape": shape},
        )


def test_a_position_is_found_in_its_grid_with_the_collector_who_walks_it(home: Path) -> None:
    with opened(home) as records, records.read() as connection:
        hit = locate_grid(connection, *MIDDLE)
        assert hit is not None
        assert hit.grid == "411081001001033"
        assert (hit.street, hit.community) == ("411081001", "411081001001")
        assert (hit.duty_grid, hit.collector) == ("411081001-1", "l1")


def test_on_a_border_the_answer_is_always_the_same_grid(home: Path) -> None:
    with opened(home) as records, records.read() as connection:
        hits = {locate_grid(connection, WEST + 10 * STEP, SOUTH + 0.5 * STEP) for _ in range(3)}
        assert [hit and hit.grid for hit in hits] == ["411081001001010"]


def test_what_stands_near_comes_with_metres_and_direction(home: Path) -> None:
    with opened(home) as records:
        records.write(stand)
        with records.read() as connection:
            found = locate(connection, *MIDDLE)
    assert [(part.code[-1], part.metres, part.direction) for part in found.parts] == [
        ("1", 12.0, "西"), ("2", 60.0, "西"),
    ]  # fmt: skip
    assert [(place.name, round(place.metres), place.direction) for place in found.places] == [
        ("药城路", 20, "南"), ("人民医院", 100, "西"),
    ]  # fmt: skip
    assert found.street_name == "颍川街道"


def test_the_proposed_address_names_road_and_landmark(home: Path) -> None:
    with opened(home) as records:
        records.write(stand)
        with records.read() as connection:
            proposed = propose_address(connection, *MIDDLE)
    assert proposed.text == "颍川街道药城路人民医院西约100米"
    assert len(proposed.text) <= 256


def test_outside_the_county_the_nearest_grid_and_its_distance_are_named(home: Path) -> None:
    with opened(home) as records, records.read() as connection:
        plane = Plane.at(WEST, MIDDLE[1])
        with pytest.raises(UnknownPlace) as refused:
            locate(connection, WEST - 500 / plane.metres_per_lon, MIDDLE[1])
        assert refused.value.extra["metres"] == pytest.approx(500, abs=1)
        assert refused.value.fields[0].nearest == ("411081001001031",)
        assert "500 米" in refused.value.zh
        for nowhere in ((float("nan"), 34.0), (0.0, 0.0), (float("inf"), 1.0)):
            with pytest.raises(UnknownPlace):
                locate(connection, *nowhere)


def test_the_server_never_loads_the_libraries_of_file_import() -> None:
    code = (
        "import sys, appliance.places.locate, appliance.places.geocode, appliance.places.address;"
        "print([name for name in ('pyproj', 'pyogrio') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
