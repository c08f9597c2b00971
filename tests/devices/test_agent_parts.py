"""Parts of the agent by themselves: light by hour and sun, texts of signs, what waits on the disk, health, time."""

from __future__ import annotations

import socket
import struct
import threading
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import ValidationError

from appliance.device_settings import Light, Messages, Strip
from devices.agent import feeder as feeding
from devices.agent.board import Board
from devices.agent.chrony import MAGIC, ChronySocket
from devices.agent.control import Control, ask_agent
from devices.agent.keeper import Keeper
from devices.agent.light import wanted
from devices.agent.spool import Spool
from devices.agent.strip import check_template, text_of
from devices.checks import check_devices
from devices.codecs.nmea.framing import encode
from devices.configuration import add_device, checked
from devices.drivers.gnss import Gnss
from devices.drivers.interface import Action, Driver, Event
from devices.errors import BadSetup, DeviceError, NoAnswer

ZONE = ZoneInfo("Asia/Shanghai")
YUZHOU = {"longitude": 113.47, "latitude": 34.15}


def at(hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, 26, hour, minute, tzinfo=ZONE)


def test_the_light_follows_the_hours_and_the_night_is_dark() -> None:
    plan = Light(hours=[("07:00", 80), ("19:00", 40), ("22:00", 20)], dark=("23:30", "05:30"))
    assert [wanted(plan, at(hour)).brightness for hour in (6, 7, 18, 19, 23)] == [20, 80, 80, 40, 20]
    dark = [wanted(plan, at(*time)).dark for time in ((23, 29), (23, 30), (0, 0), (5, 29), (5, 30), (12, 0))]
    assert dark == [False, True, True, True, False, False]


def test_the_light_follows_the_sun_over_twilight_in_summer_and_in_winter() -> None:
    plan = Light(sun=True, day=80, night=20, **YUZHOU)
    assert wanted(plan, at(12)).brightness == 80
    assert wanted(plan, at(0)).brightness == 20
    evening = [wanted(plan, at(17, minute)).brightness for minute in range(0, 60, 5)]
    assert evening == sorted(evening, reverse=True)
    assert len(set(evening)) > 3, "it goes over, and does not jump"
    assert wanted(plan, at(19, month=6)).brightness > wanted(plan, at(19)).brightness


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.integers(0, 100), st.integers(0, 100))
def test_the_light_is_always_between_night_and_day(moment: datetime, day: int, night: int) -> None:
    found = wanted(Light(sun=True, day=day, night=night, **YUZHOU), moment.replace(tzinfo=ZONE)).brightness
    assert min(day, night) - 3 <= found <= max(day, night) + 3


@pytest.mark.parametrize(
    "block",
    [
        lambda: Light(hours=[("19:00", 40), ("07:00", 80)]), lambda: Light(hours=[("7:00", 40)]),
        lambda: Light(hours=[("07:00", 101)]), lambda: Light(dark=("23:00", "23:00")), lambda: Light(brightness=3),
        lambda: Messages(texts={"dispatch": "{phone}"}), lambda: Messages(texts={"dance": "x"}),
        lambda: Messages(webhook="ftp://x"), lambda: Messages(webhook="http://h:abc/"),
        lambda: Messages(webhook="http://[::1/hook"), lambda: Messages(webhook="http://.."),
        lambda: Messages(webhook="http://h/\nX: y"), lambda: Light(sun=True, latitude=34.0),
    ],
)  # fmt: skip
def test_wrong_settings_of_devices_are_refused(block: Any) -> None:
    with pytest.raises(ValidationError):
        block()


def test_a_sign_shows_the_figures() -> None:
    figures = {
        "reported_today": 3,
        "closed_today": 2,
        "open": 5,
        "overdue": 1,
        "name": "禹州市",
        "month": {"rate": 0.957},
    }
    plan, now = Strip(text="{county} {reported} {closed} {open} {overdue} {rate} {time}"), at(9, 5)
    assert text_of(plan, figures, now) == "禹州市 3 2 5 1 95.7% 09:05"
    nobody = figures | {"month": {"rate": None}}
    assert "--" in text_of(plan, nobody, now), "no cases are no 0 % and no 100 %"
    for text in ("{weather}", "{open", "{0}", "{rate:d}", "{open!x}"):
        with pytest.raises(BadSetup):
            check_template(Strip(text=text))


