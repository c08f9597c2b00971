"""A month of three counties and their prefecture, with a mishap every day: at the end each replica is its county."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from appliance.records.spatial import POINT_SQL, point_wkb
from appliance.records.writer import Unit
from tests import postgis
from tests.cases.desk import at
from tests.exchange.replicas import lines
from tests.homes import SOUTH, STEP, WEST
from tests.weather.counties import City, County, until
from tests.weather.network import Town

DAYS = int(os.environ.get("WANMI_MONTH_DAYS", "30"))
CODES = {"yuzhou": "411081", "changge": "411082", "yanling": "411024"}
STEPS_A_DAY = 8
PARTS = 3
_PART = text(
    "INSERT INTO part (code, type, edition, name, state, lon, lat, geom) "
    f"VALUES (:code, '01002', '2026', '雨水井盖', '完好', :lon, :lat, {POINT_SQL})"
)
MISHAPS = ("none", "cut", "loss", "county killed", "city killed", "exchange killed")


@pytest.fixture
def counties(town: Town, city: City, tmp_path: Path) -> Iterator[list[County]]:
    made: list[County] = []
    try:
        for name, code in CODES.items():
            made.append(County(town.machine(name), tmp_path / name, code))
            made[-1].live(random.Random(code), 20)
            furnish_parts(made[-1])
            made[-1].enter(city)
        yield made
    finally:
        for county in made:
            county.close()


def furnish_parts(county: County) -> None:
    """A few manhole covers."""
    rows = [
        {"code": f"{county.code}01002{number:06d}", "lon": WEST + number * STEP, "lat": SOUTH + STEP / 2}
        for number in range(PARTS)
    ]

    def work(unit: Unit) -> None:
        for row in rows:
            unit.connection.execute(_PART, {**row, "wkb": point_wkb(row["lon"], row["lat"])})
            unit.changed("part", row["code"])

    county.records.write(work)


def mishap(kind: str, town: Town, city: City, county: County) -> None:
    """Something happens."""
    if kind == "cut":
        town.cut(county.machine)
    elif kind == "loss":
        town.lose(county.machine, 30)
    elif kind == "county killed":
        county.node.kill()
    elif kind == "city killed":
        city.serving.kill()
    elif kind == "exchange killed":
        subprocess.run(["pkill", "-9", "-f", f"exchange --home {county.home}"], check=False)


def mended(town: Town, city: City, county: County) -> None:
    """And is over."""
    town.mend(county.machine)
    county.node.start()
    city.serving.start()


@pytest.mark.long
def test_a_month_of_bad_days_loses_no_row(town: Town, city: City, counties: list[County]) -> None:
    seed = random.randrange(10_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for day in range(DAYS):
        unlucky, kind = chance.choice(counties), chance.choice(MISHAPS)
        mishap(kind, town, city, unlucky)
        for county in counties:
            county.desk.clock.set(at(f"2026-10-{day % 30 + 1:02d} 08:00"))
            county.live(chance, STEPS_A_DAY)
        mended(town, city, unlucky)
    for county in counties:
        until(lambda county=county: city.has_all_of(county), f"all of {county.code} is above")
        assert city.lines_of(county) == lines(county.records)
    told = json.loads(city.wanmi("status", "--json"))
    assert {item["county"]: item["lag_rows"] for item in told["counties"]} == dict.fromkeys(CODES.values(), 0)
    the_table_counts_as_the_counties_do(city, counties)
    ogr_shows_the_parts(city)


def the_table_counts_as_the_counties_do(city: City, counties: list[County]) -> None:
    """The prefecture's table of the month, from process rows: 受理数 and 立案数 are each county's own."""
    table = json.loads(city.wanmi("monthly", "2026-10", "--json"))
    begins, ends = "2026-09-30T16:00:00Z", "2026-10-31T16:00:00Z"
    for county in counties:
        seen: dict[str, set[str]] = {}
        for number in numbers(county):
            for row in county.desk.history(number):
                if begins <= str(row["at"]) < ends:
                    seen.setdefault(str(row["action"]), set()).add(number)
        values = next(row for row in table["rows"] if row["county"] == county.code)["values"]
        assert values["accepted"] == len(seen.get("accept", set()) | seen.get("verify_true", set()))
        assert values["filed"] == len(seen.get("file", set()))


def numbers(county: County) -> list[str]:
    """Every case of a county."""
    found = [number for number, _ in lines(county.records)["case"]]
    assert found
    return found


def ogr_shows_the_parts(city: City) -> None:
    """GDAL reads the union of all counties out of PostGIS."""
    if shutil.which("ogrinfo") is None:
        pytest.skip("gdal-bin is not installed")
    cluster = postgis.cluster()
    source = f"PG:host={cluster.folder} user={postgis.USER} dbname={city.database} schemas=prefecture"
    shown = subprocess.run(["ogrinfo", "-so", source, "all_parts"], capture_output=True, text=True, check=True).stdout
    assert f"Feature Count: {PARTS * len(CODES)}" in shown, shown
    assert "Geometry: Point" in shown
    assert 'ID["EPSG",4490]' in shown
