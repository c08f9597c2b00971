"""The map's answers: what fits the scale, only what one may see, and no walk through a large table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from appliance.cases.office import Office
from appliance.cases.on_map import cases_in_view
from appliance.people.accounts import actor_of
from appliance.places import density, layers, outlines
from appliance.places.outlines import View
from appliance.records.spatial import point
from appliance.records.writer import Unit
from tests.homes import SOUTH, STEP, WEST
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import place, report
from tests.server.test_query_plans import plans, walks
from tests.server.test_routes import is_problem

COUNTY = f"{WEST},{SOUTH},{WEST + 20 * STEP},{SOUTH + 10 * STEP}"
WIDE = View(WEST, SOUTH, WEST + 20 * STEP, SOUTH + 10 * STEP, 100.0, 20, 10)
PARTS = 3_000


@pytest.fixture
def office(home: Path) -> Iterator[Office]:
    opened = Office.open(home)
    opened.records.write(add_parts)
    yield opened
    opened.close()


def add_parts(unit: Unit) -> None:
    """Parts all over the first street, ten times as many in its first grid."""
    insert = text(
        "INSERT INTO part (code, type, edition, name, state, lon, lat, geom) VALUES "
        f"(:code, '01002', '2026', '污水井盖', '完好', :lon, :lat, {point(unit.connection.dialect.name)})"
    )
    rows = []
    for number in range(PARTS):
        spread = number % 5 == 0
        column, row = (number // 5 % 10, number // 50 % 10) if spread else (0, 0)
        lon, lat = WEST + (column + 0.1 + number % 7 / 10) * STEP, SOUTH + (row + 0.1 + number % 11 / 14) * STEP
        rows.append({"code": f"4110810100{number:06d}", "lon": lon, "lat": lat})
    unit.connection.execute(insert, rows)


def test_outlines_appear_when_they_are_large_enough(office: Office) -> None:
    """At 5 metres a dot a grid is 20 dots wide; at 100 it is one, and only the duty grids would be left."""
    near = View(WEST, SOUTH, WEST + 3 * STEP, SOUTH + 2 * STEP, 5.0)
    with office.records.read() as connection:
        found = outlines.grids(connection, near)
        assert found.shown
        assert 6 <= len(found.features) <= 20, "only what meets the box"
        assert found.features[0]["properties"]["code"].startswith("411081001001")
        assert not outlines.grids(connection, WIDE).shown
        assert outlines.duty_grids(connection, near).shown


def test_few_parts_are_points_and_many_are_counted_by_cell(office: Office) -> None:
    with office.records.read() as connection:
        few = density.parts(connection, office.lattice, View(WEST + 2 * STEP, SOUTH, WEST + 3 * STEP, SOUTH + STEP, 1))
        assert 0 < len(few.features) == few.number <= density.SINGLE_AT_MOST
        many = density.parts(connection, office.lattice, WIDE)
        assert many.number == PARTS
        assert many.features == []
        assert many.density is not None
        assert len(many.density.rows) == 10
        assert {len(row) for row in many.density.rows} == {20}
        assert many.density.rows[-1][0] == "9", "the fullest cell is in the south-west"
        assert all(row[10:] == "0" * 10 for row in many.density.rows), "the second street has none"


def test_the_lattice_counts_the_same_and_is_counted_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a county of 400,000 parts wide views are counted once; here the limit is lowered instead."""
    monkeypatch.setattr(density, "COUNTED_AT_MOST", 1)
    with office.records.read() as connection:
        monkeypatch.setattr(density, "SINGLE_AT_MOST", 1)
        found = density.parts(connection, office.lattice, WIDE)
        assert found.number == PARTS
        assert found.density is not None
        assert found.density.rows[-1][0] == "9"
        counted: list[str] = []
        event.listen(office.records.readers, "before_cursor_execute", lambda *told: counted.append(told[2]))
        density.parts(connection, office.lattice, WIDE)
        assert not any("GROUP BY" in statement for statement in counted), "the second time nothing is counted"
        assert counted


