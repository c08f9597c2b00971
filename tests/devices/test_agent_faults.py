"""What goes wrong beside the agent: a full disk, odd drivers, odd answers of the node, two agents. Nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.device_settings import Messages
from devices.agent.board import Board
from devices.agent.doing import Doer
from devices.agent.feeder import Feeder
from devices.agent.listener import Listener
from devices.agent.messenger import Messenger
from devices.agent.node import NodeAway, NodeRefused
from devices.agent.reporter import Reporter
from devices.agent.signs import Signs
from devices.agent.spool import Spool
from devices.drivers.interface import Action, Driver, Event, Facts, Line
from devices.errors import DeviceError
from devices.fakes.host import Host
from devices.fakes.onbon import FakeOnbon
from devices.ports.owner import PortOwner
from tests.devices.waiting import until


class Node:
    """Stands for the node: answers what it is told to, and remembers."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []
        self.answers: dict[str, Any] = {}

    def post(self, path: str, body: Any) -> Any:
        self.posted.append((path, body))
        return self._answer(path)

    def post_lines(self, path: str, lines: list[bytes]) -> Any:
        self.posted.append((path, list(lines)))
        return self._answer(path) or {"read": len(lines), "refused": []}

    def get(self, path: str, **_: Any) -> Any:
        return self._answer(path)

    def _answer(self, path: str) -> Any:
        found = self.answers.get(path)
        if isinstance(found, Exception):
            raise found
        return found() if callable(found) else found

    def sent(self, path: str) -> list[Any]:
        return [body for posted, body in self.posted if posted == path]


def fix(second: float) -> Event:
    return Event("TPV", {"lat": 34.1 + second / 1000, "lon": 113.4, "plausible": True}, second)


@contextmanager
def feeding(node: Node, path: Path) -> Iterator[Feeder]:
    feeder = Feeder(node, Spool(path, 1000))  # type: ignore[arg-type]  # it behaves as the client does
    feeder.start()
    try:
        yield feeder
    finally:
        feeder.close()


@pytest.mark.parametrize(
    "trouble", [NodeAway("gone"), NodeRefused(404, "no such route"), NodeRefused(413, "too large"), ValueError("odd")]
)
def test_positions_wait_while_the_node_answers_oddly(trouble: Exception, tmp_path: Path) -> None:
    node = Node()
    node.answers["/api/v1/positions"] = trouble
    with feeding(node, tmp_path / "spool") as feeder:
        for second in range(5):
            feeder.fix("car", {}, fix(second))
        until(lambda: feeder.away and node.posted, "the trouble was met")
        until(lambda: feeder.waiting == 5, "they wait between two tries")
        del node.answers["/api/v1/positions"]
        until(lambda: feeder.waiting == 0, "they were sent")
    lines = {line for body in node.sent("/api/v1/positions") for line in body}
    assert len(lines) == 5


def test_a_full_disk_costs_no_position_that_memory_holds_and_the_feeder_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, full = Node(), threading.Event()
    node.answers["/api/v1/positions"] = NodeAway("gone")
    full.set()
    add = Spool.add

    def no_room(spool: Spool, lines: list[bytes]) -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")
        add(spool, lines)

    monkeypatch.setattr(Spool, "add", no_room)
    with feeding(node, tmp_path / "spool") as feeder:
        for second in range(4):
            feeder.fix("car", {}, fix(second))
        until(lambda: "No space" in feeder.trouble, "the disk is full")
        assert feeder.waiting == 4
        full.clear()
        del node.answers["/api/v1/positions"]
        until(lambda: feeder.waiting == 0 and not feeder.away, "it goes on")
        feeder.fix("car", {}, fix(9))
        until(lambda: feeder.sent == 5, "all five arrived")


def test_a_torn_line_is_taken_back_so_that_the_next_one_stands_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "spool", 100)
    spool.add([b"one"])

    def torn(file: Any, data: bytes) -> None:
        file.write(data[:3])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("devices.agent.spool._write_all", torn)
        with pytest.raises(OSError, match="No space"):
            spool.add([b"two two"])
    spool.add([b"three"])
    assert spool.first(9) == [b"one", b"three"]
    (tmp_path / "spool").unlink()
    assert spool.first(9) == []


