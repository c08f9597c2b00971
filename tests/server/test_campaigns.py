"""A survey of shops: made by the assessor, given to collectors, answered in the street, scored, taken out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.homes import SOUTH, STEP, WEST
from tests.nodes import RunningNode
from tests.server.test_evidence import PNG
from tests.server.test_routes import is_problem

FORM = [
    {"field": "clean", "name": "门前整洁", "type": "yes_no", "needed": True, "points": 40},
    {"field": "order", "name": "秩序", "type": "choice", "choices": ["好", "一般", "差"], "needed": True, "points": 60},
    {"field": "photo", "name": "照片", "type": "photo"},
    {"field": "note", "name": "说明", "type": "text"},
]


def campaign(code: str, **changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    made = {
        "code": code, "name": "门前三包检查", "kind": "shop_register", "about": "list", "form": FORM,
        "starts_at": (now - timedelta(hours=1)).isoformat(), "ends_at": (now + timedelta(days=9)).isoformat(),
    }  # fmt: skip
    return made | changes


def shops() -> dict[str, Any]:
    """A shop in each collector's street, and one beyond the county."""
    return {"targets": [
        {"subject": "S1", "name": "老王面馆", "lon": WEST + STEP / 2, "lat": SOUTH + STEP / 2, "department": "D01"},
        {"subject": "S2", "name": "=HYPERLINK()", "lon": WEST + 10.5 * STEP, "lat": SOUTH + STEP / 2},
        {"subject": "S3", "name": "县外", "lon": 100.0, "lat": 30.0},
    ]}  # fmt: skip


def test_shops_are_surveyed_scored_and_taken_out(shared_node: RunningNode) -> None:
    office, l1, l2 = (shared_node.client(account) for account in ("k1", "l1", "l2"))
    assert office.post("/api/v1/campaigns", json=campaign("shops-1")).status_code == 201
    is_problem(office.post("/api/v1/campaigns", json=campaign("shops-1")), 409, "conflict")
    assert office.post("/api/v1/campaigns/shops-1/targets", json=shops()).json() == {"targets": 3}
    assert office.post("/api/v1/campaigns/shops-1/targets", json=shops()).json() == {"targets": 3}, (
        "again changes nothing"
    )
    mine = [task["subject"] for task in l1.get("/api/v1/campaign-tasks").json()["items"]]
    assert mine == ["S1"]
    assert office.post("/api/v1/campaigns/shops-1/assign", json={"collector": "l2", "subjects": ["S3"]}).json() == {
        "targets": 1
    }

    path = "/api/v1/campaigns/shops-1/answers"
    is_problem(l2.post(path, json={"subject": "S1", "filled": {"clean": True, "order": "好"}}), 403, "forbidden")
    wrong = l1.post(path, json={"subject": "S1", "filled": {"clean": "yes", "colour": 1}})
    is_problem(wrong, 422, "invalid")
    assert {error["field"] for error in wrong.json()["errors"]} == {"clean", "colour", "order"}
    unknown = {"subject": "S1", "filled": {"clean": True, "order": "好"}, "photos": {"photo": "0" * 64}}
    is_problem(l1.post(path, json=unknown), 422, "invalid")
    photo = l1.post("/api/v1/evidence", files={"file": ("p.png", PNG)}, data={"stage": "report"}).json()["sha256"]
    filled = {
        "subject": "S1", "filled": {"clean": True, "order": "一般", "note": "\t=1+1"}, "photos": {"photo": photo},
        "lon": WEST, "lat": SOUTH,
    }  # fmt: skip
    assert l1.post(path, json=filled).json()["points"] == 70.0
    assert l2.post(path, json={"subject": "S2", "filled": {"clean": False, "order": "差"}}).json()["points"] == 0.0
    assert l1.get("/api/v1/campaign-tasks").json()["items"] == []
    is_problem(l1.post(path, json={"subject": "S9", "filled": {}}), 404, "not-found")

    told = next(each for each in office.get("/api/v1/campaigns").json()["items"] if each["code"] == "shops-1")
    assert (told["targets"], told["answered"], told["points"]) == (3, 2, 35.0)
    progress = office.get("/api/v1/campaigns/shops-1/progress").json()
    assert [(row["subject"], row["answered"]) for row in progress["collector"]] == [("l1", 1), ("l2", 1)]
    assert {row["subject"]: row["points"] for row in progress["street"]} == {
        "": None,
        "411081001": 70.0,
        "411081002": 0.0,
    }
    lines = office.get("/api/v1/campaigns/shops-1/results.csv").content.decode("utf-8-sig").splitlines()
    assert lines[0].endswith("案件,门前整洁,秩序,照片,说明")
    assert lines[1].startswith("S1,老王面馆,411081001,D01,")
    assert "70.0,,是,一般," in lines[1]
    assert "'=HYPERLINK()" in lines[2], "no formula for the spreadsheet"
    assert "'\t=1+1" in lines[1], "behind a tab neither"
    page = office.get("/api/v1/campaigns/shops-1/targets", params={"limit": 2}).json()
    assert (page["items"][0]["photos"], page["next"] is None) == ([photo], False)

    office.post("/api/v1/campaigns/shops-1/end")
    is_problem(l2.post(path, json={"subject": "S3", "filled": {"clean": True, "order": "好"}}), 409, "conflict")
    is_problem(office.post("/api/v1/campaigns/shops-1/end"), 409, "conflict")


