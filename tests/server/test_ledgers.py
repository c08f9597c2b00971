"""The ledgers over HTTP: they fill themselves, shares warn before a limit is passed, registers are filled by a form."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.settings import load, save
from tests import homes
from tests.cases.desk import Desk
from tests.nodes import RunningNode
from tests.server.test_routes import is_problem
from tests.server.test_scores import LAST_MONTH


def public_and_closed(desk: Desk) -> str:
    """A citizen's case that was handled, checked and closed."""
    number = desk.report()
    desk.act("s1", number, "accept", reason="照片清楚")
    desk.act("z1", number, "file")
    desk.act("p1", number, "dispatch", department="D02", condition=1)
    desk.act("d2", number, "finish", result="已清理")
    desk.act("s1", number, "ask_check", collector="l1")
    desk.act("l1", number, "check_pass")
    desk.act("z1", number, "close")
    return number


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A county with ledgers in which every look counts anew."""
    yield from county_with_ledgers(tmp_path_factory.mktemp("ledgers") / "home", counted_minutes=0.001)


def county_with_ledgers(folder: Path, counted_minutes: float = 10) -> Iterator[RunningNode]:
    """Five cases were dispatched last month, one of them went back, one was extended, one was disputed."""
    home = homes.copy_home(folder)
    shares = {"returned": 0.16, "extended": 0.1, "disputed": 0.9}
    own = {"scoring": {"shares": shares, "counted_minutes": counted_minutes}}
    save(home, tomllib.loads((home / "wanmi.toml").read_text(encoding="utf-8")) | own)
    assert load(home).scoring.shares["returned"] == 0.16
    desk = Desk(home, f"{LAST_MONTH}-09 09:00")
    try:
        numbers = [desk.to_dispatched() for _ in range(5)]
        desk.decide("p1", numbers[0], desk.ask("d1", numbers[0], "return"), True)
        desk.decide("p1", numbers[1], desk.ask("d1", numbers[1], "extension"), True)
        desk.act("p1", numbers[2], "dispute", note="两家都说不归自己管")
        told_late, told = public_and_closed(desk), public_and_closed(desk)
        desk.act("s1", told, "callback", answer="satisfied")
        desk.clock.advance(days=3)
        desk.act("s1", told_late, "callback", answer="satisfied")
    finally:
        desk.close()
    running = RunningNode(home).start()
    yield running
    running.stop()


def test_ledgers_fill_themselves_and_warn_before_a_limit_is_passed(county: RunningNode) -> None:
    told = county.client("k1").get("/api/v1/ledgers", params={"period": LAST_MONTH}).json()
    found = {item["ledger"]: item for item in told["items"]}
    assert len(found) == 17
    standings = {name: (found[name]["cases"], found[name]["share"], found[name]["standing"]) for name in (
        "returned", "extended", "disputed", "voided"
    )}  # fmt: skip
    assert standings == {
        "returned": (1, 1 / 7, "near"), "extended": (1, 1 / 7, "passed"), "disputed": (1, 1 / 7, "within"),
        "voided": (0, 0.0, None),
    }  # fmt: skip
    late = county.client("k1").get("/api/v1/ledgers/callback_overdue", params={"period": LAST_MONTH}).json()["items"]
    assert (found["callback_overdue"]["cases"], len(late)) == (1, 1), "called back, but after three days"
    rows = county.client("k1").get("/api/v1/ledgers/disputed", params={"period": LAST_MONTH}).json()["items"]
    assert [(row["action"], row["actor"], row["note"]) for row in rows] == [("dispute", "p1", "两家都说不归自己管")]
    first = county.client("k1").get("/api/v1/ledgers/unverified", params={"period": LAST_MONTH, "limit": 2}).json()
    assert len(first["items"]) <= 2
    is_problem(county.client("d1").get("/api/v1/ledgers"), 403, "forbidden")
    is_problem(county.client("k1").get("/api/v1/ledgers/happy"), 404, "not-found")


def test_a_major_case_is_put_on_record_and_struck_off_once(county: RunningNode) -> None:
    client = county.client("z1")
    number = client.get("/api/v1/cases", params={"limit": 1}).json()["items"][0]["number"]
    form = {item["ledger"]: item for item in client.get("/api/v1/ledgers/forms").json()["items"]}["major"]
    assert [field["field"] for field in form["fields"] if field["at"] == "entry" and field["needed"]] == [
        "level", "reported_to"
    ]  # fmt: skip
    wrong = client.post(
        "/api/v1/ledgers/major", json={"number": number, "fields": {"level": "一级", "due": "soon", "colour": "red"}}
    )
    is_problem(wrong, 422, "invalid")
    assert {field["field"] for field in wrong.json()["errors"]} == {"reported_to", "due", "colour"}
    is_problem(client.post("/api/v1/ledgers/major", json={"fields": {}, "number": "no-such"}), 422, "invalid")
    body = {"number": number, "note": "桥面塌陷", "fields": {
        "level": "一级", "reported_to": "许昌市城管局", "due": "2026-12-01T18:00:00+08:00",
    }}  # fmt: skip
    entered = client.post("/api/v1/ledgers/major", json=body)
    assert entered.status_code == 201, entered.text
    path = f"/api/v1/ledgers/major/{entered.json()['id']}/close"
    is_problem(client.post(path, json={"fields": {}}), 422, "invalid")
    assert client.post(path, json={"fields": {"result": "已修复并验收"}}).status_code == 200
    is_problem(client.post(path, json={"fields": {"result": "再次"}}), 409, "conflict")
    row = client.get("/api/v1/ledgers/major").json()["items"][0]
    assert row["fields"]["due"] == "2026-12-01T10:00:00Z"
    assert (row["closing"], row["closed_by"], row["number"]) == ({"result": "已修复并验收"}, "z1", number)


def test_a_reward_has_its_voucher_and_the_police_their_letter(county: RunningNode) -> None:
    client = county.client("z1")
    number = client.get("/api/v1/cases", params={"limit": 1}).json()["items"][0]["number"]
    reward = client.post(
        "/api/v1/ledgers/rewarded", json={"number": number, "fields": {"amount": 20.5, "basis": "第三条"}}
    )
    assert reward.status_code == 201, reward.text
    assert client.get("/api/v1/ledgers/rewarded").json()["items"][0]["fields"]["amount"] == 20.5
    is_problem(client.post("/api/v1/ledgers/rewarded", json={"number": number, "fields": {"amount": -1, "basis": "x"}}),
               422, "invalid")  # fmt: skip
    looked = {"asked_by": "城关派出所 2人", "letter": "许公函〔2026〕7号", "camera": "C1",
              "from": "2026-11-20T08:00:00+08:00", "to": "2026-11-20T09:00:00+08:00"}  # fmt: skip
    assert client.post("/api/v1/ledgers/police_lookup", json={"fields": looked}).status_code == 201
    for odd in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2100-01-01T00:00:00+08:00"):
        refused = client.post("/api/v1/ledgers/police_lookup", json={"fields": looked | {"from": odd}})
        is_problem(refused, 422, "invalid")
        assert [each["field"] for each in refused.json()["errors"]] == ["from"]
    assert client.get("/api/v1/ledgers/police_lookup").status_code == 200
    is_problem(client.post("/api/v1/ledgers/returned", json={"fields": {}}), 422, "invalid")
    is_problem(
        client.post("/api/v1/ledgers/major", json={"fields": {"level": "一", "reported_to": "市"}}), 422, "invalid"
    )
    is_problem(county.client("d1").post("/api/v1/ledgers/major", json={"fields": {}}), 403, "forbidden")


def test_an_instruction_on_a_bulletin_names_its_cases_and_is_replied_to(county: RunningNode) -> None:
    client = county.client("z1")
    numbers = [item["number"] for item in client.get("/api/v1/cases", params={"limit": 3}).json()["items"]]
    fields = {
        "leader": "分管副县长", "bulletin": "城管专刊第45期", "text": "限期整改并回复", "cases": "、".join(numbers),
        "due": "2026-12-10T18:00:00+08:00",
    }  # fmt: skip
    path = "/api/v1/ledgers/bulletin_instruction"
    wrong = client.post(path, json={"fields": fields | {"cases": "no-such-case"}})
    assert "no-such-case" in wrong.json()["detail"]
    entered = client.post(path, json={"fields": fields})
    assert entered.status_code == 201, entered.text
    assert client.post(f"{path}/{entered.json()['id']}/close", json={"fields": {"reply": "已整改"}}).status_code == 200
    row = client.get(path).json()["items"][0]
    assert (row["fields"]["cases"], row["closing"]) == (numbers, {"reply": "已整改"})
