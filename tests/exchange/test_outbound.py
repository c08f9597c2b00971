"""A county that nobody can call from outside: it brings its feed to the prefecture, and fetches what is sent down."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.exchange.checks import check_exchange
from appliance.exchange.kept import Kept, OrderAnswer
from appliance.exchange.read_log import read_lines
from appliance.exchange.settings import Exchange, Link
from appliance.lock import is_held
from appliance.records.store import Records
from server.prefecture.replicas import opened_replica
from server.prefecture.views import live
from tests import homes, postgis
from tests.exchange.joined import join, status, until, wanmi
from tests.exchange.replicas import lines, lines_of
from tests.nodes import RunningNode
from tests.prefecture.city import City
from tests.prefecture.samples import HOLE, LID, PNG

SENT_DOWN = {**LID, "description": "市里发现的井盖", "upper": {"number": "XC-31", "reply_required": True}}


@dataclass
class Pair:
    """A prefecture that serves, and a county that calls it."""

    city: City
    node: RunningNode

    def join(self) -> Any:
        """The technician joins outbound, with a token of the prefecture."""
        token = self.city.json("token", homes.COUNTY)["token"]
        ca = str(self.city.home / "keys" / "ca.crt")
        return join(self.node.home, self.city.url, "--mode", "outbound", "--token", token, "--ca", ca)

    def report(self, **fields: Any) -> str:
        """A case in the county; its number."""
        answer = self.node.client("s1").post("/api/v1/cases", json={**HOLE, **fields})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["number"])

    def above(self, number: str) -> bool:
        """Whether the prefecture has a case."""
        there = "SELECT to_regclass('county_411081.cases') IS NOT NULL AS there"
        query = "SELECT count(*) AS found FROM county_411081.cases WHERE number = :number"
        return bool(self.city.sees(there)[0].there and self.city.sees(query, number=number)[0].found)

    def same(self) -> bool:
        """Whether the replica above equals the county line by line."""
        records, platform = Records.open(self.node.home), self.city.open()
        try:
            with opened_replica(platform, live(homes.COUNTY)) as replica, replica.engine.connect() as connection:
                copy = lines_of(connection)
            return copy == lines(records)
        finally:
            platform.close()
            records.close()

    def kill_county(self) -> None:
        """The box loses its power: node and exchange process at once."""
        if is_held(self.node.home, "exchange"):  # else it has not begun yet, and the number is an old one
            os.kill(int((self.node.home / "exchange.lock").read_text()), signal.SIGKILL)
        self.node.stop(signal.SIGKILL)

    def kill_city(self) -> None:
        """The platform dies."""
        assert self.city.process is not None
        self.city.process.kill()
        self.city.process.communicate()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """One pair for the stories of this file, which happen one after the other."""
    postgis.require()
    folder: Path = tmp_path_factory.mktemp("outbound")
    database = postgis.cluster().create()
    city = City(folder / "city", database).make()
    node = RunningNode(homes.copy_home(folder / "county"))
    made = Pair(city, node)
    try:
        city.start()
        node.start()
        yield made
    finally:
        node.stop()
        made.kill_city()
        postgis.cluster().drop(database)


def test_a_case_is_seen_above_though_no_port_of_ours_is_open(pair: Pair) -> None:
    number = pair.report()
    told = pair.join()
    assert told["ok"] is True, told
    assert [line["check"] for line in told["checks"]] == ["key", "enrol", "register", "probe"]
    assert "出站方式" in told["checks"][-1]["note"]
    until(lambda: pair.above(number), "the snapshot is above")
    later = pair.report(description="第二个")
    until(lambda: pair.above(later), "the change is above")
    until(pair.same, "the replica equals the county")
    link = until(lambda: (s := status(pair.node.home))["lag_rows"] == 0 and s["last_exchange"] and s, "confirmed")
    assert (link["mode"], link["trouble"]) == ("outbound", None)
    shown = wanmi(pair.node.home, "link", "status")
    assert "outbound 本节点呼叫平台" in shown
    assert "最近交换" in shown
    read = [line["what"] for line in read_lines(pair.node.home)]
    assert {"outbound snapshot", "outbound changes"} <= set(read), "what left the county is written down"


def test_a_case_comes_down_with_its_picture_is_supervised_and_taken_back(pair: Pair, tmp_path: Path) -> None:
    case, photo = tmp_path / "case.json", tmp_path / "lid.png"
    case.write_text(json.dumps(SENT_DOWN), encoding="utf-8")
    photo.write_bytes(PNG)
    assert pair.city.json("send", homes.COUNTY, str(case), "--evidence", str(photo))["state"] == "waiting"

    def sent(kind: str) -> Any:
        return until(
            lambda: next((r for r in pair.city.json("sent") if r["kind"] == kind and r["state"] != "waiting"), None),
            kind,
        )

    row = sent("case")
    assert (row["state"], row["status"]) == ("done", 201), row
    seen = pair.node.client("z1").get(f"/api/v1/cases/{row['number']}").json()
    assert (seen["upper"]["number"], len(seen["evidence"])) == ("XC-31", 1)
    pair.city.json("supervise", homes.COUNTY, row["number"], "--note", "请三日内办结")
    assert sent("supervision")["status"] == 201
    pair.city.json("supervise", homes.COUNTY, "no-such-case", "--note", "快")
    assert until(lambda: [r for r in pair.city.json("sent") if r["status"] == 404], "refused")[0]["state"] == "failed"
    pair.city.json("withdraw", homes.COUNTY, row["number"], "--reason", "重复")
    assert sent("withdrawal")["state"] == "done"
    until(pair.same, "what came down went up again")
    url = pair.city.url
    assert until(lambda: Kept(pair.node.home, url).answers() == [], "every answer is delivered")


def test_the_county_is_killed_while_cases_come_in_and_nothing_is_lost_or_done_twice(pair: Pair, tmp_path: Path) -> None:
    """What was on its way is brought again. An order had been carried out, but its answer had not left the county."""
    before = [pair.report(description=f"断电前 {n}") for n in range(12)]
    pair.kill_county()
    case = tmp_path / "case.json"
    case.write_text(json.dumps({**SENT_DOWN, "upper": {"number": "XC-32"}}), encoding="utf-8")
    id_ = pair.city.json("send", homes.COUNTY, str(case))["id"]
    body = base64.b64encode(b'{"number":"4110812026112600001"}').decode()
    Kept(pair.node.home, pair.city.url).keep_answer(OrderAnswer(id_, 201, {}, body))
    pair.node.start()
    after = pair.report(description="来电后")
    until(lambda: pair.above(after), "the county calls again by itself")
    assert all(pair.above(number) for number in before)

    def answered() -> Any:
        return next((r for r in pair.city.json("sent") if r["id"] == id_ and r["state"] == "done"), None)

    assert until(answered, "the kept answer is delivered")["number"] == "4110812026112600001"
    found = pair.node.client("z1").get("/api/v1/cases", params={"limit": 100}).json()["items"]
    assert [item for item in found if (item.get("upper") or {}).get("number") == "XC-32"] == [], "not carried out again"
    until(pair.same, "the replica equals the county")


def test_the_platform_is_killed_and_the_county_says_so_until_it_is_back(pair: Pair) -> None:
    pair.kill_city()
    number = pair.report(description="平台停机时")
    told = until(lambda: (s := status(pair.node.home))["trouble"] and s, "the trouble is told")
    assert "平台没有应答" in told["trouble"]
    assert "失败 / failed" in wanmi(pair.node.home, "link", "status")
    assert [each.check for each in check_exchange(pair.node.home) if "没有应答" in each.zh] == ["exchange.calls"]
    pair.city.start()
    until(lambda: pair.above(number), "it is brought as soon as the platform is back")
    until(lambda: status(pair.node.home)["trouble"] is None, "all is well again")
    until(pair.same, "the replica equals the county")


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_either_side_is_killed_at_any_moment_again_and_again(pair: Pair, seed: int) -> None:
    chance = random.Random(seed)
    for story in range(6):
        for n in range(chance.randint(1, 25)):
            pair.report(description=f"{seed}/{story}/{n}")
        if chance.random() < 0.5:
            pair.kill_city()
            pair.report(description="平台停机时")
            pair.city.start()
        else:
            pair.kill_county()
            pair.node.start()
    last = pair.report(description="最后一个")
    until(lambda: pair.above(last), "all is above", 120)
    until(pair.same, "the replica equals the county", 120)


def test_two_platforms_that_are_called_need_no_ports_of_their_own() -> None:
    """Only ports that are opened must differ."""
    both = [Link(url=f"https://{name}.example", listen="0.0.0.0:8412", address="https://10.0.0.2:8412", mode="outbound")
            for name in ("city", "province")]  # fmt: skip
    assert len(Exchange(links=both).links) == 2


def test_after_leaving_nothing_of_the_link_is_kept(pair: Pair) -> None:
    assert json.loads(wanmi(pair.node.home, "leave", "--json"))["told"] is True
    assert not Kept(pair.node.home, pair.city.url).folder.exists()
    last = pair.report(description="退出以后")
    assert status(pair.node.home)["joined"] is False
    assert not pair.above(last)