class Odd(Driver):
    """A third party's driver with odd facts, odd actions and an odd temper."""

    key, zh, en = "odd", "怪", "odd"
    actions = (
        Action("status", "", "", "", reads=True),
        Action("sms", "TEXT" * 2000, "", ""),
        Action("text", "TEXT", "", ""),
    )

    def do(self, line: Line, action: str, value: str | None) -> Facts:
        return {"at": object(), "nan": float("nan"), "bytes": b"\xff", "long": "x" * 10_000, "deep": [[[[[[[1]]]]]]]}


class Fixed:
    """Stands for the owner of a port that is open."""

    def __init__(self, driver: Driver) -> None:
        self.driver, self.open, self.done = driver, True, 0
        self.counters = type("Counters", (), {"opened": 1})()

    def do(self, action: str, value: str | None = None) -> Any:
        from concurrent.futures import Future

        from devices.exchange import Done

        self.done += 1
        order: Future[Any] = Future()
        order.set_result(Done(self.driver.do(None, action, value)))  # type: ignore[arg-type]
        return order


def test_odd_facts_of_one_driver_hide_no_other_device(tmp_path: Path) -> None:
    import json

    board, node = Board(), Node()
    board.add("odd", "odd", "/dev/x", Odd.actions)
    board.add("car", "nmea", "/dev/y", listens=True)
    board.told("odd", "status", Odd().do(None, "status", None))  # type: ignore[arg-type]
    board.failed("odd", "trouble" * 20, "字" * 5000, "word " * 5000)
    feeder = Feeder(node, Spool(tmp_path / "spool", 10))  # type: ignore[arg-type]
    reporter = Reporter(board, feeder, node, tmp_path / "run" / "agent.json")  # type: ignore[arg-type]
    reporter.beat()
    report = node.sent("/api/v1/devices")[0]
    json.dumps(report, allow_nan=False)
    odd = report["devices"][0]
    assert odd["facts"]["status"]["nan"] is None
    assert len(odd["facts"]["status"]["long"]) == 2000
    assert max(len(odd["state"]), 40) == 40
    assert max(len(odd["zh"]), len(odd["en"])) <= 500
    node.answers["/api/v1/devices"] = NodeRefused(422, "too odd")
    board.failed("odd", "a", "b", "c")
    reporter.beat()
    assert "too odd" in reporter.report()["refused"], "the doctor hears of it"


def doer_of(board: Board, **owners: Any) -> Doer:
    return Doer(owners, board, lambda action, value: {"signs": []}, lambda name: None, has_signs=False)


def test_a_command_for_another_agent_s_device_is_left_to_it_and_one_that_was_done_is_not_done_again() -> None:
    board, node, owner = Board(), Node(), Fixed(Odd())
    board.add("odd", "odd", "/dev/x")
    commands = [
        {"id": 1, "device": "wall", "action": "blank", "value": "on"},
        {"id": 2, "device": "signs", "action": "notice", "value": "x"},
        {"id": 3, "device": "odd", "action": "text", "value": "x"},
    ]
    node.answers["/api/v1/devices/commands"] = lambda: {"items": commands}
    node.answers["/api/v1/devices/commands/3/answer"] = NodeRefused(422, "an odd answer")
    listener = Listener(node, node, doer_of(board, odd=owner), lambda: None)  # type: ignore[arg-type]
    for turn in range(1, 4):
        listener._fetch()
        until(lambda turn=turn: len(node.sent("/api/v1/devices/commands/3/answer")) == turn, "it answered")
        until(lambda: not listener._under_way, "it is done with")
    assert owner.done == 1
    assert {path for path, _ in node.posted} == {"/api/v1/devices/commands/3/answer"}


