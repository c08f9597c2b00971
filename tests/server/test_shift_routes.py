"""The shift desk, the video seat, calls, instructions and own settings over HTTP: who may, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from appliance.records.store import Records
from provisioning.import_files.pipeline import Options, run_import
from tests import homes
from tests.nodes import RunningNode
from tests.patrols.test_looks import CAMERAS
from tests.server.test_loop_over_http import report
from tests.server.test_routes import is_problem

DESK = {"s1", "z1", "p1"}
WATCHERS = DESK | {"b1", "k1", "admin"}
EVERYBODY = WATCHERS | {"d1", "l1"}
PERIOD = "from=2026-10-08T00:00:00Z&to=2026-10-09T00:00:00Z"
DOORS: tuple[tuple[str, str, Any, set[str], int], ...] = (
    ("GET", "/api/v1/shifts/now", None, WATCHERS, 200),
    ("GET", "/api/v1/shifts", None, WATCHERS, 200),
    ("GET", "/api/v1/shifts/999", None, WATCHERS, 404),
    ("GET", "/api/v1/shifts/open-items", None, DESK, 200),
    ("POST", "/api/v1/shifts", {"shift": "noon"}, DESK, 422),
    ("POST", "/api/v1/shifts/999/end", {"note": "x"}, DESK, 404),
    ("GET", "/api/v1/handovers?waiting=true", None, DESK, 200),
    ("POST", "/api/v1/handovers/999/confirm", None, DESK, 404),
    ("GET", "/api/v1/shift-log?kind=look", None, DESK, 200),
    ("POST", "/api/v1/shift-log", {"kind": "weather", "text": "大风"}, DESK, 201),
    ("GET", "/api/v1/roster?from=2026-10-05&days=7", None, WATCHERS, 200),
    ("PUT", "/api/v1/roster", {"entries": [{"day": "2026-10-05", "account": "s1"}]}, {"z1", "admin"}, 200),
    ("POST", "/api/v1/roster/copy", {"from": "2026-10-05", "to": "2026-10-06"}, {"z1", "admin"}, 422),
    ("GET", "/api/v1/cameras", None, DESK, 200),
    ("GET", "/api/v1/cameras/round?street_class=一类&all=true", None, DESK, 200),
    ("POST", "/api/v1/cameras/C9/looks", {"found": "nothing"}, DESK, 404),
    ("GET", "/api/v1/cameras/C1/looks", None, DESK, 200),
    ("GET", f"/api/v1/cameras/coverage?{PERIOD}", None, WATCHERS, 200),
    ("GET", "/api/v1/calls?unanswered=true", None, DESK, 200),
    ("POST", "/api/v1/calls/999/answered", {}, DESK, 404),
    ("GET", "/api/v1/instructions?replied=false", None, EVERYBODY, 200),
    ("GET", "/api/v1/cases?awaiting_callback=true", None, WATCHERS, 200),
    ("GET", "/api/v1/cases?reopened=true", None, WATCHERS, 200),
    ("GET", "/api/v1/me/settings", None, EVERYBODY, 200),
)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node with three cameras."""
    home = homes.copy_home(tmp_path_factory.mktemp("node") / "home")
    file = home / "cameras.csv"
    file.write_text(CAMERAS, encoding="utf-8")
    records = Records.open(home)
    run_import(records, "cameras", file, Options(crs="EPSG:4490"))
    records.close()
    running = RunningNode(home).start()
    yield running
    running.stop()


