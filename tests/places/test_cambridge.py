"""A real city's open data: 1,971 polygons, 29,394 parts and 2,137 place names are in, to the last one."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from appliance.places.geocode import geocode
from provisioning.commands import export, import_
from tests.places.imports import bare_home, opened, scalar
from tests.shared import shared

TYPES = {
    "street_light": "路灯", "street_light_private": "路灯", "park_light": "路灯", "ped_ramp": "无障碍设施",
    "parking_meter": "停车计费设备", "bench": "街头座椅", "bike_rack": "自行车租赁点", "utility_pole": "公交立杆",
    "hydrant": "01017", "litter_barrel": "垃圾箱", "traffic_signal": "交通信号灯", "billboard": "户外广告",
    "handicap_space": "停车场", "drainage": "雨水箅子", "bus_shelter": "公交站设施", "overhead_sign": "02010",
    "utility_facility": "通信交接箱", "salt_barrel": "垃圾箱",
}  # fmt: skip
PLACES = {"intersection": "街巷"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(import_, list(arguments), catch_exceptions=False)


def done(result: Result) -> dict[str, object]:
    """The counts of `--json`, which must stand alone on stdout."""
    found: dict[str, object] = json.loads(result.stdout)
    return {name: found[name] for name in ("read", "added", "updated", "refused")}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the city's polygons, parts and places, and the files beside it."""
    folder = tmp_path_factory.mktemp("cambridge")
    for name in ("grids", "parts", "places"):
        shutil.copy(shared(f"data/{name}-cambridge.geojson.gz"), folder)
        (folder / f"{name}-cambridge.geojson.gz").chmod(0o644)
    with (folder / "types.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(TYPES.items())
    bare_home(folder / "home")
    return folder


def test_the_polygons_are_in_once_the_invalid_one_is_mended(city: Path) -> None:
    file, home = str(city / "grids-cambridge.geojson.gz"), str(city / "home")
    refused = run("grids", file, "--make-codes", "--json", "--home", home)
    assert refused.exit_code == 1
    assert done(refused) == {"read": 1971, "added": 0, "updated": 0, "refused": 1}
    assert "--repair" in json.loads(refused.stdout)["refusals"][0]["why"]
    first = run("grids", file, "--make-codes", "--repair", "--json", "--home", home)
    assert done(first) == {"read": 1971, "added": 1971, "updated": 0, "refused": 0}
    again = run("grids", file, "--make-codes", "--repair", "--json", "--home", home)
    assert done(again) == {"read": 1971, "added": 0, "updated": 0, "refused": 0}


@pytest.mark.long
def test_the_parts_are_in_and_their_new_codes_are_written_back(city: Path) -> None:
    file, home = str(city / "parts-cambridge.geojson.gz"), str(city / "home")
    options = ("--map", "type=layer", "--values", f"type={city / 'types.csv'}", "--json", "--home", home)
    first = run("parts", file, "--make-codes", *options)
    assert done(first) == {"read": 29394, "added": 29394, "updated": 0, "refused": 0}
    again = run("parts", file, "--make-codes", *options)
    assert done(again) == {"read": 29394, "added": 0, "updated": 0, "refused": 0}
    coded = run("parts", str(city / "parts-cambridge-coded.geojson"), *options)
    assert done(coded) == {"read": 29394, "added": 0, "updated": 0, "refused": 0}
    with opened(city / "home") as records:
        assert scalar(records, "SELECT count(*) FROM part") == 29394
        assert scalar(records, "SELECT count(*) FROM part WHERE type = '01017'") == 1960
        assert scalar(records, "SELECT count(*) FROM part WHERE grid IS NOT NULL") > 29_000


def test_the_place_names_are_in_and_found(city: Path) -> None:
    values = city / "places.csv"
    layers = ["school", "library", "public_building", "day_care", "fire_station", "police_station", "playground"]
    import gzip

    document = json.loads(gzip.decompress((city / "places-cambridge.geojson.gz").read_bytes()))
    names = {feature["properties"]["layer"] for feature in document["features"]}
    values.write_text("".join(f"{name},{'街巷' if name == 'intersection' else '兴趣点'}\n" for name in names), "utf-8")
    assert layers
    for feature in document["features"]:
        kept = feature["properties"]
        written = next((str(kept[key]) for key in kept if key.lower() in ("intersection", "name", "site_name")), None)
        kept["label"] = written or kept.get("Name_Building") or kept["layer"]
    plain = city / "places.geojson"
    plain.write_text(json.dumps(document), encoding="utf-8")
    options = ("--map", "type=layer", "--map", "name=label", "--values", f"type={values}", "--json")
    first = run("places", str(plain), *options, "--home", str(city / "home"))
    assert done(first) == {"read": 2137, "added": 2137, "updated": 0, "refused": 0}
    with opened(city / "home") as records, records.read() as connection:
        assert geocode(connection, "Alewife Brook Pkwy & Matignon Rd")[0].name == "Alewife Brook Pkwy & Matignon Rd"


@pytest.mark.long
def test_what_was_exported_is_the_same_again(city: Path) -> None:
    home = str(city / "home")
    for name in ("parts.gpkg",):
        written = CliRunner().invoke(export, ["parts", str(city / name), "--home", home, "--json"])
        assert json.loads(written.stdout)["rows"] == 29394
        back = run("parts", str(city / name), "--json", "--home", home)
        assert done(back) == {"read": 29394, "added": 0, "updated": 0, "refused": 0}, name


@pytest.mark.sqlite("its query plans")
def test_no_query_of_a_position_walks_a_whole_table(city: Path) -> None:
    from appliance.places.locate import _GRID_SQLITE

    statements = (
        _GRID_SQLITE.replace("?1", "0").replace("?2", "0"),
        "SELECT code FROM part WHERE code >= '4110' AND code < '4111' ORDER BY code LIMIT 5",
        "SELECT code FROM place WHERE name = 'a'",
        "SELECT code FROM place WHERE id IN (SELECT rowid FROM place_search WHERE place_search MATCH 'a' LIMIT 5)",
    )
    with opened(city / "home") as records, records.read() as connection:
        for statement in statements:
            plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {statement}"))]
            scans = [step for step in plan if step.startswith("SCAN") and "VIRTUAL" not in step]
            assert scans == [], statement