class Waiting(RuleBasedStateMachine):
    """A spool beside a plain list: lines come, are delivered, and the agent is ended at any moment."""

    @initialize(at_most=st.integers(3, 30))
    def begin(self, at_most: int) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.at_most = at_most
        self.path = Path(self.folder.name) / "positions.ndjson"
        self.spool = Spool(self.path, at_most)
        self.lines: list[bytes] = []
        self.number = 0

    @rule(count=st.integers(1, 12))
    def come(self, count: int) -> None:
        new = [b"line %d" % (self.number + index) for index in range(count)]
        self.number += count
        self.spool.add(new)
        self.lines = (self.lines + new)[-self.at_most :]

    @rule(count=st.integers(1, 12))
    def deliver(self, count: int) -> None:
        assert self.spool.first(count) == self.lines[:count]
        self.spool.drop(len(self.lines[:count]))
        self.lines = self.lines[count:]

    @rule()
    def end_in_the_middle_of_a_line(self) -> None:
        if self.path.exists():
            with self.path.open("ab") as file:
                file.write(b'{"half')
        self.spool = Spool(self.path, 10**6)
        again = self.spool.first(10**6)
        assert again[len(again) - len(self.lines) :] == self.lines, "nothing that was not delivered is lost"
        self.spool.drop(len(again) - len(self.lines))
        self.spool._at_most = self.at_most

    @invariant()
    def as_many(self) -> None:
        if hasattr(self, "spool"):
            assert len(self.spool) == len(self.lines)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestWaiting = Waiting.TestCase


def rmc(second: int, lat: str = "3409.5700", status: str = "A") -> bytes:
    time = f"12{second // 60:02}{second % 60:02}.00"
    return encode("GN", "RMC", (time, status, lat, "N", "11328.2960", "E", "2.5", "90.0", "261126", "", "", "A"))


def states(events: list[Event]) -> list[str]:
    return [str(event.facts["state"]) for event in events if event.kind == "HEALTH"]


def test_a_receiver_s_health_goes_from_silent_to_fixed_and_tells_what_is_wrong() -> None:
    driver = Gnss()
    assert states(driver.heard(b"\xff\x00noise\n", -4.0)) == [], "a moment is no verdict"
    assert states(driver.heard(b"\xff\x00noise\n", -2.0) + driver.heard(b"$\n", 0.0)) == ["unreadable"]
    assert states(driver.heard(rmc(0, status="V") + rmc(1, status="V"), 1.0)) == ["no_fix"]
    assert states(driver.heard(rmc(2) + rmc(3), 2.0)) == ["2d"]
    frozen = [state for second in range(3, 12) for state in states(driver.heard(rmc(3), float(second)))]
    assert frozen == ["frozen"]
    assert states(driver.heard(rmc(12) + rmc(13), 12.0)) == ["2d"]
    assert states(driver.heard(rmc(14, lat="3509.5700"), 13.0)) == ["implausible"]
    assert states(driver.quiet(17.0)) == ["silent"]
    stale = [state for second in range(20, 28) for state in states(driver.heard(rmc(second, status="V"), second))]
    assert stale[-1:] == ["stale"]
    assert "frozen" not in stale, "its time goes on"


def test_a_fix_outside_the_county_or_after_a_jump_is_shown_and_not_recorded(tmp_path: Path) -> None:
    driver = Gnss({"bbox": [113.0, 34.0, 113.5, 34.3]})
    sent = feeding.Feeder(None, Spool(tmp_path / "spool", 100))  # type: ignore[arg-type]  # nothing is sent here
    for second, lat in enumerate(("3409.5700", "3409.5710", "3909.5700", "3409.5720")):
        for event in driver.heard(rmc(second, lat=lat), float(second)) + driver.quiet(second + 0.5):
            if event.kind == "TPV":
                sent.fix("car", driver.options, event)
    assert sent.waiting == 2, "the far one, and the jump back from it, are not recorded"


@pytest.mark.parametrize(
    "options",
    [{"every": 0}, {"every": "often"}, {"delay": -1}, {"bbox": [1, 2, 3]}, {"bbox": [114, 34, 113, 35]}, {"bbox": "x"},
     {"colour": "red"}],
)  # fmt: skip
def test_a_receiver_with_wrong_options_is_refused_before_it_is_used(options: dict[str, Any]) -> None:
    with pytest.raises(BadSetup):
        Gnss(options)


def test_a_position_has_the_receiver_s_time_where_that_can_be_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 26, 12, 0, 0, 500_000, tzinfo=ZoneInfo("UTC")).timestamp()
    monkeypatch.setattr(feeding, "time", lambda: now)
    monkeypatch.setattr(feeding, "monotonic", lambda: 100.0)
    assert feeding.moment_of({"time": "2026-11-26T12:00:00.000Z"}, 100.0) == "2026-11-26T12:00:00.000Z"
    mine = "2026-11-26T11:59:58.500Z"
    assert feeding.moment_of({"time": "2026-11-26T12:30:00.000Z"}, 98.0) == mine, "this machine's clock or it is wrong"
    assert feeding.moment_of({"time": "2007-04-11T12:00:00.000Z", "timeBelieved": False}, 98.0) == mine
    assert feeding.moment_of({}, 98.0) == mine
    assert feeding.offset("2026-11-26T12:00:60.000Z", now) == pytest.approx(58.5)


