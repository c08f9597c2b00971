"""The loop over HTTP, as another system or the console drives it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.cases.desk import place
from tests.homes import PASSWORD
from tests.nodes import RunningNode

CALL = {
    "source": "hotline_12319", "kind": "part", "code": "01002", "description": "井盖破了", "address": "药城路18号",
    "reporter": {"name": "张先生", "phone": "13812341234"}, **place(),
}  # fmt: skip


def report(node: RunningNode, account: str = "s1", **fields: object) -> dict[str, object]:
    answer = node.client(account).post("/api/v1/cases", json={**CALL, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_call_is_walked_from_report_to_close_over_http(shared_node: RunningNode) -> None:
    node = shared_node
    number = str(report(node)["number"])
    steps = [
        ("s1", "ask_verify", {}),
        ("l1", "verify_true", {**place(0.6), "at": "2026-10-09T01:00:00Z"}),
        ("z1", "file", {}),
        ("p1", "dispatch", {"department": "D01", "condition": 1}),
        ("d1", "take", {}),
        ("d1", "finish", {"result": "已更换"}),
        ("s1", "ask_check", {"collector": "l1"}),
        ("l1", "check_pass", place()),
        ("z1", "close", {}),
    ]
    for account, action, body in steps:
        answer = node.act(account, number, action, **body)
        assert answer.status_code == 200, (action, answer.text)
    case = node.client("z1").get(f"/api/v1/cases/{number}").json()
    assert (case["state"], case["version"]) == ("closed", 10)
    rows = node.client("z1").get(f"/api/v1/cases/{number}/history").json()["items"]
    assert [row["seq"] for row in rows] == list(range(1, 11))
    assert rows[4]["department"] == "D01"


def test_refusals_are_problem_details_with_their_status(shared_node: RunningNode) -> None:
    node = shared_node
    number = str(report(node)["number"])
    anonymous = httpx.Client(base_url=node.url)
    z1 = node.client("z1")
    path = f"/api/v1/cases/{number}"
    seen = {"If-Match": '"1"'}
    answers = {
        401: [anonymous.get(path), anonymous.post("/api/v1/cases", json=CALL), anonymous.get("/api/v1/summary")],
        403: [
            node.client("d1").post(f"{path}/actions/file", json={}, headers=seen),
            node.client("d1").get(path),
            node.client("d1").get("/api/v1/cases?phone=1381"),
        ],
        404: [z1.get("/api/v1/cases/1"), z1.get("/api/nothing"), z1.get("/api/v1/evidence/" + "0" * 64)],
        405: [z1.delete("/api/v1/cases")],
        409: [node.client("s1").post(f"{path}/actions/note", json={"note": "x"}, headers={"If-Match": '"9"'})],
        422: [
            z1.post(f"{path}/actions/close", json={}, headers=seen),
            z1.post(f"{path}/actions/dance", json={}, headers=seen),
            node.client("s1").post("/api/v1/cases", json={**CALL, "code": "99999"}),
            node.client("s1").post("/api/v1/cases", json={**CALL, "lon": 10.0}),
            node.client("s1").post("/api/v1/cases", json={**CALL, "colour": "red"}),
            z1.get("/api/v1/cases?state=lost"),
            z1.get("/api/v1/cases?bbox=1,2,3"),
            z1.get("/api/v1/cases?after=abc"),
            z1.get("/api/v1/cases?limit=0"),
        ],
        428: [node.client("s1").post(f"{path}/actions/note", json={"note": "x"})],
    }
    for status, list_of_answers in answers.items():
        for answer in list_of_answers:
            assert answer.status_code == status, (status, answer.request.url, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            body = answer.json()
            assert body["status"] == status
            assert body["type"].startswith("/problems/")
            assert body["detail"]
    assert "reject" in answers[422][0].json()["allowed"]
    assert answers[422][2].json()["errors"][0]["nearest"]


def test_an_english_client_gets_english_sentences(shared_node: RunningNode) -> None:
    answer = shared_node.client("z1").get("/api/v1/cases/1", headers={"Accept-Language": "en-GB"})
    assert answer.json()["detail"] == "There is no case 1."


def test_the_same_idempotency_key_answers_the_same_case(shared_node: RunningNode) -> None:
    client = shared_node.client("s1")
    first = client.post("/api/v1/cases", json=CALL, headers={"Idempotency-Key": "k-1"})
    again = client.post("/api/v1/cases", json=CALL, headers={"Idempotency-Key": "k-1"})
    assert first.json()["number"] == again.json()["number"]
    other = client.post("/api/v1/cases", json={**CALL, "description": "另一件"}, headers={"Idempotency-Key": "k-1"})
    assert other.status_code == 409


def test_many_seats_at_once_get_different_numbers_and_a_gapless_feed(shared_node: RunningNode) -> None:
    node = shared_node
    client = node.client("s1")
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: client.post("/api/v1/cases", json=CALL).json()["number"], range(80)))
    assert len(set(numbers)) == 80
    pages, after = [], None
    while True:
        page = (
            node.client("z1").get("/api/v1/cases", params={"limit": 30, **({"after": after} if after else {})}).json()
        )
        pages.extend(item["number"] for item in page["items"])
        after = page["next"]
        if after is None:
            break
    assert len(pages) == len(set(pages))
    assert set(numbers) <= set(pages)
    assert pages == sorted(pages, reverse=True)


def test_the_live_view_tells_of_every_change_in_order(shared_node: RunningNode) -> None:
    node = shared_node
    client = node.client("z1")
    before = httpx.get(f"{node.url}/health").json()["seq"]
    heard: list[dict[str, object]] = []
    ready = threading.Event()

    def listen() -> None:
        with client.stream("GET", f"/api/v1/events?after={before}", timeout=20) as stream:
            ready.set()
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    heard.append(json.loads(line[6:]))
                    if len(heard) >= 6:
                        return

    thread = threading.Thread(target=listen)
    thread.start()
    assert ready.wait(10)
    numbers = [str(report(node)["number"]) for _ in range(3)]
    thread.join(20)
    assert not thread.is_alive()
    assert [item["seq"] for item in heard] == list(range(before + 1, before + 7))
    assert [item["id"] for item in heard if item["type"] == "case"] == numbers


def test_a_citizen_asks_with_the_query_code_and_sees_nothing_personal(shared_node: RunningNode) -> None:
    node = shared_node
    case = report(node)
    answer = httpx.get(f"{node.url}/api/v1/public/cases/{case['query_code']}")
    assert answer.json()["stage"] == "reported"
    assert "张" not in answer.text
    assert "1381234" not in answer.text
    assert httpx.get(f"{node.url}/api/v1/public/cases/NOSUCHCODE").status_code == 404


def test_the_public_view_is_rate_limited(node: RunningNode) -> None:
    with httpx.Client(base_url=node.url) as client:
        answers = [client.get("/api/v1/public/cases/NOSUCHCODE").status_code for _ in range(70)]
    assert answers[0] == 404
    assert answers[-1] == 429


def test_wrong_passwords_lock_the_account(node: RunningNode) -> None:
    with httpx.Client(base_url=node.url) as client:
        wrong = [client.post("/api/v1/session", json={"account": "s2", "password": "x" * 8}) for _ in range(5)]
        assert {answer.status_code for answer in wrong} == {401}
        locked = client.post("/api/v1/session", json={"account": "s2", "password": "wanmi-demo-1"})
    assert locked.status_code == 429
    assert int(locked.headers["Retry-After"]) > 0


def test_signing_out_ends_the_token(node: RunningNode) -> None:
    client = node.client("s2")
    assert client.get("/api/v1/me").json()["account"] == "s2"
    assert client.delete("/api/v1/session").status_code == 204
    assert client.get("/api/v1/me").status_code == 401


def test_a_call_rings_at_its_seat(shared_node: RunningNode) -> None:
    node = shared_node
    answer = node.client("z1").post("/api/v1/calls", json={"number": "13812341234", "seat": "s1"})
    assert answer.status_code == 201
    assert node.client("s1").get("/api/v1/calls/last").json()["number"] == "13812341234"
    report(node)
    found = node.client("s1").get("/api/v1/cases?phone=2341").json()["items"]
    assert found
    assert all("2341" in item["reporter"]["phone"] for item in found)


def test_positions_come_late_and_out_of_order_and_twice(shared_node: RunningNode) -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    lines = [
        json.dumps({"account": "l1", "at": (now - timedelta(hours=hours)).isoformat(), **place(hours)})
        for hours in (1, 30, 2, 1)
    ]
    client = shared_node.client("l1")
    body = "\n".join(lines)
    assert client.post("/api/v1/positions", content=body).json() == {"read": 4, "added": 3, "refused": []}
    assert client.post("/api/v1/positions", content=body).json() == {"read": 4, "added": 0, "refused": []}
    mixed = body + "\n" + lines[0].replace("l1", "l2") + "\nnot json"
    assert [item["line"] for item in client.post("/api/v1/positions", content=mixed).json()["refused"]] == [5, 6]
    assert client.post("/api/v1/positions", content=body.replace("l1", "l2")).status_code == 422
    ghost = lines[0].replace("l1", "nobody")
    assert shared_node.client("admin").post("/api/v1/positions", content=ghost).status_code == 422
    assert client.post("/api/v1/positions", content="{}").status_code == 422
    last = shared_node.client("z1").get("/api/v1/positions").json()["items"]
    assert [item["who"] for item in last] == ["l1"]


def test_a_second_node_on_the_same_home_is_refused(shared_node: RunningNode) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "appliance", "serve", "--home", str(shared_node.home), "--port", "1"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert str(shared_node.process.pid) in refused.stderr  # type: ignore[union-attr]  # it runs


def test_killing_the_node_loses_nothing_that_was_answered(node: RunningNode) -> None:
    import signal

    client, numbers, stopping = node.client("s1"), [], threading.Event()

    def work() -> None:
        while not stopping.is_set():
            try:
                answer = client.post("/api/v1/cases", json=CALL)
            except httpx.TransportError:
                return
            if answer.status_code == 201:
                numbers.append(answer.json()["number"])
                if len(numbers) >= 60:
                    stopping.set()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert stopping.wait(30)
    node.stop(signal.SIGKILL)
    for thread in threads:
        thread.join()
    node.start()
    client = node.client("z1")
    assert all(client.get(f"/api/v1/cases/{number}").status_code == 200 for number in numbers)


def test_a_person_changes_the_own_password(node: RunningNode) -> None:
    client = node.client("k1")
    path = "/api/v1/session/password"
    assert client.put(path, json={"old": "not-this-one", "new": "new-secret-1"}).status_code == 401
    assert client.put(path, json={"old": PASSWORD, "new": "short"}).status_code == 422
    assert client.put(path, json={"old": PASSWORD, "new": "new-secret-1"}).status_code == 204
    answers = [
        httpx.post(f"{node.url}/api/v1/session", json={"account": "k1", "password": password}).status_code
        for password in (PASSWORD, "new-secret-1")
    ]
    assert answers == [401, 201]


def test_a_node_with_open_streams_ends_at_once_when_told_to(node: RunningNode) -> None:
    import time

    client, opened = node.client("z1"), threading.Event()

    def listen() -> None:
        try:
            with client.stream("GET", "/api/v1/events", timeout=20) as stream:
                for _ in stream.iter_lines():
                    opened.set()
        except httpx.TransportError:
            return

    thread = threading.Thread(target=listen)
    thread.start()
    assert opened.wait(10)
    started = time.monotonic()
    assert node.process is not None
    node.process.terminate()
    assert node.process.wait(20) == 0
    assert time.monotonic() - started < 4
    thread.join(10)
