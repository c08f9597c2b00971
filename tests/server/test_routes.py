"""What other programs rely on: every route in the OpenAPI document, every refusal a problem, roles kept apart."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.cases.desk import place
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import CALL, report

HERE = place()
SIGNED_IN = (
    "/api/v1/me",
    f"/api/v1/locate?lon={HERE['lon']}&lat={HERE['lat']}",
    f"/api/v1/geocode?q={HERE['lon']},{HERE['lat']}",
    "/api/v1/codes?q=jg",
    "/api/v1/codes/part/01002",
    "/api/v1/codes/common",
    "/api/v1/codes/own",
    "/api/v1/sources",
    "/api/v1/departments",
    "/api/v1/staff?role=collector",
    f"/api/v1/duplicates?code=01002&lon={HERE['lon']}&lat={HERE['lat']}",
    "/api/v1/summary",
    "/api/v1/workflow",
    "/api/v1/actions?state=reported",
    "/api/v1/cases",
    "/api/v1/shapes/grids?bbox=113.4,34.1,113.41,34.11",
    "/ogc/collections",
)
PUBLIC = ("/health", "/metrics", "/schema/openapi.json", "/open311/v2/discovery.xml", "/problems/stale-version")


def is_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["type"]) == (status, f"/problems/{kind}"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize("path", SIGNED_IN)
def test_a_signed_in_person_reads_and_a_stranger_does_not(shared_node: RunningNode, path: str) -> None:
    assert shared_node.client("s1").get(path).status_code == 200
    is_problem(httpx.get(f"{shared_node.url}{path}"), 401, "not-signed-in")


@pytest.mark.parametrize("path", PUBLIC)
def test_some_addresses_need_no_sign_in(shared_node: RunningNode, path: str) -> None:
    assert httpx.get(f"{shared_node.url}{path}").status_code == 200


def test_a_wrong_field_is_named(shared_node: RunningNode) -> None:
    client = shared_node.client("s1")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({**CALL, "lon": "east"}, "lon"),
        ({**CALL, "colour": "red"}, "colour"),
        ({key: value for key, value in CALL.items() if key != "kind"}, "kind"),
        ({**CALL, "kind": "thing"}, "kind"),
    ]
    for body, field in wrong:
        problem = is_problem(client.post("/api/v1/cases", json=body), 422, "invalid")
        assert field in [error["field"] for error in problem["errors"]], problem
    problem = is_problem(client.post("/api/v1/cases", json={**CALL, "code": "01009x"}), 422, "unknown-code")
    assert problem["errors"][0]["nearest"]
    problem = is_problem(client.get("/api/v1/actions"), 422, "invalid")
    assert problem["errors"][0]["field"] == "state"
    is_problem(client.post("/api/v1/cases", json={**CALL, "lon": 10.0}), 422, "unknown-place")
    is_problem(client.post("/api/v1/cases", content=b"{"), 400, "bad-request")
    is_problem(client.put("/api/v1/cases"), 405, "method-not-allowed")
    is_problem(client.get("/api/v1/case"), 404, "not-found")


def test_impossible_actions_name_the_possible_ones(shared_node: RunningNode) -> None:
    number = str(report(shared_node)["number"])
    client, path = shared_node.client("z1"), f"/api/v1/cases/{number}/actions"
    seen = {"If-Match": '"1"'}
    problem = is_problem(client.post(f"{path}/close", json={}, headers=seen), 422, "action-not-allowed")
    assert "reject" in problem["allowed"]
    is_problem(client.post(f"{path}/reject", json={"reason": "重复"}), 428, "version-required")
    stale = is_problem(
        client.post(f"{path}/reject", json={"reason": "重复"}, headers={"If-Match": '"7"'}), 409, "stale-version"
    )
    assert stale["version"] == 1
    is_problem(client.post(f"{path}/reject", json={"reason": "重复"}, headers={"If-Match": "x"}), 422, "invalid")


@pytest.mark.parametrize(
    ("account", "method", "path", "status"),
    [
        ("l1", "GET", "/api/v1/jobs", 403),
        ("z1", "GET", "/api/v1/jobs", 200),
        ("d1", "GET", "/api/v1/positions", 403),
        ("s1", "POST", "/api/v1/positions", 403),
        ("s1", "GET", "/api/v1/tracks/l1", 200),
        ("l1", "GET", "/api/v1/tracks/l1", 403),
        ("d1", "POST", "/api/v1/calls", 403),
        ("admin", "POST", "/api/v1/jobs/resume", 201),
        ("admin", "POST", "/api/v1/jobs/dance", 404),
        ("d1", "GET", "/api/v1/cases?phone=1381", 403),
        ("b1", "GET", "/api/v1/cases?phone=1381", 403),
        ("p1", "GET", "/api/v1/cases?phone=1381", 200),
        ("s1", "GET", "/api/v1/doctor", 403),
    ],
)
def test_each_role_has_its_doors(shared_node: RunningNode, account: str, method: str, path: str, status: int) -> None:
    body = {"number": "13812341234", "seat": "s1"} if path.endswith("calls") else None
    answer = shared_node.client(account).request(method, path, json=body)
    assert answer.status_code == status, answer.text


def test_departments_and_collectors_see_their_own(shared_node: RunningNode) -> None:
    number = str(report(shared_node, **place(15.5))["number"])
    path = f"/api/v1/cases/{number}"
    for account, status in (("s2", 200), ("k1", 200), ("l2", 200), ("l1", 403), ("d1", 403)):
        assert shared_node.client(account).get(path).status_code == status, account
        assert shared_node.client(account).get(f"{path}/history").status_code == status, account
    masked = shared_node.client("k1").get(path).json()["reporter"]
    assert masked == {"name": "张*", "phone": "138****1234"}
    assert number not in shared_node.client("l1").get("/api/v1/cases?limit=1000").text
    assert number in shared_node.client("l2").get("/api/v1/cases?limit=1000").text


def test_the_openapi_document_has_every_route_with_its_problems(shared_node: RunningNode) -> None:
    document = httpx.get(f"{shared_node.url}/schema/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    identities = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            identities.append(operation["operationId"])
            responses = operation["responses"]
            assert any(status.startswith("2") for status in responses), (method, path)
            if path.startswith("/api/v1") and operation.get("security") != [{}]:
                assert "401" in responses, (method, path)
            for status, response in responses.items():
                if status.startswith("4") and path.startswith("/api/v1"):
                    assert "application/problem+json" in response["content"], (method, path, status)
    assert len(identities) == len(set(identities))
    contract = {
        "/health", "/metrics", "/api/v1/session", "/api/v1/cases", "/api/v1/cases/{number}",
        "/api/v1/cases/{number}/history", "/api/v1/cases/{number}/actions/{action}", "/api/v1/cases/{number}/requests",
        "/api/v1/cases/{number}/requests/{request_id}/decision", "/api/v1/cases/{number}/evidence", "/api/v1/evidence",
        "/api/v1/evidence/{sha256}", "/api/v1/positions", "/api/v1/calls", "/api/v1/public/cases/{query_code}",
        "/api/v1/jobs/{name}", "/api/v1/actions", "/api/v1/locate", "/api/v1/geocode", "/api/v1/events",
        "/open311/v2/discovery.xml", "/open311/v2/requests.json", "/ogc", "/ogc/collections/{name}/items",
    }  # fmt: skip
    assert contract <= document["paths"].keys()
    case = document["components"]["schemas"]["CaseOut"]["properties"]
    assert {"number", "state", "due_at", "reporter", "version", "light"} <= case.keys()


def test_the_case_schema_fits_the_case_record(shared_node: RunningNode) -> None:
    document = httpx.get(f"{shared_node.url}/schema/openapi.json").json()
    number = str(report(shared_node)["number"])
    case = shared_node.client("s1").get(f"/api/v1/cases/{number}").json()
    created = document["paths"]["/api/v1/cases"]["post"]["responses"]["201"]["content"]["application/json"]
    (example,) = created["examples"].values()
    assert example["value"].keys() <= case.keys()  # the framework leaves empty members out
    assert case.keys() == document["components"]["schemas"]["CaseOut"]["properties"].keys()


def test_the_metrics_count(shared_node: RunningNode) -> None:
    before = metric(shared_node, "wanmi_cases_open")
    report(shared_node)
    assert metric(shared_node, "wanmi_cases_open") == before + 1


def metric(node: RunningNode, name: str) -> float:
    lines = httpx.get(f"{node.url}/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def test_a_stream_that_begins_late_misses_nothing(shared_node: RunningNode) -> None:
    client = shared_node.client("s1")
    start = int(httpx.get(f"{shared_node.url}/health").json()["seq"])
    for _ in range(2):  # the second stream begins where the first did, after a change nobody listened to
        number = str(report(shared_node)["number"])
        with client.stream("GET", f"/api/v1/events?after={start}", timeout=20) as stream:
            assert any(number in line for line in stream.iter_lines() if line.startswith("data"))
