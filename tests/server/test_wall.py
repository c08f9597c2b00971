"""The wall's figures, and that its key opens nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from appliance.cases.office import Office
from appliance.cases.tallies import Tallies
from appliance.cases.wall import wall
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import report
from tests.server.test_query_plans import plans, walks
from tests.server.test_routes import is_problem


def wall_key(home: Path, name: str = "wall") -> str:
    """A key for a wall screen, as a technician makes it."""
    command = ["keys", "add", name, "--role", "wall", "--home", str(home), "--json"]
    done = subprocess.run([sys.executable, "-m", "appliance", *command], capture_output=True, text=True, check=True)
    key: str = json.loads(done.stdout)["key"]
    return key


def test_the_figures_of_the_day_without_a_word_of_a_caller(shared_node: RunningNode) -> None:
    client = httpx.Client(
        base_url=shared_node.url, headers={"Authorization": f"Bearer {wall_key(shared_node.home, 'figures')}"}
    )
    before = client.get("/api/v1/wall").json()
    case = report(
        shared_node, description="张先生家门口井盖破了", address="张先生家门口",
        reporter={"name": "张先生", "phone": "13812341234"},
    )  # fmt: skip
    number = str(case["number"])
    assert shared_node.act("b1", number, "supervise", note="今天办结").status_code == 200
    after = before
    while after["at"] == before["at"] or after["open"] == before["open"]:
        after = client.get("/api/v1/wall").json()
    assert after["reported_today"] == before["reported_today"] + 1
    assert after["open"] == before["open"] + 1
    assert sum(after["hours"]) == after["reported_today"]
    assert after["name"] == "禹州市"
    assert after["latest"][0]["number"] == number
    assert after["latest"][0]["place"] == "颍川街道"
    answer = client.get("/api/v1/wall").text + client.get("/api/v1/map/cases?bbox=113,34,114,35").text
    assert "张先生" not in answer
    assert "1381" not in answer
    client.close()


@pytest.mark.parametrize("path", ["cases", "staff", "departments", "summary", "events", "me", "positions", "locate"])
def test_a_wall_key_opens_the_wall_only(shared_node: RunningNode, path: str) -> None:
    key = wall_key(shared_node.home, f"only-{path}")
    answer = httpx.get(f"{shared_node.url}/api/v1/{path}", headers={"Authorization": f"Bearer {key}"})
    is_problem(answer, 403, "forbidden")


def test_who_may_see_the_wall(shared_node: RunningNode) -> None:
    for account, status in (("b1", 200), ("z1", 200), ("k1", 200), ("d1", 403), ("l1", 403)):
        assert shared_node.client(account).get("/api/v1/wall").status_code == status, account


def test_an_ended_wall_key_is_out(node: RunningNode) -> None:
    key = wall_key(node.home)
    subprocess.run(
        [sys.executable, "-m", "appliance", "keys", "end", "wall", "--home", str(node.home)], check=True,
        capture_output=True,
    )  # fmt: skip
    answer = httpx.get(f"{node.url}/api/v1/wall", headers={"Authorization": f"Bearer {key}"})
    is_problem(answer, 401, "not-signed-in")


@pytest.mark.sqlite("its query plans")
def test_every_figure_goes_by_an_index(home: Path) -> None:
    office = Office.open(home)
    try:
        found = plans(office, lambda connection: wall(connection, office))
        assert [plan for plan in walks(found, counting=True) if "ix_cases_open" not in plan] == [], found
        assert not any(plan.startswith("SCAN supervision") or plan.startswith("SCAN s") for plan in found), found
    finally:
        office.close()


@pytest.mark.sqlite("its query plans")
def test_a_day_that_is_over_is_counted_once(home: Path) -> None:
    office = Office.open(home)
    tallies = Tallies()
    try:
        first = plans(office, lambda connection: tallies.past(connection, 0, 10, now=20))
        again = plans(office, lambda connection: tallies.past(connection, 0, 10, now=30))
        assert any("ix_cases_closed_at" in plan for plan in first)
        assert again == []
    finally:
        office.close()
