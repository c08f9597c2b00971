"""A prefecture and a county in processes of their own: from the token to the monthly table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from appliance.clock import SystemClock, local
from server.prefecture.status import statuses
from tests import homes, postgis
from tests.exchange.joined import wanmi
from tests.nodes import RunningNode, free_port
from tests.prefecture.city import City, until
from tests.prefecture.samples import HOLE, LID, PNG

COUNTY = homes.COUNTY


@dataclass
class Pair:
    """A prefecture that serves, and a county that has joined it."""

    city: City
    node: RunningNode
    address: str

    def wanmi(self, *arguments: str) -> Any:
        """A command of the county's technician, with `--json`."""
        return json.loads(wanmi(self.node.home, *arguments, "--json"))

    def join(self, token: str | None = None) -> Any:
        """The county joins, or renews without a token."""
        given = ["--token", token, "--ca", str(self.city.home / "keys" / "ca.crt")] if token else []
        listen = self.address.removeprefix("https://")
        return self.wanmi("join", self.city.url, *given, "--listen", listen, "--address", self.address)

    def status(self) -> Any:
        """How the platform says that the county stands."""
        platform = self.city.open()
        try:
            return asdict(statuses(platform)[0])
        finally:
            platform.close()

    def level(self) -> Any:
        """The status once nothing is missing above."""
        told = self.status()
        return told if told["lag_rows"] == 0 else None

    def report(self, **fields: Any) -> str:
        """A case in the county; its number."""
        answer = self.node.client("s1").post("/api/v1/cases", json={**HOLE, **fields})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["number"])

    def above(self, number: str) -> Any:
        """The case in the view over all counties, once it is there."""
        query = "SELECT county, state, street FROM prefecture.all_cases WHERE number = :number"
        there = "SELECT to_regclass('prefecture.all_cases') AS view"
        until(lambda: self.city.sees(there)[0].view)
        return until(lambda: self.city.sees(query, number=number))[0]


@contextmanager
def intruding(city: City) -> Iterator[Connection]:
    """A connection past the platform, as somebody has who opens its database with another program."""
    platform = city.open()
    try:
        with platform.begin() as connection:
            yield connection
    finally:
        platform.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """One pair for the stories of this file, which happen one after the other."""
    postgis.require()
    folder: Path = tmp_path_factory.mktemp("pair")
    database = postgis.cluster().create()
    city = City(folder / "city", database).make()
    node = RunningNode(homes.copy_home(folder / "county"))
    try:
        with ThreadPoolExecutor(2) as threads:
            for starting in (threads.submit(city.start), threads.submit(node.start)):
                starting.result()
        made = Pair(city, node, f"https://127.0.0.1:{free_port()}")
        token = city.json("token", COUNTY)["token"]
        joined = made.join(token)
        assert [line["check"] for line in joined["checks"]] == ["key", "enrol", "register", "probe"]
        yield made
    finally:
        node.stop()
        city.stop()
        postgis.cluster().drop(database)


def test_a_case_of_the_county_is_seen_above_within_seconds(pair: Pair) -> None:
    number = pair.report()
    assert pair.above(number) == (COUNTY, "reported", "411081001")
    grids = "SELECT count(*) FROM prefecture.all_unit_grids WHERE county = :county"
    assert pair.city.sees(grids, county=COUNTY)[0][0] == 200
    status = until(lambda: pair.level())
    assert (status["mode"], status["failures"], status["snapshot"]) == ("pull", 0, None)
    assert status["certificate_end"] > "2027"


def test_the_prefectures_parts_are_a_layer_for_any_gis(pair: Pair) -> None:
    """QGIS and ogr2ogr find the layer by its kind of shape and its reference system."""
    shapes = pair.city.sees(
        "SELECT f_table_name, type, srid FROM geometry_columns WHERE f_table_schema = 'prefecture' ORDER BY 1"
    )
    assert [tuple(row) for row in shapes] == [
        ("all_cases", "POINT", 4490), ("all_duty_grids", "MULTIPOLYGON", 4490), ("all_parts", "POINT", 4490),
        ("all_places", "GEOMETRY", 4490), ("all_unit_grids", "MULTIPOLYGON", 4490),
    ]  # fmt: skip