def test_chrony_gets_samples_in_its_own_form(tmp_path: Path) -> None:
    path = str(tmp_path / "chrony.sock")
    sender = ChronySocket(path)
    sender.send(1_795_000_000.25, -0.125)  # nobody listens: no fault
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as chrony:
        chrony.bind(path)
        sender.send(1_795_000_000.25, -0.125)
        sample = chrony.recv(100)
    sender.close()
    assert struct.unpack("@qqdiiii", sample) == (1_795_000_000, 250_000, -0.125, 0, 0, 0, MAGIC)


class Screen(Driver):
    """A wall that remembers."""

    key, zh, en = "screen", "屏", "screen"
    actions = (Action("brightness", "0-100", "", ""), Action("blank", "on|off", "", ""))


class Owner:
    """Stands for the owner of a port: does at once what it is told."""

    def __init__(self) -> None:
        self.driver, self.open, self.orders = Screen(), True, []
        self.counters = type("Counters", (), {"opened": 1, "as_dict": lambda self: {"opened": self.opened}})()
        self.fails = False

    def do(self, action: str, value: str | None = None) -> Future[Any]:
        self.orders.append((action, value))
        done: Future[Any] = Future()
        if self.fails:
            done.set_exception(NoAnswer("没有应答", "no answer"))
        else:
            done.set_result(None)
        return done

    def poll(self) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result({})
        return done


def test_the_plan_is_kept_and_a_hand_on_the_wall_is_left_alone_until_the_plan_changes() -> None:
    owner, moment = Owner(), [at(18)]
    board = Board()
    board.add("wall", "screen", "/dev/x")
    plan = Light(enabled=True, hours=[("07:00", 80), ("19:00", 40)], dark=("23:00", "06:00"))
    keeper = Keeper({"wall": owner}, board, plan, ZONE, 30.0, lambda: moment[0])  # type: ignore[dict-item]
    keeper.beat()
    assert owner.orders == [("blank", "off"), ("brightness", "80")]
    keeper.beat()
    assert len(owner.orders) == 2, "nothing is said twice, whatever a hand did meanwhile"
    moment[0] = at(19)
    keeper.beat()
    assert owner.orders[2:] == [("brightness", "40")]
    moment[0] = at(23)
    keeper.beat()
    assert owner.orders[3:] == [("blank", "on")]
    owner.counters.opened = 2
    keeper.beat()
    assert owner.orders[4:] == [("blank", "on")], "it came back after it was unplugged, and is told again"
    owner.fails, moment[0] = True, at(7)
    keeper.beat()
    keeper.beat()
    assert owner.orders[5:] == [("blank", "off"), ("brightness", "80")], "a dead wall is not hammered"


def test_the_control_socket_answers_its_owner_only_and_survives_nonsense(tmp_path: Path) -> None:
    control = Control(tmp_path, lambda request: {"ok": True, "heard": request["action"]})
    control.start()
    try:
        assert (tmp_path / "run" / "agent.sock").stat().st_mode & 0o777 == 0o600
        assert ask_agent(tmp_path, {"action": "list"})["heard"] == "list"
        assert ask_agent(tmp_path, {"nothing": 1})["ok"] is False
        with socket.socket(socket.AF_UNIX) as rude:
            rude.connect(str(tmp_path / "run" / "agent.sock"))
            rude.sendall(b"\xff\xfe not json\n")
            assert b'"ok": false' in rude.makefile("rb").readline()
    finally:
        control.close()
    with pytest.raises(DeviceError, match="wanmi up"):
        ask_agent(tmp_path, {"action": "list"})
    assert threading.active_count() < 50


def test_the_doctor_tells_of_devices_what_to_do(home: Path) -> None:
    assert [finding.result for finding in check_devices(home)] == ["skipped"]
    add_device(home, checked({"name": "car", "driver": "nmea", "port": "/dev/ttyUSB7"}))
    with (home / "wanmi.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[devices]]\nname = "odd"\ndriver = "nothing"\nport = "/dev/null"\n')
    found = {(finding.check, finding.result): finding for finding in check_devices(home)}
    assert "/dev/serial/by-id" in found["devices.settings", "warning"].zh
    assert "nothing" in found["devices.settings", "failed"].en
    assert "wanmi up" in found["devices.agent", "failed"].zh

    def report(_request: dict[str, Any]) -> dict[str, Any]:
        unwell = {"name": "car", "well": False, "state": "port-missing", "zh": "打不开", "en": "cannot", "rate": None}
        return {"pid": 1, "positions": {"away": True, "waiting": 12}, "devices": [unwell]}

    control = Control(home, report)
    control.start()
    try:
        found = {(finding.check, finding.result): finding for finding in check_devices(home)}
    finally:
        control.close()
    assert "12" in found["devices.agent", "failed"].zh
    assert found["devices.car", "failed"].en == "cannot"
    assert ("devices.odd", "warning") in found
