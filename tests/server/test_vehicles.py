"""Vehicles on the event stream: whoever follows them hears where they are, and nobody else hears anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.people.keys import add_key
from appliance.records.store import Records
from tests.homes import SOUTH, WEST
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import report
from tests.server.test_routes import is_problem

Told = dict[str, Any]


def key_of(home: Path, role: str, name: str) -> str:
    """A key of a role, made beside the running node."""
    records = Records.open(home)
    try:
        return records.write(lambda unit: add_key(unit, name, role=role, by="technician"))
    finally:
        records.close()


@pytest.fixture
def agent(shared_node: RunningNode, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A device agent with its key."""
    key = key_of(shared_node.home, "device", request.node.name)
    with httpx.Client(base_url=shared_node.url, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


def line(who: dict[str, str], step: float = 0.0, at: datetime | None = None) -> str:
    """A position, so many degrees further north."""
    place = {"at": (at or datetime.now(UTC)).isoformat(), "lon": WEST + 0.001, "lat": SOUTH + step, "speed": 5.0}
    return json.dumps({**who, **place})


def send(client: httpx.Client, *lines: str) -> None:
    answer = client.post("/api/v1/positions", content="\n".join(lines))
    assert answer.json()["refused"] == [], answer.text


@contextmanager
def stream(client: httpx.Client, query: str = "") -> Iterator[Iterator[tuple[str, Told]]]:
    """The events that somebody hears from now on."""
    with client.stream("GET", f"/api/v1/events{query}", timeout=20) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith(": cursor ")
        yield events(lines)


def events(lines: Iterator[str]) -> Iterator[tuple[str, Told]]:
    name = ""
    for text in lines:
        field, _, value = text.partition(": ")
        name = value if field == "event" else name
        if field == "data":
            yield name, json.loads(value)


def test_a_seat_that_follows_vehicles_hears_where_they_are(shared_node: RunningNode, agent: httpx.Client) -> None:
    node = shared_node
    with stream(node.client("p1"), "?vehicles=true") as follows, stream(node.client("s2")) as other:
        send(agent, line({"device": "car-1"}, 0.001))
        name, told = next(follows)
        assert name == "positions"
        first = told["items"][0]
        assert (first["who"], first["name"], first["speed"], len(told["items"])) == ("car-1", "car-1", 5.0, 1)
        assert first["lat"] == pytest.approx(SOUTH + 0.001)
        assert first["age"] <= 1
        listed = node.client("z1").get("/api/v1/positions").json()["items"]
        assert [{**item, "age": 0} for item in listed] == [{**first, "age": 0}], "the same record as in the list"

        late = datetime.now(UTC) - timedelta(minutes=5)
        send(agent, line({"device": "car-1"}, 0.009, late), line({"account": "l1"}, 0.002))
        send(node.client("l2"), line({"account": "l2"}, 0.003))
        send(agent, line({"device": "car-2"}, 0.004))
        _, told = next(follows)
        assert [item["who"] for item in told["items"]] == ["car-2"], "no late one, no collector"
        number = report(node)["number"]
        name, told = next(other)
        assert (name, told["id"].split("/")[0]) == ("change", number), "whoever did not ask heard nothing before this"


def test_of_many_positions_of_a_vehicle_the_newest_is_told(shared_node: RunningNode, agent: httpx.Client) -> None:
    with stream(shared_node.client("b1"), "?vehicles=true") as follows:
        now = datetime.now(UTC)
        send(agent, *(line({"device": "bus"}, at / 1e4, now - timedelta(seconds=30 - at)) for at in range(30)))
        _, told = next(follows)
        assert [item["lat"] for item in told["items"]] == [pytest.approx(SOUTH + 29 / 1e4)]


@pytest.mark.parametrize("account", ["d1", "l1"])
def test_who_may_not_see_positions_may_not_follow_them(shared_node: RunningNode, account: str) -> None:
    is_problem(shared_node.client(account).get("/api/v1/events?vehicles=true"), 403, "forbidden")


def test_an_agent_follows_nobody(agent: httpx.Client) -> None:
    is_problem(agent.get("/api/v1/events?vehicles=true"), 403, "forbidden")
    is_problem(agent.get("/api/v1/positions"), 403, "forbidden")