def test_a_case_is_sent_down_supervised_and_taken_back(pair: Pair, tmp_path: Path) -> None:
    case, photo = tmp_path / "case.json", tmp_path / "lid.png"
    case.write_text(
        json.dumps({**LID, "description": "市里发现的井盖", "upper": {"number": "XC-17"}}), encoding="utf-8"
    )
    photo.write_bytes(PNG)
    made = pair.city.json("send", COUNTY, str(case), "--evidence", str(photo))
    assert made["state"] == "done"
    assert made["status"] in (200, 201), "200 where the serving platform was a moment quicker than the command"
    number = made["number"]
    told = pair.node.client("z1").get(f"/api/v1/cases/{number}").json()
    assert (told["upper"]["number"], len(told["evidence"])) == ("XC-17", 1)
    assert pair.city.json("supervise", COUNTY, number, "--note", "请三日内办结")["state"] == "done"
    assert pair.above(number).state == "reported"
    supervised = "SELECT note FROM prefecture.all_supervisions WHERE number = :number"
    assert until(lambda: pair.city.sees(supervised, number=number))[0].note == "请三日内办结"
    assert pair.city.json("withdraw", COUNTY, number, "--reason", "重复")["state"] == "done"
    assert until(lambda: pair.above(number).state == "void")
    listed = pair.city.json("sent", "--county", COUNTY)
    assert [(row["kind"], row["state"], row["case_state"]) for row in listed] == [
        ("withdrawal", "done", "void"), ("supervision", "done", "void"), ("case", "done", "void"),
        ("evidence", "done", None),
    ]  # fmt: skip


def test_a_department_asks_for_time_and_the_prefecture_decides(pair: Pair, tmp_path: Path) -> None:
    case = tmp_path / "case.json"
    case.write_text(json.dumps({**LID, "upper": {"number": "XC-18", "reply_required": True}}), encoding="utf-8")
    number = pair.city.json("send", COUNTY, str(case))["number"]
    for account, action, body in (
        ("s1", "accept", {"reason": "上级交办"}), ("z1", "file", {}),
        ("p1", "dispatch", {"department": "D01", "condition": 1}),
    ):  # fmt: skip
        assert pair.node.act(account, number, action, **body).status_code == 200
    asked = {"kind": "extension", "reason": "等配件"}
    answer = pair.node.client("d1").post(f"/api/v1/cases/{number}/requests", json=asked)
    assert answer.status_code == 201, answer.text
    waiting = "SELECT id FROM prefecture.all_requests WHERE number = :number AND waiting_for = 'prefecture'"
    request = until(lambda: pair.city.sees(waiting, number=number))[0].id
    decided = pair.city.json("decide", COUNTY, number, str(request), "--approve", "--note", "同意延期一次")
    assert decided["state"] == "done", decided
    approved = "SELECT approved FROM prefecture.all_requests WHERE number = :number AND approved"
    assert until(lambda: pair.city.sees(approved, number=number))


def test_the_pictures_of_a_case_come_up_when_it_is_closed(pair: Pair, tmp_path: Path) -> None:
    """Ours too, as the county has it, so that the case above is whole."""
    case, photo = tmp_path / "case.json", tmp_path / "lid.png"
    case.write_text(json.dumps({**LID, "upper": {"number": "XC-19"}}), encoding="utf-8")
    photo.write_bytes(PNG + b"another lid")
    number = pair.city.json("send", COUNTY, str(case), "--evidence", str(photo))["number"]
    for account, action, body in (
        ("s1", "accept", {"reason": "上级交办"}), ("z1", "file", {}),
        ("p1", "dispatch", {"department": "D01", "condition": 1}), ("d1", "finish", {"result": "修好了"}),
        ("s1", "ask_check", {"collector": "l1"}), ("l1", "check_pass", {}),
    ):  # fmt: skip
        assert pair.node.act(account, number, action, **body).status_code == 200, action
    assert sent_files(pair, number) == []
    assert pair.node.act("z1", number, "close").status_code == 200
    (file,) = until(lambda: [each for each in sent_files(pair, number) if each["state"] == "here"])
    assert Path(file["file"]).read_bytes() == photo.read_bytes()
    assert (file["stage"], file["type"], file["trouble"]) == ("report", "png", None)
    assert f"{number}\tdone\tclosed\t证据 (evidence) 1/1" in pair.city.run("sent")


def sent_files(pair: Pair, number: str) -> list[Any]:
    """The files of a case that was sent down, as `sent --json` tells them."""
    listed = pair.city.json("sent", "--county", COUNTY)
    return next(row["evidence"] for row in listed if (row["kind"], row["number"]) == ("case", number))