@pytest.mark.sqlite("its query plans")
def test_no_walk_through_a_large_table(office: Office) -> None:
    def everything(connection: Any) -> None:
        outlines.areas(connection, WIDE)
        outlines.duty_grids(connection, WIDE)
        outlines.grids(connection, WIDE)
        density.parts(connection, office.lattice, WIDE)
        density.parts_of_layer(connection, WIDE, "F1")
        outlines.grids_of_layer(connection, WIDE, "F1")
        for account in ("k1", "d1", "l1"):
            office.last_open = None
            cases_in_view(connection, office, actor_of(connection, account), WIDE, "F1")

    found = plans(office, everything)
    assert found
    assert [plan for plan in walks(found) if "ix_cases_open" not in plan] == []
    allowed = ("VIRTUAL TABLE INDEX 2:B0D1B2D3", "ix_cases_open", "SCAN counted", "SCAN layer")
    scans = [plan for plan in found if plan.startswith("SCAN ") and not any(name in plan for name in allowed)]
    assert scans == [], scans


def test_a_thematic_layer_shows_its_grids_parts_and_cases(office: Office) -> None:
    code, part = "411081001001005", "4110810100000000"
    office.records.write(lambda unit: layers.save_layer(unit, "F1", "钧瓷文化节", "festival"))
    office.records.write(lambda unit: layers.add_members(unit, "F1", "grid", [code]))
    office.records.write(lambda unit: layers.add_members(unit, "F1", "part", [part]))
    with office.records.read() as connection:
        assert [item["properties"]["code"] for item in outlines.grids_of_layer(connection, WIDE, "F1")] == [code]
        assert [item["properties"]["code"] for item in density.parts_of_layer(connection, WIDE, "F1")] == [part]


def test_the_answer_over_http(shared_node: RunningNode) -> None:
    number = report(shared_node, **place(15.5))["number"]
    client = shared_node.client("s1")
    found = client.get(f"/api/v1/map/places?bbox={COUNTY}&metres=5&layers=grids,areas&theme=").json()
    assert found["grids"]["shown"]
    assert "parts" not in found
    seen = client.get(f"/api/v1/map/cases?bbox={COUNTY}").json()
    spot = next(item for item in seen["items"] if item["number"] == number)
    assert spot.keys() == {
        "number", "kind", "edition", "code", "name", "state", "department", "lon", "lat", "light", "supervised",
    }  # fmt: skip
    assert sum(seen["lights"].values()) == seen["number"]
    theirs = shared_node.client("l1").get(f"/api/v1/map/cases?bbox={COUNTY}").json()
    assert number not in [item["number"] for item in theirs["items"]], "another collector's grid"
    mine = shared_node.client("l2").get(f"/api/v1/map/cases?bbox={COUNTY}").json()
    assert number in [item["number"] for item in mine["items"]]


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("places?bbox=1,2,3&metres=5", 422, "invalid"),
        (f"places?bbox={COUNTY}&metres=nan", 422, "invalid"),
        (f"places?bbox={COUNTY}&metres=0", 422, "invalid"),
        (f"places?bbox={COUNTY}&metres=5&columns=100000", 422, "invalid"),
        (f"places?bbox={COUNTY}&metres=5&layers=trees", 422, "invalid"),
        (f"places?bbox={COUNTY}&metres=5&theme=none", 404, "not-found"),
        (f"cases?bbox={COUNTY}&theme=none", 404, "not-found"),
    ],
)
def test_a_wrong_question_is_refused(shared_node: RunningNode, path: str, status: int, kind: str) -> None:
    is_problem(shared_node.client("z1").get(f"/api/v1/map/{path}"), status, kind)


def test_positions_of_a_box_with_their_age_outlive_the_node(node: RunningNode) -> None:
    at = datetime.now(UTC).isoformat()
    sent = {"account": "l1", "at": at, "lon": WEST + 0.0005, "lat": SOUTH + 0.0005}
    assert node.client("l1").post("/api/v1/positions", json=sent).json()["added"] == 1
    node.stop()
    node.start()
    client = node.client("z1")
    (found,) = client.get(f"/api/v1/positions?bbox={COUNTY}").json()["items"]
    assert (found["who"], found["name"]) == ("l1", "采集员一")
    assert 0 <= found["age"] < 60
    assert client.get("/api/v1/positions?bbox=1,1,2,2").json()["items"] == []
    is_problem(client.get("/api/v1/positions?seconds=0"), 422, "invalid")
    is_problem(node.client("l1").get("/api/v1/positions"), 403, "forbidden")