def test_commands_to_one_device_are_done_in_the_order_they_were_given() -> None:
    """Off and on again must not end as off."""
    board, node, owner = Board(), Node(), Fixed(Odd())
    board.add("odd", "odd", "/dev/x")
    commands = [{"id": key, "device": "odd", "action": "text", "value": str(key)} for key in range(1, 31)]
    node.answers["/api/v1/devices/commands"] = lambda: {"items": commands}
    listener = Listener(node, node, doer_of(board, odd=owner), lambda: None)  # type: ignore[arg-type]
    listener._fetch()
    until(lambda: len(node.posted) == len(commands), "all are answered")
    assert [path for path, _ in node.posted] == [f"/api/v1/devices/commands/{key}/answer" for key in range(1, 31)]


def test_a_message_whose_result_the_node_knows_no_more_stops_no_other_and_a_sent_one_is_not_sent_again(
    home: Path,
) -> None:
    owner, node = Fixed(Odd()), Node()
    waiting = [
        [{"id": 1, "channel": "sms", "phone": "1", "text": "a"}, {"id": 2, "channel": "sms", "phone": "1", "text": "b"}]
    ]
    node.answers["/api/v1/messages/take"] = lambda: {"items": waiting.pop() if waiting else []}
    node.answers["/api/v1/messages/1/result"] = NodeRefused(404, "forgotten")
    messenger = Messenger({"phone": owner}, Messages(channels=["sms"]), home, node)  # type: ignore[dict-item,arg-type]
    messenger.beat()
    messenger.beat()
    assert owner.done == 2
    assert node.sent("/api/v1/messages/2/result") == [{"ok": True, "detail": "phone: 1"}]
    assert node.sent("/api/v1/messages/take")[0] == {"channels": ["sms"]}
    owner.open = False
    before = len(node.posted)
    messenger.beat()
    assert len(node.posted) == before, "an agent without a modem takes no text message"


def test_a_notice_that_no_sign_takes_is_told_and_a_number_in_it_stays(tmp_path: Path) -> None:
    from zoneinfo import ZoneInfo

    from appliance.device_settings import Strip
    from devices.drivers.onbon import Onbon

    fake, node = FakeOnbon(), Node()
    with Host(fake, paced=False) as cable:
        owner = PortOwner("strip", cable.path, Onbon({"seconds": 0.2, "tries": 1}), lambda *_: None, rate=9600)
        owner.start()
        signs = Signs({"strip": owner}, Strip(), node, ZoneInfo("Asia/Shanghai"), tmp_path / "run" / "notice.json")  # type: ignore[arg-type]
        try:
            until(lambda: owner.open, "the port is open")
            assert signs.command("notice", "110 报警电话")["signs"] == ["strip"]
            assert "110" in str(fake.state()["text"])
            assert signs.command("notice", "[5] 2026 年供暖通知")["failed"] == {}
            assert "2026" in str(fake.state()["text"])
            fake.moods.silent = True
            with pytest.raises(DeviceError, match="did not answer"):
                signs.command("notice", "没人看见")
            assert signs.notice is not None, "it is kept for when the sign is back"
        finally:
            owner.close()


class Hanging(Driver):
    """Never comes back."""

    key, zh, en = "hanging", "挂", "hanging"
    actions = (Action("status", "", "", "", reads=True),)

    def do(self, line: Line, action: str, value: str | None) -> Facts:
        self.entered.set()
        self.released.wait(60)
        return {}

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.released = threading.Event(), threading.Event()


def test_a_driver_that_never_comes_back_does_not_keep_the_agent_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.ports.owner.CLOSE_SECONDS", 0.3)
    driver = Hanging()
    with Host(FakeOnbon(), paced=False) as cable:
        owner = PortOwner("x", cable.path, driver, lambda *_: None, rate=9600)
        owner.start()
        until(lambda: owner.open, "the port is open")
        order = owner.do("status")
        assert driver.entered.wait(10)
        owner.close()
        assert not order.done()
        driver.released.set()
        until(lambda: not owner._thread.is_alive(), "the thread ended after all")
