"""Devices, commands and messages over HTTP: who may see, command and answer, and what a key opens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.nodes import RunningNode
from tests.server.test_contract import ROLE_OF
from tests.server.test_routes import is_problem
from tests.server.test_vehicles import key_of, stream

KEYS = ("device", "wall", "public")
OFFICE = frozenset(("acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin"))
DEVICE, WALL = frozenset(("device",)), frozenset(("wall",))
COMMANDS = frozenset(("shift_leader", "admin"))
DOORS = {
    "GET /api/v1/devices": OFFICE,
    "POST /api/v1/devices": DEVICE,
    "POST /api/v1/devices/wall/commands": COMMANDS,
    "GET /api/v1/devices/commands": OFFICE | DEVICE,
    "GET /api/v1/devices/commands?waiting=true": OFFICE | DEVICE,
    "GET /api/v1/devices/commands/4711": OFFICE | DEVICE,
    "POST /api/v1/devices/commands/4711/answer": DEVICE,
    "GET /api/v1/messages": COMMANDS | {"dispatcher"},
    "GET /api/v1/messages?waiting=true": COMMANDS | DEVICE | {"dispatcher"},
    "GET /api/v1/staff": OFFICE | {"department", "collector"},
    "GET /api/v1/summary": OFFICE | {"department", "collector"},
    "POST /api/v1/messages/4711/result": DEVICE,
    "GET /api/v1/wall": OFFICE | DEVICE | WALL,
    "GET /api/v1/positions": OFFICE,
    "POST /api/v1/positions": DEVICE | {"collector", "admin"},
    "POST /api/v1/calls": DEVICE | {"acceptor", "shift_leader", "admin"},
}
AGENT_READS = frozenset(
    (
        "cases", "cases/{number}", "cases/{number}/around", "cases/{number}/clock", "cases/{number}/history",
        "cases/{number}/slip", "codes", "codes/common", "codes/own", "codes/{kind}/{code}", "sources", "workflow",
        "actions", "suggestion", "duplicates", "locate", "geocode", "shapes/{layer}", "departments",
        "instructions", "layers", "layers/{code}/members/{kind}", "evidence/{sha256}", "me", "me/settings",
        "me/settings/{name}", "calls/last", "public/cases/{query_code}", "events",
        "wall", "devices/commands", "devices/commands/{command_id}",
    )
)  # fmt: skip
"""A route that is not here is closed to device keys; of cases and evidence they see their own."""


@pytest.fixture(scope="module")
def keyed(shared_node: RunningNode) -> Iterator[dict[str, httpx.Client]]:
    """A client for every role of an account, and one for every kind of key."""
    clients = {role: shared_node.client(account) for account, role in ROLE_OF.items()}
    for role in KEYS:
        bearer = {"Authorization": f"Bearer {key_of(shared_node.home, role, role)}"}
        clients[role] = httpx.Client(base_url=shared_node.url, headers=bearer)
    yield clients
    for role in KEYS:
        clients[role].close()


@pytest.mark.parametrize("door", DOORS)
def test_each_role_and_key_has_its_doors(keyed: dict[str, httpx.Client], door: str) -> None:
    method, path = door.split()
    for role, client in keyed.items():
        answer = client.request(method, path, json={} if method == "POST" else None)
        if role == "public":
            is_problem(answer, 401, "not-signed-in")
        elif role in DOORS[door]:
            assert answer.status_code not in (401, 403), (role, answer.text)
        else:
            is_problem(answer, 403, "forbidden")


def test_an_agent_reads_what_it_needs_and_its_own(keyed: dict[str, httpx.Client]) -> None:
    document = keyed["device"].get("/schema/openapi.json").json()
    opened = {"events"}  # a stream; who may follow what on it has tests of its own
    for path, operations in document["paths"].items():
        if path.startswith("/api/v1/") and "get" in operations and path != "/api/v1/events":
            answer = keyed["device"].get(re.sub(r"\{[^}]+\}", "1", path))
            if answer.status_code != 403:
                opened.add(path.removeprefix("/api/v1/"))
    assert opened == AGENT_READS


def standing(**other: Any) -> dict[str, Any]:
    """What an agent tells of a wall."""
    wall = {
        "name": "wall",
        "driver": "novastar",
        "port": "/dev/ttyS1",
        "state": "answers",
        "well": True,
        "since": 1.8e9,
    }
    wall |= {"counters": {"bytes_in": 7}, **other}
    positions = {"sent": 1, "refused": 0, "waiting": 3, "away": False}
    return {"at": datetime.now(UTC).isoformat(), "pid": 1, "devices": [wall], "positions": positions}


def test_how_devices_stand_is_on_the_console_and_in_the_metrics(
    shared_node: RunningNode, keyed: dict[str, httpx.Client]
) -> None:
    assert keyed["device"].post("/api/v1/devices", json=standing()).status_code == 204
    told = keyed["acceptor"].get("/api/v1/devices").json()
    assert [(item["name"], item["agent"], item["heard"], item["well"]) for item in told["items"]] == [
        ("wall", "key:device", True, True)
    ]
    assert told["agents"][0]["positions"]["waiting"] == 3
    metrics = httpx.get(f"{shared_node.url}/metrics").text
    for line in (
        'wanmi_device_well{device="wall",driver="novastar"} 1.0',
        'wanmi_device_counter{device="wall",driver="novastar",what="bytes_in"} 7.0',
        'wanmi_agent_positions_waiting{agent="key:device"} 3.0',
        'wanmi_messages{state="waiting"} 0.0',
    ):
        assert line in metrics
    assert keyed["device"].post("/api/v1/devices", json=standing(well=False, state="no-answer")).status_code == 204
    assert 'wanmi_device_well{device="wall",driver="novastar"} 0.0' in httpx.get(f"{shared_node.url}/metrics").text


@pytest.mark.parametrize("values", [{"since": 1e300}, {"since": -1}, {"name": ""}, {"actions": [{"name": "x"}]}])
def test_a_report_that_nobody_could_show_is_refused(keyed: dict[str, httpx.Client], values: dict[str, Any]) -> None:
    is_problem(keyed["device"].post("/api/v1/devices", json=standing(**values)), 422, "invalid")
    twice = standing()
    twice["devices"] *= 2
    is_problem(keyed["device"].post("/api/v1/devices", json=twice), 422, "invalid")


def test_an_agent_hears_of_a_command_at_once_and_a_seat_does_not(keyed: dict[str, httpx.Client]) -> None:
    with stream(keyed["device"]) as agent, stream(keyed["leader"]) as leader:
        body = {"action": "brightness", "value": "60"}
        handed = keyed["shift_leader"].post("/api/v1/devices/wall/commands", json=body)
        assert handed.status_code == 202
        command = handed.json()
        assert next(agent) == ("command", {"id": command["id"]})
        waiting = keyed["device"].get("/api/v1/devices/commands?waiting=true").json()["items"]
        assert [item["id"] for item in waiting] == [command["id"]]
        path = f"/api/v1/devices/commands/{command['id']}"
        answer = {"ok": False, "answer": {}, "zh": "没有应答。", "en": "No answer."}
        assert keyed["device"].post(f"{path}/answer", json=answer).json()["ok"] is False
        again = keyed["device"].post(f"{path}/answer", json={**answer, "ok": True}).json()
        assert (again["ok"], again["en"]) == (False, "No answer."), "the first answer counts"
        assert keyed["assessor"].get(path).json() == again
        keyed["acceptor"].post("/api/v1/calls", json={"number": "13900001111", "seat": "b1"})
        name, _ = next(leader)
        assert name == "call", "nothing came before it"


def test_commands_come_in_pages(keyed: dict[str, httpx.Client]) -> None:
    made = [
        keyed["admin"].post("/api/v1/devices/signs/commands", json={"action": "normal"}).json()["id"] for _ in range(3)
    ]
    first = keyed["leader"].get("/api/v1/devices/commands?limit=2").json()
    second = keyed["leader"].get("/api/v1/devices/commands", params={"limit": 2, "after": first["next"]}).json()
    assert [item["id"] for item in [*first["items"], *second["items"]]][:3] == made[::-1]
    for key in made:
        keyed["device"].post(f"/api/v1/devices/commands/{key}/answer", json={"ok": True, "answer": {}})
