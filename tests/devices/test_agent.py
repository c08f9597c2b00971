"""The device agent beside a real node: fixes reach the map, walls and signs obey, departments are told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import tomli_w

from appliance.people.agent_key import ensure_agent_key
from devices.configuration import add_device, checked, remove_device
from devices.errors import BadSetup
from devices.fakes.gnss import FakeGnss
from devices.fakes.host import Host
from devices.fakes.modem import FakeModem
from devices.fakes.novastar import FakeNovaStar
from devices.fakes.onbon import FakeOnbon
from tests.devices.waiting import until
from tests.homes import copy_home
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import report
from tests.started import start_wanmi

INSIDE = {"lat": 34.105, "lon": 113.405}


def configure(home: Path, **blocks: Any) -> None:
    """Write blocks into the home's settings."""
    file = home / "wanmi.toml"
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{tomli_w.dumps(blocks)}", encoding="utf-8")


class RunningAgent:
    """`wanmi devices agent` in a process of its own."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.process = start_wanmi("devices", "agent", "--home", str(home), "--node", url)

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.communicate(timeout=20)
        return int(self.process.returncode)


@contextmanager
def agent_of(home: Path, url: str) -> Iterator[RunningAgent]:
    ensure_agent_key(home)
    agent = RunningAgent(home, url)
    try:
        yield agent
    finally:
        agent.stop()


def wanmi(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A technician's command."""
    command = [sys.executable, "-m", "appliance", "devices", *words, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A node, an agent, a car, a wall, a sign and a modem, as in the hall of a county."""
    home = copy_home(tmp_path_factory.mktemp("hall") / "home")
    links = tmp_path_factory.mktemp("ports")
    fakes = {
        "car": FakeGnss(options=INSIDE), "wall": FakeNovaStar(), "strip": FakeOnbon(), "phone": FakeModem(),
    }  # fmt: skip
    hosts = {name: Host(fake, links / name, paced=False) for name, fake in fakes.items()}
    drivers = {"car": "nmea", "wall": "novastar", "strip": "onbon", "phone": "modem"}
    for name, driver in drivers.items():
        options = {"seat": "s1"} if name == "phone" else {}
        values = {"name": name, "driver": driver, "port": str(links / name), "baud": fakes[name].rate}
        add_device(home, checked({**values, "options": options}))
    configure(
        home, light={"enabled": True, "hours": [["00:00", 60]]}, strip={"enabled": True, "seconds": 1.0},
        messages={"channels": ["sms"]}, agent={"poll_seconds": 1.0},
    )  # fmt: skip
    running = RunningNode(home).start()
    with agent_of(home, running.url) as agent:
        try:
            yield {"home": home, "node": running, "agent": agent, "fakes": fakes, "hosts": hosts}
        finally:
            running.stop()
            for host in hosts.values():
                host.close()


def near(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """The same place, as precisely as a track is kept."""
    return abs(one["lat"] - other["lat"]) < 2e-7 and abs(one["lon"] - other["lon"]) < 2e-7


def devices(node: RunningNode) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in node.client("z1").get("/api/v1/devices").json()["items"]}


def test_every_device_is_seen_well_on_the_console_by_doctor_and_by_prometheus(hall: dict[str, Any]) -> None:
    node = hall["node"]
    until(lambda: len(found := devices(node)) == 4 and all(item["well"] for item in found.values()), "all are well")
    until(
        lambda: devices(node)["wall"]["facts"].get("status", {}).get("brightness") == 60, "as bright as the plan says"
    )
    wall = devices(node)["wall"]
    assert "brightness" in [action["name"] for action in wall["actions"]]
    metrics = httpx.get(f"{node.url}/metrics").text
    assert 'wanmi_device_well{device="car",driver="nmea"} 1.0' in metrics
    listed = json.loads(wanmi(hall["home"], "list", "--json").stdout)
    assert {item["name"]: item["well"] for item in listed} == dict.fromkeys(("car", "wall", "strip", "phone"), True)


def test_a_fix_is_on_the_map(hall: dict[str, Any]) -> None:
    node = hall["node"]

    def seen() -> Any:
        items = node.client("z1").get("/api/v1/positions").json()["items"]
        return next((item for item in items if item["who"] == "car"), None)

    place = until(seen, "the car is on the map")
    second = round(abs(place["lon"] - INSIDE["lon"]) * 92_000 / 5)
    assert hall["fakes"]["car"].place(second)[0] == pytest.approx(place["lat"], abs=0.002)
    assert place["speed"] == pytest.approx(5.0, abs=0.1)
    until(lambda: seen()["at"] != place["at"], "it goes on")


def test_a_shift_leader_dims_the_wall_and_an_acceptor_may_not(hall: dict[str, Any]) -> None:
    node = hall["node"]
    body = {"action": "brightness", "value": "35"}
    assert node.client("s1").post("/api/v1/devices/wall/commands", json=body).status_code == 403
    answer = node.client("z1").post("/api/v1/devices/wall/commands", json=body)
    assert answer.status_code == 202
    path = f"/api/v1/devices/commands/{answer.json()['id']}"
    done = until(lambda: (told := node.client("z1").get(path).json())["ok"] is not None and told, "the wall answered")
    assert done["ok"] is True
    assert done["name"] == "值班长一"
    assert done["answer"]["facts"]["brightness"] == 35
    assert hall["fakes"]["wall"].state()["brightness"] in (35, 89)
    for action, value, word in (("brightness", "300", "0-100"), ("dance", None, "brightness")):
        told = node.client("z1").post("/api/v1/devices/wall/commands", json={"action": action, "value": value}).json()
        path = f"/api/v1/devices/commands/{told['id']}"
        refused = until(lambda path=path: (item := node.client("z1").get(path).json())["ok"] is False and item)
        assert word in refused["en"]


def test_the_sign_shows_figures_an_urgent_notice_and_figures_again(hall: dict[str, Any]) -> None:
    node, fake = hall["node"], hall["fakes"]["strip"]

    def text() -> str:
        """What one reads on the sign, its lines put together."""
        return str(fake.state()["text"]).replace("\n", "")

    until(lambda: "禹州市城管" in text() and "今日上报" in text(), "the figures")
    before = text()
    report(node)
    until(lambda: text() != before, "the figures changed with the case")
    assert wanmi(hall["home"], "notice", "--minutes", "5", "暴雨橙色预警").returncode == 0
    until(lambda: "暴雨橙色预警" in text(), "the notice")
    assert (hall["home"] / "run" / "notice.json").exists()
    answer = node.client("z1").post("/api/v1/devices/signs/commands", json={"action": "normal"})
    assert answer.status_code == 202
    until(lambda: "今日上报" in text() and "暴雨" not in text(), "the figures are back")


def test_the_technician_sends_a_command_while_the_agent_has_the_port(hall: dict[str, Any]) -> None:
    sent = wanmi(hall["home"], "send", "--name", "wall", "brightness", "50", "--json")
    assert sent.returncode == 0, sent.stderr
    told = json.loads(sent.stdout)
    assert told["facts"]["brightness"] == 50
    assert told["request"].startswith("55aa")
    assert told["answer"].startswith("aa55")
    busy = wanmi(hall["home"], "send", "--driver", "novastar", "--port", str(hall["hosts"]["wall"].link), "identify")
    assert busy.returncode == 1
    assert "正被别的程序使用" in busy.stderr
    assert "Traceback" not in busy.stderr


def test_a_dispatched_case_is_told_to_the_department_by_text_message_and_a_caller_rings(hall: dict[str, Any]) -> None:
    node, modem = hall["node"], hall["fakes"]["phone"]
    from sqlalchemy import text

    from appliance.records.store import Records

    records = Records.open(hall["home"])
    try:
        records.write(
            lambda unit: (
                unit.connection.execute(text("UPDATE department SET phone = '13812341234' WHERE code = 'D01'")) and None
            )
        )
    finally:
        records.close()
    number = str(report(node, "l1", source="collector")["number"])
    for who, action, body in (
        ("s1", "accept", {}),
        ("z1", "file", {}),
        ("p1", "dispatch", {"department": "D01", "condition": 1}),
    ):
        assert node.act(who, number, action, **body).status_code == 200
    until(lambda: any(number in part.text for part in modem.sent), "the message")
    assert any("派遣" in part.text and part.phone == "13812341234" for part in modem.sent)
    ledger = until(
        lambda: [
            item
            for item in node.client("z1").get("/api/v1/messages").json()["items"]
            if item["case"] == number and item["state"] == "sent"
        ],
        "the ledger",
    )
    assert ledger[0]["department_name"] == "市政管理所"
    modem.ring("13900001111")
    until(lambda: node.client("s1").get("/api/v1/calls/last").status_code == 200, "the call")
    assert node.client("s1").get("/api/v1/calls/last").json()["number"] == "13900001111"


def test_positions_of_the_time_without_a_node_are_there_when_it_is_back(tmp_path: Path) -> None:
    home = copy_home(tmp_path / "home")
    fake = FakeGnss(options=INSIDE | {"every": 0.25})
    with Host(fake, tmp_path / "car", paced=False):
        add_device(
            home,
            checked(
                {
                    "name": "car",
                    "driver": "nmea",
                    "port": str(tmp_path / "car"),
                    "baud": 9600,
                    "options": {"every": 0.2},
                }
            ),
        )
        node = RunningNode(home).start()
        with agent_of(home, node.url) as agent:
            until(lambda: node.client("z1").get("/api/v1/positions").json()["items"], "the first position")
            node.stop(signal.SIGKILL)
            spool = home / "run" / "positions.ndjson"
            until(lambda: spool.exists() and spool.read_bytes().count(b"\n") >= 2, "positions wait on the disk")
            agent.stop(signal.SIGKILL)
            waited = [json.loads(line) for line in spool.read_bytes().splitlines() if line.endswith(b"}")]
            assert len(waited) >= 2
            again = RunningAgent(home, node.url)
            try:
                node = RunningNode(home, node.port).start()
                until(lambda: not spool.exists(), "the disk is empty again")
                until(
                    lambda: node.client("z1").get("/api/v1/positions").json()["items"][0]["age"] < 3, "and it goes on"
                )
                track = node.client("z1").get("/api/v1/tracks/car").json()["items"]
                lost = [line for line in waited if not any(near(line, item) for item in track)]
                assert lost == [], "every position of the time without a node is in the track"
            finally:
                again.stop()
                node.stop()


def test_messages_go_to_a_webhook_signed_and_once(tmp_path: Path) -> None:
    import hashlib
    import hmac

    heard: list[tuple[dict[str, str], bytes]] = []
    paths: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((dict(self.headers), body))
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = copy_home(tmp_path / "home")
    configure(
        home,
        messages={
            "channels": ["webhook"],
            "webhook": f"http://127.0.0.1:{server.server_port}/hook",
            "emergency_webhook": f"http://127.0.0.1:{server.server_port}/urgent",
            "texts": {"dispatch": "{department}: {number}"},
        },
    )
    (home / "keys" / "webhook.secret").write_text("geheim\n")
    node = RunningNode(home).start()
    try:
        with agent_of(home, node.url):
            until(lambda: (home / "run" / "agent.json").exists(), "the agent runs")
            number = str(report(node, "l1", source="collector")["number"])
            for who, action, body in (
                ("s1", "accept", {}),
                ("z1", "file", {}),
                ("p1", "dispatch", {"department": "D01", "condition": 1}),
            ):
                assert node.act(who, number, action, **body).status_code == 200
            until(lambda: heard, "the webhook")
            path, leader = f"/api/v1/cases/{number}", node.client("b1")
            seen = {"If-Match": leader.get(path).headers.get("etag") or f'"{leader.get(path).json()["version"]}"'}
            marked = leader.post(f"{path}/emergency", json={"emergency": True, "note": "路面塌陷"}, headers=seen)
            assert marked.json()["flags"] == ["emergency"], marked.text
            until(lambda: len(heard) == 2, "the emergency webhook")
        urgent = json.loads(heard.pop()[1])
        assert (urgent["event"], urgent["case"], "紧急案件" in urgent["text"]) == ("emergency", number, True)
        assert paths == ["/hook", "/urgent"]
        headers, body = heard[0]
        told = json.loads(body)
        assert (told["case"], told["event"], told["text"]) == (number, "dispatch", f"市政管理所: {number}")
        signed = {key.lower(): value for key, value in headers.items()}["wanmi-signature"]
        assert signed == hmac.new(b"geheim", body, hashlib.sha256).hexdigest()
        assert len(heard) == 1
    finally:
        node.stop()
        server.shutdown()
        server.server_close()


def test_changed_settings_are_taken_over_and_wrong_ones_leave_the_agent_as_it_is(tmp_path: Path) -> None:
    home = copy_home(tmp_path / "home")
    with Host(FakeGnss(options=INSIDE), tmp_path / "car", paced=False), agent_of(home, "http://127.0.0.1:9") as agent:
        state = home / "run" / "agent.json"

        def names() -> list[str]:
            return [item["name"] for item in json.loads(state.read_text())["devices"]] if state.exists() else ["?"]

        until(lambda: names() == [], "no device yet")
        file = home / "wanmi.toml"
        file.write_text(f"# a technician's comment\n{file.read_text()}")
        add_device(home, checked({"name": "car", "driver": "nmea", "port": str(tmp_path / "car"), "baud": 9600}))
        until(lambda: names() == ["car"], "the car was taken over")
        assert agent.process.poll() is None
        with pytest.raises(BadSetup, match="already"):
            add_device(home, checked({"name": "car", "driver": "nmea", "port": "/dev/null"}))
        with pytest.raises(BadSetup, match="belongs to"):
            add_device(home, checked({"name": "bus", "driver": "nmea", "port": os.path.realpath(tmp_path / "car")}))
        good = file.read_text()
        file.write_text(good + '\n[[devices]]\nname = "x"\ndriver = "nothing"\nport = "/dev/null"\n')
        log = home / "log" / "agent.log"
        until(lambda: "nothing" in log.read_text(), "the mistake was told")
        assert names() == ["car"]
        file.write_text(good)
        remove_device(home, "car")
        until(lambda: names() == [], "the car is gone")
        assert "# a technician's comment" in file.read_text()
        second = RunningAgent(home, "http://127.0.0.1:9")
        assert second.stop(0) == 1