@pytest.mark.parametrize(("method", "path", "body", "who", "status"), DOORS, ids=[f"{d[0]} {d[1]}" for d in DOORS])
def test_every_door_opens_for_its_roles_and_for_no_other(
    node: RunningNode, method: str, path: str, body: Any, who: set[str], status: int
) -> None:
    for account in sorted(EVERYBODY):
        answer = node.client(account).request(method, path, json=body)
        expected = status if account in who else 403
        assert answer.status_code == expected, (account, answer.text)
        if expected >= 400:
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_shift_from_sign_on_to_the_next_ones_confirmation(node: RunningNode) -> None:
    first, second = node.client("s1"), node.client("s2")
    shift = first.post("/api/v1/shifts", json={"seat": "1号席"}).json()
    assert first.get("/api/v1/shifts/now").json()["mine"]["id"] == shift["id"]
    is_problem(first.post("/api/v1/shifts", json={}), 409, "conflict")
    rung = first.post("/api/v1/calls", json={"number": "13800002222", "seat": "s1"}).json()
    case = report(node, reporter={"name": "张先生", "phone": "13800002222"})
    (call,) = first.get(f"/api/v1/calls?shift={shift['id']}").json()["items"]
    assert (call["id"], call["case"], call["answered_by"]) == (rung["id"], case["number"], "s1")
    path = f"/api/v1/shifts/{shift['id']}/end"
    is_problem(first.post(path, json={}), 422, "invalid")
    handover = first.post(path, json={"note": "一切正常"}).json()
    assert case["number"] in handover["items"]["states"]["reported"]["numbers"]
    assert second.post("/api/v1/shifts", json={"shift": "night"}).status_code == 201
    confirmed = second.post(f"/api/v1/handovers/{handover['id']}/confirm").json()
    assert confirmed["confirmed_by"] == "s2"
    lines = second.get("/api/v1/shift-log?limit=2").json()
    assert [line["kind"] for line in lines["items"]] == ["confirm", "sign_on"]
    older = second.get(f"/api/v1/shift-log?after={lines['next']}&shift={shift['id']}").json()["items"]
    assert [(line["kind"], line["text"]) for line in older] == [
        ("sign_off", "一切正常"), ("call", ""), ("sign_on", ""),
    ]  # fmt: skip
    detail = second.get(f"/api/v1/shifts/{shift['id']}").json()
    assert (detail["actions"], detail["logged"]["call"]) == ({"report": 1}, 1)


def test_a_look_moves_the_camera_to_the_end_of_the_round(node: RunningNode) -> None:
    client = node.client("s1")
    due = client.get("/api/v1/cameras/round").json()
    camera = due["items"][0]["code"]
    is_problem(client.post(f"/api/v1/cameras/{camera}/looks", json={"found": "maybe"}), 422, "invalid")
    seen = client.post(f"/api/v1/cameras/{camera}/looks", json={"found": "problem", "note": "垃圾"}).json()
    assert seen["due_at"] > seen["looked_at"]
    assert client.get("/api/v1/cameras/round").json()["due"] == due["due"] - 1
    (look,) = client.get(f"/api/v1/cameras/{camera}/looks").json()["items"]
    assert (look["found"], look["note"], look["case"]) == ("problem", "垃圾", None)
    page = client.get("/api/v1/cameras?limit=2").json()
    rest = client.get(f"/api/v1/cameras?limit=2&after={page['next']}").json()
    assert [item["code"] for item in page["items"] + rest["items"]] == ["C1", "C2", "C3"]


def test_settings_are_ones_own_and_bounded(node: RunningNode) -> None:
    mine, other = node.client("s1"), node.client("s2")
    path = "/api/v1/me/settings/desk.views"
    assert mine.put(path, json={"value": {"states": ["filed"]}}).status_code == 204
    assert mine.get(path).json()["value"] == {"states": ["filed"]}
    is_problem(other.get(path), 404, "not-found")
    is_problem(mine.put("/api/v1/me/settings/Desk", json={"value": 1}), 422, "invalid")
    is_problem(mine.put(path, json={"value": "x" * 33_000}), 413, "too-large")
    for number in range(49):
        name = f"view.{chr(97 + number // 26)}{chr(97 + number % 26)}"
        assert mine.put(f"/api/v1/me/settings/{name}", json={"value": None}).status_code == 204
    is_problem(mine.put("/api/v1/me/settings/one.more", json={"value": 1}), 422, "invalid")
    assert mine.put(path, json={"value": 2}).status_code == 204, "what is there may change"
    assert len(mine.get("/api/v1/me/settings").json()["items"]) == 50
    assert mine.delete(path).status_code == 204
    is_problem(mine.delete(path), 404, "not-found")


def test_bodies_have_examples_in_the_document(node: RunningNode) -> None:
    paths = node.client("s1").get("/schema/openapi.json").json()["paths"]
    own = ("/shifts", "/handovers", "/shift-log", "/roster", "/cameras", "/calls", "/instructions", "/me/settings")
    mine = {path: item for path, item in paths.items() if path.removeprefix("/api/v1").startswith(own)}
    assert len(mine) >= 18
    for path, operations in mine.items():
        for method, operation in operations.items():
            if "requestBody" in operation:
                assert operation["requestBody"]["content"]["application/json"]["schema"]["examples"], (method, path)