def test_the_countys_own_return_is_laid_beside_its_rows(pair: Pair) -> None:
    """And a row that is changed above after it was pulled comes to light."""
    until(lambda: pair.level())
    month = f"{local(SystemClock().now(), ZoneInfo('Asia/Shanghai')):%Y-%m}"
    told = pair.city.json("monthly", month, "--from", "returns", "--strict")["counties"][0]
    assert (told["trouble_en"], told["differences"], told["same_rule"]) == (None, [], True)
    assert told["returned"]["filed"] == 2
    with intruding(pair.city) as connection:
        connection.exec_driver_sql("UPDATE county_411081.case_action SET action = 'urge' WHERE action = 'file'")
    told = pair.city.json("monthly", month, "--from", "returns", "--strict", code=1)["counties"][0]
    assert {each["column"] for each in told["differences"]} == {"filed", "open_rate", "dispatch_rate"}
    kept = pair.city.sees("SELECT county, period FROM prefecture.monthly_return")
    assert [tuple(row) for row in kept] == [(COUNTY, month)]


def test_the_prefecture_asks_how_the_county_runs_today(pair: Pair) -> None:
    day = f"{local(SystemClock().now(), ZoneInfo('Asia/Shanghai')):%Y-%m-%d}"
    told = pair.city.json("daily", day)["counties"][0]
    assert (told["county"], told["trouble_en"], told["report"]["day"]) == (COUNTY, None, day)
    assert told["report"]["facts"]["reports"] >= 1
    assert pair.city.json("daily", day[:7])["counties"][0]["report"] is None, "a month is no day"


def test_a_calendar_is_offered_and_waits_for_the_technician(pair: Pair, tmp_path: Path) -> None:
    calendar = tmp_path / "calendar.csv"
    calendar.write_text("date,is_workday,name\n2027-01-01,0,元旦\n", encoding="utf-8")
    offered = pair.city.json("offer", COUNTY, str(calendar), "--kind", "calendar", "--title", "2027年节假日")
    assert (offered["state"], json.loads(offered["answer"])["state"]) == ("done", "offered")


def test_what_the_county_refuses_is_told_and_not_tried_again(pair: Pair) -> None:
    told = pair.city.json("supervise", COUNTY, "no-such-case", "--note", "快", code=1)
    assert (told["state"], told["status"]) == ("failed", 404)
    assert "no-such-case" in told["answer"]


def test_our_own_node_keeps_every_rule_of_the_contract(pair: Pair) -> None:
    keys = pair.city.home / "keys"
    who = ("--cert", str(keys / "prefecture.crt"), "--key", str(keys / "prefecture.key"), "--ca", str(keys / "ca.crt"))
    told = pair.city.json("check", pair.address, *who, "--write", "--wait", "0.3")
    states = {line["check"]: line["state"] for line in told["checks"]}
    assert told["ok"], told
    assert [name for name, state in states.items() if state == "skipped"] == ["type without its scope is 403"], told
    assert len(states) == 18


def test_a_county_restored_from_a_backup_is_taken_in_anew_while_readers_read_on(pair: Pair) -> None:
    """A restore gives the feed a new name; the old replica is replaced in one moment."""
    number = pair.report(description="恢复前")
    pair.above(number)
    with homes.intruding(pair.node.home) as connection:
        connection.exec_driver_sql("UPDATE feed SET name = 'restored'")
    feeds = "SELECT feed FROM county_411081.replica"
    assert until(lambda: pair.city.sees(feeds)[0].feed == "restored")
    assert pair.above(number).state == "reported"
    assert until(lambda: [row["event"] for row in pair.city.json("log")][:2] == ["whole", "snapshot"])


def test_a_certificate_renews_itself_and_what_is_granted_is_followed(pair: Pair) -> None:
    types, cases = "SELECT types FROM prefecture.county", "SELECT count(*) FROM prefecture.all_cases"
    assert pair.city.sees(cases)[0][0] > 0
    token = pair.city.json("token", COUNTY, "--scopes", "cases.read@411081002,places.read,reports.read")["token"]
    assert pair.join(token)["ok"]
    assert until(lambda: "case@411081002" in pair.city.sees(types)[0].types.split())
    assert pair.city.sees(cases)[0][0] == 0, "none of the other street"
    token = pair.city.json("token", COUNTY, "--scopes", "places.read,reports.read")["token"]
    assert pair.join(token)["ok"]
    assert pair.join()["ok"], "without a token its certificate is enough"
    assert until(lambda: "case" not in pair.city.sees(types)[0].types)
    assert pair.city.sees(cases)[0][0] == 0, "what may not be read is gone"


def test_a_county_that_left_comes_in_with_a_new_token_only(pair: Pair) -> None:
    pair.wanmi("leave", pair.city.url)
    assert pair.city.json("status", "--lag", "0") == {"ok": True, "behind": [], "counties": []}
    assert pair.city.sees("SELECT to_regclass('prefecture.all_cases')")[0][0] is None
