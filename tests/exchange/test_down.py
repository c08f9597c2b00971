"""The prefecture sends cases and supervisions down; they run through the county's loop and are answered for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from appliance.cases.report import NewCase
from appliance.exchange.sent_down import digest_of
from tests.exchange.joined import Joined, address
from tests.exchange.platform import EVERY_SCOPE, Platform
from tests.homes import SOUTH, STEP, WEST
from tests.nodes import RunningNode

V1 = "/exchange/v1"
JPEG = b"\xff\xd8\xff\xe0" + b"a pothole" * 50
BODY = {
    "kind": "part", "code": "01002", "lon": WEST + STEP / 2, "lat": SOUTH + STEP / 2, "description": "市长热线转办",
    "upper": {"number": "市2026-0001", "due_at": "2026-12-31T16:00:00Z", "reply_required": True},
}  # fmt: skip


@pytest.fixture(scope="module")
def county(shared_node: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Joined]:
    narrow = ["cases.write@411081002", "supervise@411081002"]
    scopes = {"prefecture": list(EVERY_SCOPE), "street": narrow}
    with Platform(tmp_path_factory.mktemp("platform"), scopes=scopes) as platform:
        joined = Joined(shared_node, platform, address())
        assert joined.join()["ok"] is True
        yield joined


@pytest.fixture
def above(county: Joined) -> Iterator[httpx.Client]:
    with county.client() as client:
        client.headers["Accept-Language"] = "en"
        yield client


def numbered(number: str, **more: Any) -> dict[str, Any]:
    return {**BODY, "upper": {**BODY["upper"], "number": number}, **more}  # type: ignore[dict-item]  # it is a dict


def send(above: httpx.Client, number: str, **more: Any) -> dict[str, Any]:
    answer = above.post(f"{V1}/cases", json=numbered(number, **more))
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


def test_whether_a_reply_is_wanted_stays_true_or_false_after_the_case_is_written_again(
    county: Joined, above: httpx.Client
) -> None:
    number = send(above, "市-布尔")["number"]
    assert county.node.act("s1", number, "accept", reason="上级交办").status_code == 200
    page = above.get(f"{V1}/changes", params={"types": "case", "limit": 10_000}).json()
    told = next(item["data"]["upper"] for item in reversed(page["items"]) if item["id"] == number)
    assert told["reply_required"] is True


def to_dispatched(node: RunningNode, number: str) -> None:
    for account, action, body in (
        ("s1", "accept", {"reason": "上级交办"}), ("z1", "file", {}),
        ("p1", "dispatch", {"department": "D01", "condition": 1}),
    ):  # fmt: skip
        answer = node.act(account, number, action, **body)
        assert answer.status_code == 200, answer.text


def test_a_case_from_above_comes_with_its_photo_and_its_number_once(county: Joined, above: httpx.Client) -> None:
    digest = hashlib.sha256(JPEG).hexdigest()
    wrong = above.put(f"{V1}/evidence/{'0' * 64}", content=JPEG)
    assert (wrong.status_code, digest in wrong.text) == (422, True)
    assert [above.put(f"{V1}/evidence/{digest}", content=JPEG).status_code for _ in range(2)] == [201, 200]
    assert above.put(f"{V1}/evidence/{hashlib.sha256(b'exe').hexdigest()}", content=b"exe").status_code == 422
    body = numbered("市-1", evidence=[{"sha256": digest, "stage": "report"}])
    first = above.post(f"{V1}/cases", json=body, headers={"Idempotency-Key": "k1"})
    record = first.json()
    assert first.status_code == 201, first.text
    assert record["source"] == "upper_level"
    assert record["upper"] == {"number": "市-1", "due_at": "2026-12-31T16:00:00Z", "reply_required": True}
    assert [file["sha256"] for file in record["evidence"]] == [digest]
    for key in ({"Idempotency-Key": "k1"}, {}, {"Idempotency-Key": "k2"}):
        again = above.post(f"{V1}/cases", json=body, headers=key)
        assert (again.status_code, again.json()["number"]) == (200, record["number"])
    assert above.post(f"{V1}/cases", json=body | {"description": "另一件"}).status_code == 409
    assert above.get(f"{V1}/evidence/{digest}").content == JPEG
    operator = county.node.client("z1").get(f"/api/v1/cases/{record['number']}").json()
    assert operator["upper"]["number"] == "市-1"
    assert county.node.client("z1").get(f"/api/v1/evidence/{digest}").content == JPEG


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"upper": None}, "upper"), ({"upper": {"number": ""}}, "upper.number"), ({"lon": 100.0}, "county"),
        ({"code": "99999"}, "99999"), ({"evidence": [{"sha256": "0" * 64, "stage": "report"}]}, "uploaded"),
        ({"source": "nowhere"}, "nowhere"), ({"extra": 1}, "extra"),
    ],
)  # fmt: skip
def test_a_case_that_cannot_be_taken_is_refused_whole(above: httpx.Client, change: dict[str, Any], word: str) -> None:
    last = above.get(f"{V1}/").json()["last"]
    answer = above.post(f"{V1}/cases", json={**numbered("市-bad"), **change})
    assert answer.status_code == 422, answer.text
    assert word in answer.text
    assert above.get(f"{V1}/").json()["last"] == last


def test_the_platform_takes_a_case_back(county: Joined, above: httpx.Client) -> None:
    number = send(above, "市-back")["number"]
    assert above.post(f"{V1}/cases/{number}/withdraw", json={}).status_code == 422
    taken = [above.post(f"{V1}/cases/{number}/withdraw", json={"reason": "重复交办"}) for _ in range(2)]
    assert [answer.status_code for answer in taken] == [200, 200], taken[1].text
    assert taken[0].json()["state"] == "void"
    rows = county.node.client("z1").get(f"/api/v1/cases/{number}/history").json()["items"]
    assert [row["action"] for row in rows] == ["report", "withdraw"]
    assert (rows[1]["role"], rows[1]["note"]) == ("prefecture", "重复交办")
    own = county.node.client("s1").post("/api/v1/cases", json={k: BODY[k] for k in ("kind", "code", "lon", "lat")} | {
        "source": "hotline_12319"}).json()["number"]  # fmt: skip
    refused = above.post(f"{V1}/cases/{own}/withdraw", json={"reason": "x"})
    assert (refused.status_code, "from above" in refused.text) == (422, True)
    assert above.post(f"{V1}/cases/nothing/withdraw", json={"reason": "x"}).status_code == 404


def test_the_county_gives_a_case_back_with_a_reason_and_the_platform_reads_it(
    county: Joined, above: httpx.Client
) -> None:
    before = above.get(f"{V1}/").json()["last"]
    number = send(above, "市-not-ours")["number"]
    assert county.node.act("z1", number, "return_up", reason="在邻县境内").status_code == 200
    items = above.get(f"{V1}/changes", params={"after": before}).json()["items"]
    assert [item["data"]["state"] for item in items if item["type"] == "case"][-1] == "returned_up"
    row = next(
        item["data"] for item in items if item["type"] == "case_action" and item["data"]["action"] == "return_up"
    )
    assert row["note"] == "在邻县境内"


@pytest.mark.parametrize("approve", [True, False])
def test_a_request_waits_for_the_decision_above_where_the_reply_is_asked(
    county: Joined, above: httpx.Client, approve: bool
) -> None:
    node = county.node
    number = send(above, f"市-extension-{approve}")["number"]
    to_dispatched(node, number)
    asked = node.client("d1").post(f"/api/v1/cases/{number}/requests", json={"kind": "extension", "reason": "要开挖"})
    assert asked.status_code in (200, 201), asked.text
    request = asked.json()["requests"][-1]
    assert request["waiting_for"] == "prefecture"
    mine = node.client("p1").post(
        f"/api/v1/cases/{number}/requests/{request['id']}/decision", json={"approve": True},
        headers={"If-Match": f'"{asked.json()["version"]}"'},
    )  # fmt: skip
    assert mine.status_code == 403
    due = asked.json()["due_at"]
    path = f"{V1}/cases/{number}/requests/{request['id']}/decision"
    for _ in range(2):
        decided = above.post(path, json={"approve": approve, "note": "同意" if approve else "抓紧"})
        assert decided.status_code == 200, decided.text
    told = decided.json()
    assert told["requests"][-1]["approved"] is approve
    assert (told["due_at"] > due) is approve
    assert told["extensions"] == int(approve)
    assert above.post(path, json={"approve": not approve}).status_code == 409


def test_without_the_wish_for_a_reply_the_county_decides_itself(county: Joined, above: httpx.Client) -> None:
    number = send(above, "市-free", upper={"number": "市-free"})["number"]
    to_dispatched(county.node, number)
    asked = county.node.client("d1").post(
        f"/api/v1/cases/{number}/requests", json={"kind": "extension", "reason": "要开挖"}
    )
    assert asked.json()["requests"][-1]["waiting_for"] == "dispatcher|shift_leader"
    refused = above.post(
        f"{V1}/cases/{number}/requests/{asked.json()['requests'][-1]['id']}/decision", json={"approve": True}
    )
    assert refused.status_code == 403


def test_a_supervision_from_above_runs_and_is_struck_off(county: Joined, above: httpx.Client) -> None:
    number = send(above, "市-supervised")["number"]
    due = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    body = {"note": "三日内办结", "due_at": due.isoformat().replace("+00:00", "Z"), "by": "市城管局督查科"}
    made = above.post(f"{V1}/cases/{number}/supervisions", json=body, headers={"Idempotency-Key": "s1"})
    assert made.status_code == 201, made.text
    assert (made.json()["by"], made.json()["note"], made.json()["role"]) == (
        "市城管局督查科",
        "三日内办结",
        "prefecture",
    )
    again = above.post(f"{V1}/cases/{number}/supervisions", json=body, headers={"Idempotency-Key": "s1"})
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    shown = county.node.client("z1").get(f"/api/v1/cases/{number}").json()["supervisions"]
    assert [item["id"] for item in shown] == [made.json()["id"]]
    row = county.node.client("z1").get(f"/api/v1/cases/{number}/history").json()["items"][-1]
    assert (row["action"], row["note"]) == ("supervise", "三日内办结")
    cleared = above.delete(f"{V1}/cases/{number}/supervisions/{made.json()['id']}")
    assert cleared.json()["cleared_at"] is not None
    again = above.delete(f"{V1}/cases/{number}/supervisions/{made.json()['id']}")
    assert (again.status_code, again.json()) == (200, cleared.json()), "an answer that was lost can be asked for again"
    assert above.delete(f"{V1}/cases/{number}/supervisions/999999").status_code == 422
    assert above.post(f"{V1}/cases/{number}/supervisions", json={"note": ""}).status_code == 422
    assert above.post(f"{V1}/cases/nothing/supervisions", json={"note": "x"}).status_code == 404


def test_a_client_of_one_street_writes_in_that_street_only(county: Joined, above: httpx.Client) -> None:
    number = send(above, "市-elsewhere")["number"]
    with county.client("street") as street:
        assert street.post(f"{V1}/cases", json=numbered("街-1")).status_code == 403
        assert street.post(f"{V1}/cases/{number}/supervisions", json={"note": "快"}).status_code == 403
        own = street.post(f"{V1}/cases", json=numbered("街-1", lon=WEST + STEP * 15.5))
        assert own.status_code == 201, own.text
        assert street.post(f"{V1}/cases/{own.json()['number']}/supervisions", json={"note": "快"}).status_code == 201
        taken_back = street.post(f"{V1}/cases/{number}/withdraw", json={"reason": "不是我的"})
        assert (taken_back.status_code, "411081002" in taken_back.text) == (403, True)
        decided = street.post(f"{V1}/cases/{number}/requests/1/decision", json={"approve": True})
        assert decided.status_code == 403
        assert street.get(f"{V1}/changes?types=case").status_code == 403, "and reads nothing"


def test_a_case_sent_again_after_an_upgrade_with_new_fields_is_the_same_case() -> None:
    """What was left out is not part of what tells two bodies apart, so a new field with a default changes nothing."""
    told = {"source": "prefecture", "kind": "part", "code": "0101", "lon": 113.5, "lat": 34.2, "upper_number": "市-1"}
    told_again = msgspec.convert(told, NewCase)
    assert msgspec.json.decode(msgspec.json.encode(told_again)) == told
    assert digest_of(told_again) == digest_of(msgspec.convert({**told, "evidence": [], "note": None}, NewCase))
    assert digest_of(told_again) != digest_of(msgspec.convert({**told, "note": "急"}, NewCase))
