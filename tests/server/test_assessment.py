"""Assessment and plans over HTTP: who may, and what comes back."""

from __future__ import annotations

from pathlib import Path

from tests import homes
from tests.cases.desk import Desk
from tests.exchange.joined import until
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import report
from tests.server.test_routes import is_problem
from tests.server.test_scores import LAST_MONTH

ROOT = "/api/v1/assessment"


def test_grids_are_drawn_and_found_by_the_assessor_alone(shared_node: RunningNode) -> None:
    client = shared_node.client("k1")
    body = {"period": "2026", "kind": "grid", "wanted": 5}
    is_problem(shared_node.client("d1").post(f"{ROOT}/spot-checks", json=body), 403, "forbidden")
    drawn = client.post(f"{ROOT}/spot-checks", json=body)
    assert drawn.status_code == 201, drawn.text
    rows = client.get(f"{ROOT}/spot-checks/{drawn.json()['id']}").json()["items"]
    assert [row["subject"] for row in rows] == drawn.json()["subjects"]
    found = client.post(
        f"{ROOT}/spot-checks/{rows[0]['id']}/result",
        json={
            "good": False, "note": "垃圾外溢", "kind": "event", "code": "09005", "charged_to": "D02", "deduction": 50,
        },
    )  # fmt: skip
    assert found.json()["deduction"] == 50.0
    made = client.get(f"/api/v1/cases/{found.json()['number']}").json()
    assert (made["grid"], made["source"], made["description"]) == (rows[0]["subject"], "spot_check", "垃圾外溢")
    is_problem(client.post(f"{ROOT}/spot-checks/{rows[0]['id']}/result", json={"good": True}), 409, "conflict")
    assert client.get(f"{ROOT}/spot-checks", params={"period": "2026"}).json()["items"][0]["bad"] == 1
    sheet = client.get(f"{ROOT}/settlement").json()
    assert (sheet["closed"], sheet["kept_at"], sheet["contract"]["contractor"]) == (False, None, "")
    lines = [(line["kind"], line["subject"], line["deduction"], line["paid"]) for line in sheet["items"]]
    assert lines == [("charged", "D02", 50.0, None)], "this county has no contract in its settings"
    is_problem(client.get(f"{ROOT}/settlement", params={"period": "2026"}), 422, "invalid")
    work = client.get(f"{ROOT}/work").json()
    assert {row["account"] for row in work["collectors"]} == {"l1", "l2"}
    exam = {"account": "l1", "kind": "exam", "name": "上岗", "day": "2026-10-08", "points": 88}
    entered = client.post(f"{ROOT}/training", json=exam)
    assert entered.status_code == 201
    assert client.get(f"{ROOT}/training", params={"account": "l1"}).json()["items"][0]["points"] == 88.0


def test_a_closed_months_sheet_is_kept_when_it_is_first_asked_for(tmp_path: Path) -> None:
    home = homes.copy_home(tmp_path / "home")
    desk = Desk(home, f"{LAST_MONTH}-09 09:00")
    desk.to_closed()
    desk.close()
    node = RunningNode(home).start()
    try:
        client = node.client("k1")
        assert client.post(f"/api/v1/scores/periods/{LAST_MONTH}/close").status_code == 200
        first, again = (client.get(f"{ROOT}/settlement", params={"period": LAST_MONTH}).json() for _ in range(2))
        assert first["closed"]
        assert first["kept_at"] is not None
        assert first == again
    finally:
        node.stop()


def test_a_plan_runs_from_start_to_end(node: RunningNode) -> None:
    leader = node.client("z1")
    is_problem(node.client("s1").post("/api/v1/plans/snow/start", json={}), 403, "forbidden")
    told = leader.post("/api/v1/plans/rainstorm/start", json={"reason": "红色预警"}).json()
    assert [plan["plan"] for plan in told["plans"] if plan["runs"]] == ["rainstorm"]
    is_problem(leader.post("/api/v1/plans/rainstorm/start", json={}), 409, "conflict")
    assert "rainstorm" in {run["plan"] for run in node.client("l1").get("/api/v1/plans").json()["history"]}

    until(lambda: report(node)["flags"] == ["plan_rainstorm"], "the office reads its reference data anew")
    leader.post("/api/v1/plans/rainstorm/end")
    is_problem(leader.post("/api/v1/plans/party/end"), 404, "not-found")
