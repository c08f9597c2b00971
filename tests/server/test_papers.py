"""What a seat takes from a case beside its record: the clock, the slip, the key bar; and the checks of the box."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cases.desk import place
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import report


def act(node: RunningNode, account: str, record: dict[str, Any], action: str, **body: Any) -> dict[str, Any]:
    answer = node.client(account).post(
        f"/api/v1/cases/{record['number']}/actions/{action}", json=body, headers={"If-Match": f'"{record["version"]}"'}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
def dispatched(shared_node: RunningNode) -> dict[str, Any]:
    record = report(shared_node, source="video", **place(2.5))
    record = act(shared_node, "s1", record, "accept")
    record = act(shared_node, "z1", record, "file")
    return act(shared_node, "p1", record, "dispatch", department="D01", condition=1, note="请带围挡")


def test_the_clock_tells_what_is_left_in_the_limits_own_unit(
    shared_node: RunningNode, dispatched: dict[str, Any]
) -> None:
    found = shared_node.client("p1").get(f"/api/v1/cases/{dispatched['number']}/clock").json()
    assert found["clock"] == "handle"
    assert found["remaining"]["unit"] == dispatched["limit"]["unit"]
    assert 0 < found["remaining"]["value"] <= dispatched["limit"]["value"]


def test_the_slip_has_what_the_department_needs_and_no_reporter(
    shared_node: RunningNode, dispatched: dict[str, Any]
) -> None:
    path = f"/api/v1/cases/{dispatched['number']}/slip"
    text = shared_node.client("p1").get(path, headers={"Accept": "text/plain"})
    assert text.headers["content-type"].startswith("text/plain")
    for wanted in (dispatched["number"], "市政", "请带围挡", "签收人", dispatched["limit"]["unit"]):
        assert wanted in text.text, wanted
    page = shared_node.client("d1").get(path)
    assert page.headers["content-type"].startswith("text/html")
    assert dispatched["number"] in page.text
    for secret in ("张三", "13812341234"):
        assert secret not in text.text + page.text


def test_a_slip_needs_a_dispatch(shared_node: RunningNode) -> None:
    number = report(shared_node)["number"]
    answer = shared_node.client("s1").get(f"/api/v1/cases/{number}/slip")
    assert answer.status_code == 422
    assert "派遣" in answer.json()["detail"]


def test_the_key_bar_of_a_case_is_asked_by_its_number(shared_node: RunningNode, dispatched: dict[str, Any]) -> None:
    client = shared_node.client("p1")
    by_case = client.get("/api/v1/actions", params={"number": dispatched["number"]}).json()["items"]
    by_state = client.get("/api/v1/actions", params={"state": "dispatched"}).json()["items"]
    names = {item["action"] for item in by_case}
    assert names < {item["action"] for item in by_state}
    assert "clear_supervision" not in names
    assert client.get("/api/v1/actions").status_code == 422
    assert client.get("/api/v1/actions", params={"number": "nowhere"}).status_code == 404


def test_the_commonest_classes_are_those_of_the_county(shared_node: RunningNode, dispatched: dict[str, Any]) -> None:
    found = shared_node.client("s1").get("/api/v1/codes/common").json()["items"]
    assert dispatched["code"] in {item["code"] for item in found}
    assert len(found) <= 10


def test_the_shift_leader_sees_how_the_box_is(shared_node: RunningNode) -> None:
    found = shared_node.client("z1").get("/api/v1/doctor", timeout=60).json()["items"]
    assert {item["result"] for item in found} <= {"passed", "warning", "failed", "error", "skipped"}
    assert len(found) > 5
    assert not [item for item in found if item["result"] == "error"]


def test_everything_round_a_case_comes_in_one_answer(shared_node: RunningNode, dispatched: dict[str, Any]) -> None:
    """It is what the single routes say, and as closed to others as they are."""
    path = f"/api/v1/cases/{dispatched['number']}"
    client = shared_node.client("p1")
    found = client.get(f"{path}/around").json()
    assert found["history"] == client.get(f"{path}/history").json()["items"]
    assert found["actions"] == client.get("/api/v1/actions", params={"number": dispatched["number"]}).json()["items"]
    assert found["clock"]["clock"] == "handle"
    assert dispatched["number"] in {item["number"] for item in found["near"]}
    assert dispatched["grid"] in {item["properties"]["code"] for item in found["grids"]["features"]}
    assert "reporter" not in found["near"][0]
    assert shared_node.client("d2").get(f"{path}/around").status_code == 403
    assert client.get(f"{path}/around?metres=5000").status_code in (400, 422)