def test_a_shopkeepers_telephone_is_for_the_office_and_whose_shop_it_is(shared_node: RunningNode) -> None:
    """D01's shop lies in l1's grid, D02's in l2's; each sees the own one, the office both."""
    office = shared_node.client("k1")
    form = [{"field": "owner_phone", "name": "店主电话", "type": "text", "points": 1}]
    office.post("/api/v1/campaigns", json=campaign("shops-2", form=form))
    targets = shops()["targets"][:2]
    targets[1]["department"] = "D02"
    office.post("/api/v1/campaigns/shops-2/targets", json={"targets": targets})
    for account, subject in (("l1", "S1"), ("l2", "S2")):
        body = {"subject": subject, "filled": {"owner_phone": f"1381234000{subject[1]}"}}
        assert shared_node.client(account).post("/api/v1/campaigns/shops-2/answers", json=body).status_code == 201

    def seen(account: str) -> tuple[set[str], set[str]]:
        client = shared_node.client(account)
        items = client.get("/api/v1/campaigns/shops-2/targets").json()["items"]
        progress = client.get("/api/v1/campaigns/shops-2/progress").json()
        return {item["subject"] for item in items}, {row["subject"] for row in progress["collector"]}

    assert seen("k1") == seen("z1") == ({"S1", "S2"}, {"l1", "l2"})
    assert seen("d1") == seen("l1") == ({"S1"}, {"l1"})
    assert seen("d2") == seen("l2") == ({"S2"}, {"l2"})
    assert "13812340001" in office.get("/api/v1/campaigns/shops-2/results.csv").text
    for account in ("d1", "l1"):
        is_problem(shared_node.client(account).get("/api/v1/campaigns/shops-2/results.csv"), 403, "forbidden")


def test_an_answer_from_elsewhere_is_marked_and_one_from_nowhere_refused(shared_node: RunningNode) -> None:
    office, l1 = shared_node.client("k1"), shared_node.client("l1")
    office.post("/api/v1/campaigns", json=campaign("shops-3"))
    office.post("/api/v1/campaigns/shops-3/targets", json={"targets": shops()["targets"][:1]})
    path, filled = "/api/v1/campaigns/shops-3/answers", {"subject": "S1", "filled": {"clean": True, "order": "好"}}
    for odd in ({"lon": 999.0, "lat": -500.0}, {"lon": WEST}):
        assert l1.post(path, json=filled | odd).status_code in (400, 422)

    def seen(**where: float) -> tuple[bool | None, str]:
        outside = l1.post(path, json=filled | where).json()["outside"]
        item = office.get("/api/v1/campaigns/shops-3/targets").json()["items"][0]
        assert item["outside"] is outside
        line = office.get("/api/v1/campaigns/shops-3/results.csv").text.splitlines()[1]
        return outside, line.split(",")[8]

    assert seen() == (None, "")
    assert seen(lon=WEST + STEP / 3, lat=SOUTH + STEP / 3) == (False, "网格内")
    assert seen(lon=WEST + STEP * 1.5, lat=SOUTH + STEP / 2) == (True, "网格外")
    assert seen(lon=100.0, lat=30.0) == (True, "网格外")


def test_all_grids_of_a_street_are_a_survey(shared_node: RunningNode) -> None:
    office = shared_node.client("k1")
    made = campaign(
        "grids-1", kind="survey", about="grids", form=[{"field": "count", "name": "井盖数", "type": "number"}]
    )
    assert office.post("/api/v1/campaigns", json=made).status_code == 201
    assert office.post("/api/v1/campaigns/grids-1/targets", json={"area": "411081002"}).json() == {"targets": 100}
    tasks = shared_node.client("l2").get("/api/v1/campaign-tasks", params={"limit": 500}).json()["items"]
    assert len([task for task in tasks if task["campaign"] == "grids-1"]) == 100
    is_problem(office.post("/api/v1/campaigns/grids-1/targets", json=shops()), 422, "invalid")
    is_problem(shared_node.client("l1").post("/api/v1/campaigns", json=campaign("mine")), 403, "forbidden")


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "大"}, {"name": " "}, {"kind": "party"}, {"about": "people"}, {"form": []},
        {"form": [{"field": "a", "name": "a", "type": "text"}]}, {"form": [FORM[0], FORM[0]]},
        {"form": [{"field": "a", "name": "a", "type": "choice", "choices": ["x"], "points": 1}]},
        {"form": [{"field": "a", "name": "a", "type": "colour"}]}, {"ends_at": "2020-01-01T00:00:00Z"},
        {"starts_at": "2026-01-01T00:00:00"}, {"starts_at": "0001-01-01T00:00:00+14:00"},
        {"ends_at": "9999-12-31T23:59:59-14:00"},
    ],
)  # fmt: skip
def test_a_campaign_that_nobody_could_fill_is_refused(shared_node: RunningNode, changes: dict[str, Any]) -> None:
    refused = shared_node.client("k1").post("/api/v1/campaigns", json=campaign("wrong") | changes)
    assert refused.status_code in (400, 422), refused.text
    assert shared_node.client("k1").get("/api/v1/campaigns").status_code == 200
