"""A technician at a GIS workstation: QGIS and ogr2ogr read the county's layers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance.records.spatial import point
from appliance.records.sql import Spelt
from appliance.records.store import Records
from appliance.records.writer import Unit
from tests import homes
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import report

PARTS = 2500
EPSG_4490 = "http://www.opengis.net/def/crs/EPSG/0/4490"
COVERS = Spelt(
    lambda dialect: (
        "INSERT INTO part (code, type, edition, name, state, grid, lon, lat, attributes, geom) VALUES "
        "(:code, '01002', '2026', '污水井盖', '完好', '411081001001001', :lon, :lat, :attributes, "
        f"{point(dialect)})"
    )
)


def lay_covers(unit: Unit) -> None:
    rows = [
        {
            "code": f"41108101002{number:06d}", "lon": 113.4 + number % 200 * 0.0001,
            "lat": 34.1 + number // 200 * 0.0001, "attributes": '{"材质": "铸铁"}' if number % 2 else None,
        }
        for number in range(PARTS)
    ]  # fmt: skip
    unit.connection.execute(COVERS.on(unit.connection), rows)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node whose county has 2,500 manhole covers."""
    home = homes.copy_home(tmp_path_factory.mktemp("ogc") / "home")
    records = Records.open(home)
    records.write(lay_covers)
    records.close()
    running = RunningNode(home).start()
    yield running
    running.stop()


def walked(client: httpx.Client, address: str) -> tuple[list[dict], set[int]]:  # type: ignore[type-arg]
    features, matched = [], set()
    while address:
        page = client.get(address)
        assert page.status_code == 200, page.text
        assert page.headers["content-type"].startswith("application/geo+json")
        body = page.json()
        assert body["numberReturned"] == len(body["features"])
        features += body["features"]
        matched.add(body["numberMatched"])
        address = next((link["href"] for link in body["links"] if link["rel"] == "next"), "")
    return features, matched


def test_the_landing_page_leads_to_everything(county: RunningNode) -> None:
    client = county.client("s1")
    links = {link["rel"]: link["href"] for link in client.get("/ogc").json()["links"]}
    assert client.get(links["conformance"]).json()["conformsTo"][0].endswith("/conf/core")
    api = client.get(links["service-desc"])
    assert api.headers["content-type"].startswith("application/vnd.oai.openapi+json")
    assert api.json()["openapi"].startswith("3.0")
    names = [found["id"] for found in client.get(links["data"]).json()["collections"]]
    assert names == ["grids", "duty_grids", "parts", "places", "cases"]
    parts = client.get("/ogc/collections/parts").json()
    assert parts["extent"]["spatial"]["bbox"][0] == pytest.approx([113.4, 34.1, 113.4199, 34.1012], abs=5e-5)


def test_pages_hold_every_part_once(county: RunningNode) -> None:
    features, matched = walked(county.client("s1"), "/ogc/collections/parts/items?limit=700")
    assert matched == {PARTS}
    assert len({feature["id"] for feature in features}) == PARTS


def test_a_box_and_a_property_filter(county: RunningNode) -> None:
    client = county.client("s1")
    box = {"bbox": "113.4,34.1,113.40195,34.10005", "limit": "1000"}
    inside = client.get("/ogc/collections/parts/items", params=box).json()
    assert inside["numberMatched"] == inside["numberReturned"] == 20
    swapped = {"bbox": "34.1,113.4,34.10005,113.40195", "bbox-crs": EPSG_4490, "crs": EPSG_4490}
    answer = client.get("/ogc/collections/parts/items", params=swapped)
    assert answer.json()["numberMatched"] == 20
    assert answer.headers["content-crs"] == f"<{EPSG_4490}>"
    assert answer.json()["features"][0]["geometry"]["coordinates"] == pytest.approx([34.1, 113.4])
    assert client.get("/ogc/collections/parts/items", params={"type": "01001"}).json()["numberMatched"] == 0
    one = client.get("/ogc/collections/parts/items/41108101002000001").json()
    assert one["properties"]["attributes"] == {"材质": "铸铁"}


def test_cases_come_without_anything_personal(county: RunningNode) -> None:
    number = str(report(county)["number"])
    client = county.client("s1")
    found = client.get(f"/ogc/collections/cases/items/{number}").text
    assert "13812341234" not in found
    assert "张先生" not in found
    assert "query_code" not in found
    since = client.get("/ogc/collections/cases/items", params={"datetime": "2020-01-01T00:00:00Z/.."}).json()
    assert since["numberMatched"] >= 1
    before = client.get("/ogc/collections/cases/items", params={"datetime": "../2020-01-01"}).json()
    assert before["numberMatched"] == 0
    hidden = county.client("d1").get("/ogc/collections/cases/items").json()
    assert hidden["numberMatched"] == 0


def test_what_is_wrong_is_named(county: RunningNode) -> None:
    client = county.client("s1")
    items = "/ogc/collections/parts/items"
    wrong = ["bbox=1,2,3", "bbox=9,9,1,1", "datetime=yesterday", "crs=EPSG:2435", "colour=red", "limit=0", "limit=x"]
    for query in wrong:
        answer = client.get(f"{items}?{query}")
        assert answer.status_code == 400, (query, answer.text)
        assert answer.json()["status"] == 400
    assert client.get("/ogc/collections/lamps").status_code == 404
    assert client.get(f"{items}/none").status_code == 404
    anonymous = httpx.get(f"{county.url}{items}")
    assert anonymous.status_code == 401
    assert "Basic" in anonymous.headers["www-authenticate"]


def test_basic_sign_in_is_enough_and_a_wrong_password_is_not(county: RunningNode) -> None:
    for _ in range(3):
        assert httpx.get(f"{county.url}/ogc/collections", auth=("k1", homes.PASSWORD)).status_code == 200
    assert httpx.get(f"{county.url}/ogc/collections", auth=("k1", "not-this-one")).status_code == 401


def test_ogr2ogr_downloads_the_parts(county: RunningNode, tmp_path: Path) -> None:
    if shutil.which("ogr2ogr") is None:
        pytest.skip("ogr2ogr (gdal-bin) is not installed")
    target = tmp_path / "parts.gpkg"
    command = ["ogr2ogr", "-f", "GPKG", str(target), f"OAPIF:{county.url}/ogc", "parts"]
    done = subprocess.run(
        [*command, "-oo", f"USERPWD=s1:{homes.PASSWORD}"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    told = subprocess.run(["ogrinfo", "-so", str(target), "parts"], capture_output=True, text=True, check=True)
    assert f"Feature Count: {PARTS}" in told.stdout
    assert "113.419900, 34.101200" in told.stdout


def test_a_county_may_open_its_layers(home: Path) -> None:
    running = RunningNode(home, environment={"WANMI_HTTP__OGC_OPEN": "true"}).start()
    try:
        report(running)
        page = httpx.get(f"{running.url}/ogc/collections/cases/items").json()
        assert page["numberMatched"] == 1
        assert "description" not in json.dumps(page)
    finally:
        running.stop()
