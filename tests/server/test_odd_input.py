"""Numbers, times and texts that nobody means: each is refused with a sentence, and the node never breaks."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.nodes import RunningNode
from tests.server.test_doors import dispatched
from tests.server.test_loop_over_http import CALL, report
from tests.server.test_routes import is_problem

HUGE, THOUSANDS = "9" * 25, "9" * 3000
LONG = "字" * 4001
FAR = "9999-12-31T23:59:59-12:00"
PAST, EARLY = "2026-01-01T00:00:00+08:00", "0001-01-01T00:00:00+14:00"


@pytest.mark.parametrize(
    "path",
    [
        f"/api/v1/cases?after={HUGE}",
        f"/api/v1/cases?limit={HUGE}",
        f"/api/v1/events?after={HUGE}",
        "/api/v1/events?after=-1",
        f"/api/v1/events?after={THOUSANDS}",
        "/api/v1/locate?lon=nan&lat=34",
        "/api/v1/duplicates?code=01002&lon=nan&lat=34",
        "/api/v1/duplicates?code=01002&lon=1e400&lat=34",
    ],
)
def test_a_question_with_an_impossible_number(shared_node: RunningNode, path: str) -> None:
    is_problem(shared_node.client("z1").get(path), 422, "invalid")


def test_an_impossible_last_event(shared_node: RunningNode) -> None:
    is_problem(shared_node.client("z1").get("/api/v1/events", headers={"Last-Event-ID": HUGE}), 422, "invalid")


def test_an_impossible_page_of_features_and_of_requests(shared_node: RunningNode) -> None:
    assert shared_node.client("z1").get(f"/ogc/collections/cases/items?after={HUGE}").status_code == 400
    for query in (f"page={THOUSANDS}", f"page_size={THOUSANDS}", f"page={HUGE}"):
        assert httpx.get(f"{shared_node.url}/open311/v2/requests.json?{query}").status_code == 400, query


@pytest.mark.parametrize(
    "change",
    [
        {"condition": THOUSANDS},
        {"condition": int(HUGE)},
        {"condition": int(THOUSANDS)},
        {"external": {"system": "12345", "number": "1", "due_at": FAR}},
        {"external": {"system": "12345", "number": "1", "due_at": EARLY}},
        {"description": LONG},
        {"note": LONG},
        {"address": "路" * 257},
    ],
    ids=str,
)
def test_a_report_with_something_impossible(shared_node: RunningNode, change: dict[str, Any]) -> None:
    problem = is_problem(shared_node.client("s1").post("/api/v1/cases", json={**CALL, **change}), 422, "invalid")
    assert len(problem["detail"]) < 5000


@pytest.mark.parametrize("text", [HUGE, THOUSANDS, "-1"], ids=len)
def test_an_impossible_version(shared_node: RunningNode, text: str) -> None:
    number = report(shared_node)["number"]
    path, seen = f"/api/v1/cases/{number}/actions/accept", {"If-Match": f'"{text}"'}
    problem = is_problem(shared_node.client("s1").post(path, json={}, headers=seen), 422, "invalid")
    assert len(problem["detail"]) < 200


def test_impossible_fields_of_actions_and_requests(shared_node: RunningNode) -> None:
    node, number = shared_node, dispatched(shared_node)
    actions: list[tuple[str, str, dict[str, Any]]] = [
        ("b1", "supervise", {"until": PAST, "note": "请督办"}),
        ("b1", "supervise", {"until": FAR, "note": "请督办"}),
        ("b1", "note", {"note": LONG}),
        ("d1", "finish", {"result": LONG}),
        ("d1", "assign", {"department": "D0101", "until": PAST}),
        ("d1", "answer_supervision", {"supervision": int(HUGE), "note": "已办"}),
        ("d1", "take", {"at": EARLY}),
    ]
    for account, action, body in actions:
        is_problem(node.act(account, number, action, **body), 422, "invalid")
    asked: list[dict[str, Any]] = [
        {"kind": "suspension", "reason": "等料", "until": PAST},
        {"kind": "suspension", "reason": "等料", "until": FAR},
        {"kind": "extension", "reason": LONG},
    ]
    path = f"/api/v1/cases/{number}/requests"
    for body in asked:
        is_problem(node.client("d1").post(path, json=body), 422, "invalid")
    is_problem(node.client("z1").post(f"{path}/1/decision", json={"approve": False, "note": LONG}), 422, "invalid")
    answer = node.client("z1").post(f"{path}/{HUGE}/decision", json={"approve": False})
    assert answer.status_code in (404, 422), answer.text
    assert node.client("z1").get(f"/api/v1/cases/{number}").json()["state"] == "dispatched"
