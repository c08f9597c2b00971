"""Bad lines, dead machines, full disks: each gives a clear answer on the right side, and nothing is lost."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests import postgis
from tests.exchange.replicas import lines
from tests.faults.disks import disk, full
from tests.weather.counties import City, County, until
from tests.weather.network import Town

CHANCE = random.Random(5)


def standing(city: City) -> dict[str, Any]:
    """How the county stands by the platform's own account."""
    told = json.loads(city.machine.run(*city.words("status", "--json", "--lag", "100000")))
    found: dict[str, Any] = told["counties"][0]
    return found


def levels(city: City, county: County) -> None:
    """The replica comes to be the county, record by record."""
    until(lambda: city.has_all_of(county), "all of the county is above")
    assert city.lines_of(county) == lines(county.records)


@pytest.mark.long
def test_a_cut_line_is_told_and_made_up_for(town: Town, city: City, county: County) -> None:
    levels(city, county)
    town.cut(county.machine)
    county.live(CHANCE, 15)
    told = until(lambda: (item := standing(city))["failures"] and item, "the platform sees that the county is away")
    assert told["trouble_en"]
    assert not city.has_all_of(county)
    town.mend(county.machine)
    levels(city, county)
    assert standing(city)["failures"] == 0


@pytest.mark.long
def test_with_a_third_of_the_packets_lost_all_arrives(town: Town, city: City, county: County) -> None:
    town.lose(county.machine, 30)
    for _ in range(3):
        county.live(CHANCE, 10)
        until(lambda: city.has_all_of(county), "it arrives in spite of the line")
    town.mend(county.machine)
    levels(city, county)


@pytest.mark.long
@pytest.mark.parametrize("side", ["county", "city"])
def test_either_side_may_be_killed_at_any_moment(city: City, county: County, side: str) -> None:
    process = county.node if side == "county" else city.serving
    for _ in range(3):
        county.live(CHANCE, 8)
        process.kill()
        county.live(CHANCE, 4)
        process.start()
        until(process.is_open, "it is back")
    levels(city, county)


@pytest.mark.long
def test_a_full_disk_in_the_county_is_told_above_and_nothing_is_taken_half(
    town: Town, city: City, tmp_path: Path
) -> None:
    with disk(tmp_path / "small", 120) as small:
        county = County(town.machine("yuzhou"), small / "county", "411081")
        try:
            county.enter(city)
            levels(city, county)
            case = tmp_path / "case.json"
            case.write_text(json.dumps(CASE))
            with full(small):
                city.wanmi("send", county.code, str(case))
                told = until(lambda: (item := standing(city))["failures"] and item, "the platform is told")
                assert any(word in told["trouble_en"] for word in ("503", "busy", "full")), told
            levels(city, county)
            until(lambda: any(item["state"] == "done" for item in sent(city)), "the case goes down after all")
            levels(city, county)
        finally:
            county.close()


@pytest.mark.long
def test_a_full_disk_above_stops_the_replica_and_loses_nothing(town: Town, tmp_path: Path) -> None:
    cluster = postgis.cluster()
    with disk(cluster.folder / "small", 80) as small:
        city = City(town.machine("city"), tmp_path / "city", cluster.tablespace("small", small))
        county = County(town.machine("yuzhou"), tmp_path / "county", "411081")
        try:
            city.serving.start()
            until(city.serving.is_open, "the prefecture serves")
            county.enter(city)
            levels(city, county)
            with full(small):
                for _ in range(20):
                    county.live(CHANCE, 20)
                until(lambda: any("space" in line for line in city.log()), "the platform says that its disk is full")
                assert city.serving.is_open(), "it lives on"
            levels(city, county)
        finally:
            county.close()
            city.close()
            cluster.drop_tablespace("small")


CASE = {
    "kind": "part", "code": "01002", "lon": 113.4005, "lat": 34.1005, "description": "市里转办",
    "upper": {"number": "市-9", "reply_required": False},
}  # fmt: skip


def sent(city: City) -> list[dict[str, Any]]:
    """What was sent down."""
    found: list[dict[str, Any]] = json.loads(city.wanmi("sent", "--json"))
    return found
