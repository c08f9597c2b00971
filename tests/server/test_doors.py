"""Who gets in, who is shown out, and what a stranger to a case learns of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance.people import accounts
from appliance.people.keys import add_key
from appliance.records.store import Records
from appliance.records.writer import Unit
from tests import homes
from tests.cases.desk import place
from tests.homes import PASSWORD
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import CALL, report

NEW = "new-secret-1"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningNode, dict[str, str]]]:
    """A node with a citizens' key that is named like a seat, and a device's key."""
    home = homes.copy_home(tmp_path_factory.mktemp("doors") / "home")
    keys: dict[str, str] = {}

    def make(unit: Unit) -> None:
        keys["public"] = add_key(unit, "s1", role="public", by="technician")
        keys["device"] = add_key(unit, "s2", role="device", source="sensor", by="technician")

    outside(home, make)
    running = RunningNode(home).start()
    yield running, keys
    running.stop()


def outside(home: Path, work: object) -> None:
    """Write into a home as another process does."""
    records = Records.open(home)
    try:
        records.write(work)  # type: ignore[arg-type]  # any unit of work
    finally:
        records.close()


def dispatched(node: RunningNode, department: str = "D01", **fields: object) -> str:
    number = str(report(node, **fields)["number"])
    steps = (
        ("s1", "accept", {"reason": "来电人在现场"}),
        ("z1", "file", {}),
        ("p1", "dispatch", {"department": department, "condition": 1}),
    )
    for account, action, body in steps:
        answer = node.act(account, number, action, **body)
        assert answer.status_code == 200, answer.text
    return number


def test_a_stranger_to_a_case_does_not_meet_it_among_the_duplicates(shared_node: RunningNode) -> None:
    node, spot = shared_node, place(12.5, 3.5)
    number = dispatched(node, "D02", **spot)
    query = {"code": CALL["code"], **spot}

    def met(account: str) -> bool:
        answer = node.client(account).get("/api/v1/duplicates", params=query)
        assert answer.status_code == 200
        return number in [item["number"] for item in answer.json()["items"]]

    assert {account: met(account) for account in ("s1", "d2", "l2", "d1", "l1")} == {
        "s1": True, "d2": True, "l2": True, "d1": False, "l1": False,
    }  # fmt: skip


def test_a_citizens_key_opens_nothing_but_open311(keyed: tuple[RunningNode, dict[str, str]]) -> None:
    node, keys = keyed
    bearer = {"Authorization": f"Bearer {keys['public']}"}
    for path in ("/api/v1/staff", "/api/v1/summary", "/api/v1/cases", "/api/v1/calls/last", "/api/v1/events"):
        assert httpx.get(f"{node.url}{path}", headers=bearer).status_code in (401, 404), path
    assert httpx.get(f"{node.url}/api/v1/summary", headers=bearer).status_code == 401
    assert httpx.post(f"{node.url}/api/v1/cases", json=CALL, headers=bearer).status_code == 401
    form = {"api_key": keys["public"], "service_code": "part-01002", "lat": CALL["lat"], "long": CALL["lon"]}
    assert httpx.post(f"{node.url}/open311/v2/requests.json", data=form).status_code == 201
    form["api_key"] = keys["device"]
    assert httpx.post(f"{node.url}/open311/v2/requests.json", data=form).status_code == 403


def test_a_device_is_not_the_person_it_is_named_like(keyed: tuple[RunningNode, dict[str, str]]) -> None:
    node, keys = keyed
    bearer = {"Authorization": f"Bearer {keys['device']}"}
    me = httpx.get(f"{node.url}/api/v1/me", headers=bearer).json()
    assert (me["account"], me["name"], [role["role"] for role in me["roles"]]) == ("key:s2", "s2", ["device"])


def test_a_new_password_ends_the_other_sessions_and_the_old_password(node: RunningNode) -> None:
    here, path = node.client("k1"), "/api/v1/session/password"
    there = httpx.post(f"{node.url}/api/v1/session", json={"account": "k1", "password": PASSWORD}).json()["token"]
    elsewhere = {"Authorization": f"Bearer {there}"}
    address = f"{node.url}/ogc/collections"
    assert httpx.get(address, auth=("k1", PASSWORD)).status_code == 200
    assert httpx.get(f"{node.url}/api/v1/me", headers=elsewhere).status_code == 200

    same = here.put(path, json={"old": PASSWORD, "new": PASSWORD})
    assert (same.status_code, same.json()["errors"][0]["field"]) == (422, "new")
    assert here.put(path, json={"old": PASSWORD, "new": NEW}).status_code == 204
    assert httpx.get(address, auth=("k1", PASSWORD)).status_code == 401
    assert httpx.get(address, auth=("k1", NEW)).status_code == 200
    assert httpx.get(f"{node.url}/api/v1/me", headers=elsewhere).status_code == 401
    assert here.get("/api/v1/me").status_code == 200


class Ear:
    """Listens to a stream in a thread of its own until it ends."""

    def __init__(self, node: RunningNode, account: str) -> None:
        self.lines: list[str] = []
        self.opened, self._more = threading.Event(), threading.Condition()
        self._client = node.client(account)
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        assert self.opened.wait(10)

    def _listen(self) -> None:
        with self._client.stream("GET", "/api/v1/events", timeout=30) as stream:
            for line in stream.iter_lines():
                with self._more:
                    self.lines.append(line)
                    self._more.notify_all()
                self.opened.set()

    def hears(self, text: str, seconds: float = 10) -> bool:
        """Wait until a line holds a text."""
        with self._more:
            return self._more.wait_for(lambda: any(text in line for line in self.lines), seconds)

    def ended(self, seconds: float = 20) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()


def test_the_stream_of_an_ended_account_ends(node: RunningNode) -> None:
    ear = Ear(node, "b1")
    outside(node.home, lambda unit: accounts.deactivate(unit, "b1", by="technician"))
    assert ear.ended()
    assert node.client("z1").get("/health").status_code == 200


def test_a_department_hears_that_a_case_went_away_and_then_no_more_of_it(node: RunningNode) -> None:
    number, last = dispatched(node), dispatched(node, "D02")
    ear = Ear(node, "d1")
    before = len(node.client("z1").get(f"/api/v1/cases/{number}/history").json()["items"])
    asked = node.client("d1").post(f"/api/v1/cases/{number}/requests", json={"kind": "return", "reason": "不归我管"})
    assert asked.status_code == 201, asked.text
    request = asked.json()["requests"][-1]["id"]
    decided = node.client("p1").post(f"/api/v1/cases/{number}/requests/{request}/decision", json={"approve": True})
    assert decided.status_code == 200, decided.text
    assert node.client("d1").get(f"/api/v1/cases/{number}").status_code == 403
    gone = len(node.client("z1").get(f"/api/v1/cases/{number}/history").json()["items"])
    assert ear.hears(f'"{number}/{gone}"')
    assert node.act("p1", number, "dispatch", department="D02", condition=1).status_code == 200
    mine = dispatched(node)
    assert ear.hears(mine)
    outside(node.home, lambda unit: accounts.deactivate(unit, "d1", by="technician"))
    assert ear.ended()
    told = "\n".join(ear.lines)
    assert f"{number}/{before + 1}" in told
    assert f"{number}/{gone + 1}" not in told
    assert last not in told
