"""The devices screen by keys: a wall is dimmed, a notice goes out and ends, what is unwell is seen at once."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.i18n.labels import Labels, table
from devices.agent.board import WELL
from devices.errors import DeviceError
from tests.nodes import RunningNode
from tests.server.test_vehicles import key_of
from tests.tui import fake_devices
from tests.tui.conftest import Seat, seat_at
from tests.tui.fake_devices import LONG, device
from tui.app import Console
from tui.cells import cell_len
from tui.equipment.ledger import commands_text, messages_text
from tui.equipment.screen import DevicesScreen
from tui.equipment.text import device_rows, device_text, summary
from tui.screens.pick import PickScreen
from tui.widgets.line_pane import LinePane
from tui.widgets.rows import Rows

SIZES = [(80, 24), (120, 36)]
TOLD_BY_NODE = ("agent", "heard", "told_at")
Story = Callable[[Seat], Awaitable[None]]


class Agent:
    """A device agent, played over HTTP: it tells how its devices stand and answers what it is asked to do."""

    def __init__(self, node: RunningNode, name: str) -> None:
        key = key_of(node.home, "device", name)
        self.client = httpx.Client(base_url=node.url, headers={"Authorization": f"Bearer {key}"})

    def tell(self, *devices: dict[str, Any]) -> None:
        """How the devices stand."""
        told = [{key: value for key, value in item.items() if key not in TOLD_BY_NODE} for item in devices]
        positions = {"sent": 0, "refused": 0, "waiting": 0, "away": False}
        body = {"at": datetime.now(UTC).isoformat(), "pid": 1, "devices": told, "positions": positions}
        assert self.client.post("/api/v1/devices", json=body).status_code == 204

    def waiting(self) -> list[dict[str, Any]]:
        """What is to be done."""
        found: list[dict[str, Any]] = self.client.get("/api/v1/devices/commands", params={"waiting": "true"}).json()[
            "items"
        ]
        return found

    def answer(self, key: int, *, ok: bool = True, zh: str = "", en: str = "", **facts: Any) -> None:
        """What came of a command."""
        body = {"ok": ok, "answer": {"facts": facts}, "zh": zh, "en": en}
        assert self.client.post(f"/api/v1/devices/commands/{key}/answer", json=body).status_code == 200


@pytest.fixture
def agent(shared_node: RunningNode, request: pytest.FixtureRequest) -> Iterator[Agent]:
    """An agent with a wall and a strip that are well."""
    made = Agent(shared_node, request.node.name)
    made.tell(WALL, STRIP)
    yield made
    made.tell()
    made.client.close()


WALL = next(item for item in fake_devices.DEVICES if item["driver"] == "novastar")
STRIP = device("strip", "onbon", "answers", actions=[*fake_devices.SIGN, fake_devices.TEXT])


async def open_devices(seat: Seat) -> DevicesScreen:
    """Go to the screen by the palette."""
    await seat.keys("ctrl+p")
    await seat.until(lambda: type(seat.app.screen).__name__ == "PaletteScreen", "the palette")
    await seat.keys("sb", "enter")
    await seat.until(lambda: isinstance(seat.app.screen, DevicesScreen), "the devices")
    await seat.settled()
    return seat.app.screen  # type: ignore[return-value]  # just seen


def play(node: RunningNode, account: str, story: Story, size: tuple[int, int] = (120, 36)) -> None:
    """Play a story at a seat that stands on the devices screen."""

    async def whole() -> None:
        async with seat_at(node, account, size) as seat:
            await open_devices(seat)
            await story(seat)

    asyncio.run(whole())


async def put_cursor(seat: Seat, name: str) -> None:
    """Go down to a device."""
    screen = seat.app.screen
    assert isinstance(screen, DevicesScreen)
    for _ in range(screen.rows.row_count):
        if screen.device and screen.device["name"] == name:
            return
        await seat.keys("down")
        await seat.settled()
    raise AssertionError(f"{name} is not on the screen")


async def asked(seat: Seat, agent: Agent) -> dict[str, Any]:
    """The command that the agent is given."""
    found: list[dict[str, Any]] = []

    async def look() -> None:
        while not found:
            found.extend(await asyncio.to_thread(agent.waiting))
            await seat.pilot.pause(0.02)

    await asyncio.wait_for(look(), 20)
    return found[0]


def test_a_shift_leader_dims_the_wall(shared_node: RunningNode, agent: Agent) -> None:
    async def story(seat: Seat) -> None:
        await put_cursor(seat, LONG)
        assert "亮度 60" in seat.screen_text()
        assert ("b", "亮度") in seat.key_line
        await seat.keys("b")
        await seat.on_form()
        assert "0-100" in seat.screen_text()
        await seat.keys("35", "enter")
        command = await asked(seat, agent)
        assert (command["device"], command["action"], command["value"]) == (LONG, "brightness", "35")
        await seat.until(lambda: "已向" in seat.banner and "发出" in seat.banner, "it is on its way")
        status = {**WALL["facts"]["status"], "brightness": 35}
        await asyncio.to_thread(agent.tell, {**WALL, "facts": {"status": status}}, STRIP)
        await asyncio.to_thread(agent.answer, command["id"], brightness=35)
        await seat.until(lambda: "已完成" in seat.banner, "the wall did it")
        await seat.settled()
        await seat.until(lambda: "亮度 35" in seat.screen_text(), "and says so itself")
        assert re.search(rf"完成\s+值班长一\s+{LONG}\s+亮度 35", seat.screen_text())
        await seat.keys("question_mark")
        await seat.until(lambda: "恢复" in seat.screen_text() and "详情上翻" in seat.screen_text(), "help has the keys")

    play(shared_node, "z1", story)


def test_an_urgent_notice_goes_to_all_signs_and_is_ended(shared_node: RunningNode, agent: Agent) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys("u")
        await seat.on_form()
        await seat.keys("30 minutes no water", "enter", "enter")
        command = await asked(seat, agent)
        told = (command["device"], command["action"], command["value"])
        assert told == ("signs", "notice", "[30] 30 minutes no water"), "a number in the text is no time"
        await asyncio.to_thread(agent.answer, command["id"], signs="strip")
        await seat.until(lambda: "已完成" in seat.banner, "shown")
        await seat.settled()
        assert re.search(r"完成\s+值班长一\s+全部条屏\s+紧急通知 \[30", seat.screen_text())
        await seat.keys("U")
        command = await asked(seat, agent)
        assert (command["device"], command["action"], command["value"]) == ("signs", "normal", None)
        await asyncio.to_thread(
            agent.answer,
            command["id"],
            ok=False,
            zh="没有可显示文字的设备。",
            en="There is no device that shows a text.",
        )
        await seat.until(lambda: "没有可显示文字" in seat.banner, "the sentence of the agent")
        await seat.until(lambda: re.search(r"失败\s+值班长一\s+全部条屏\s+恢复", seat.screen_text()), "in the ledger")
        await seat.keys("u")
        await seat.on_form()
        await seat.keys("storm", "enter", "ctrl+u", "soon", "enter")
        await seat.until(lambda: "分钟须为整数" in seat.banner, "a sentence")
        assert agent.waiting() == []

    play(shared_node, "z1", story)


def test_an_action_with_words_is_picked(shared_node: RunningNode, agent: Agent) -> None:
    async def story(seat: Seat) -> None:
        await put_cursor(seat, "strip")
        await seat.keys("enter")
        await seat.until(lambda: isinstance(seat.app.screen, PickScreen) and "黑屏" in seat.screen_text(), "actions")
        await seat.keys("4")
        await seat.until(lambda: "off" in seat.screen_text(), "its words")
        await seat.keys("1")
        command = await asked(seat, agent)
        assert (command["device"], command["action"], command["value"]) == ("strip", "blank", "on")
        await asyncio.to_thread(agent.answer, command["id"], blank=True)
        await seat.until(lambda: "已完成" in seat.banner, "done")
        await seat.keys("i")
        command = await asked(seat, agent)
        assert (command["action"], command["value"]) == ("status", None)
        await asyncio.to_thread(agent.answer, command["id"])

    play(shared_node, "z1", story)


def test_an_acceptor_sees_but_may_not(shared_node: RunningNode, agent: Agent) -> None:
    async def story(seat: Seat) -> None:
        assert "strip" in seat.screen_text()
        assert {key for key, _ in seat.key_line} == {"J", "N", "Esc", "?"}
        for key in ("b", "a", "u"):
            await seat.keys("N")
            await seat.settled()
            assert seat.banner == ""
            await seat.keys(key)
            await seat.until(lambda: "只有值班长" in seat.banner, f"why {key} does nothing")
        assert agent.waiting() == []

    play(shared_node, "s1", story)


def test_a_department_is_not_offered_the_screen(shared_node: RunningNode) -> None:
    async def story() -> None:
        async with seat_at(shared_node, "d1") as seat:
            await seat.keys("ctrl+p")
            await seat.until(lambda: type(seat.app.screen).__name__ == "PaletteScreen", "the palette")
            await seat.keys("sb")
            await seat.settled()
            assert "设备" not in seat.screen_text()

    asyncio.run(story())


def test_where_nothing_is_set_up_the_screen_says_how(shared_node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.until(lambda: "wanmi devices probe" in seat.screen_text(), "how")
        assert "设备 0  异常 0" in seat.screen_text()
        await seat.keys("b", "i", "a", "J", "K")
        await seat.keys("f9")
        await seat.until(lambda: "seen on their ports" in seat.screen_text(), "in English")
        await seat.keys("f9", "escape")
        await seat.until(lambda: type(seat.app.screen).__name__ == "DeskScreen", "back at the desk")

    play(shared_node, "z1", story, (80, 24))


# Without a node of its own.


def console(**other: Any) -> Console:
    """A console on the canned node, with some answers of its own."""

    def answered(request: httpx.Request) -> httpx.Response:
        if request.url.path in other:
            return httpx.Response(200, json=other[request.url.path])
        return fake_devices.answer(request)

    return Console("http://node", transport=httpx.MockTransport(answered))


def test_what_is_unwell_stands_first_with_its_sentence_and_what_failed_below() -> None:
    async def run() -> None:
        app = console()
        async with app.run_test(size=(120, 36)) as pilot:
            seat = Seat(app, pilot)
            await seat.sign_in("z1")
            screen = await open_devices(seat)
            text = seat.screen_text()
            assert [row.split()[1] for row in text.splitlines()[2:4]] == ["depot", "strip"]
            assert "设备代理 depot 自 11-22 10:00 起没有消息" in text
            assert "未送达 3  设备 5  异常 2" in text
            assert re.search(r"失败\s+值班长一\s+全部条屏.*\n\s+没有可显示文字的设备。", text)
            await seat.keys("down")
            await seat.settled()
            assert screen.device is not None
            assert screen.device["name"] == "strip"
            assert "RS485 的 A、B 线是否接反" in seat.screen_text()
            await seat.keys("J", "J")
            await seat.until(lambda: "120 分钟前" in seat.screen_text(), "who is silent")
            assert re.search(
                r"多次失败已放弃\s+名字特别长.*4110812026112200008\n\s+没有可用的短信设备。", seat.screen_text()
            )

    asyncio.run(run())


def test_a_screen_on_which_nothing_changed_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three seconds later the same answers; then one device has another state, and its row is drawn."""
    answers = {"/api/v1/devices": {"items": list(fake_devices.DEVICES), "agents": []}}
    drawn: list[str] = []

    async def run() -> None:
        app = console(**answers)
        async with app.run_test(size=(80, 24)) as pilot:
            seat = Seat(app, pilot)
            await seat.sign_in("z1")
            screen = await open_devices(seat)
            for kind in (Rows, LinePane):
                refresh = kind.refresh

                def noted(self: Any, *regions: Any, _refresh: Any = refresh, **more: Any) -> Any:
                    if not getattr(self, "_held", False):
                        drawn.extend(
                            f"{type(self).__name__} {region.height}" for region in regions or [self.size.region]
                        )
                    return _refresh(self, *regions, **more)

                monkeypatch.setattr(kind, "refresh", noted)
            seen = screen.told
            screen._look_again()
            await seat.until(lambda: screen.told is not seen, "read again")
            await seat.settled()
            assert drawn == []
            changed = {**answers["/api/v1/devices"]["items"][0], "state": "no_fix", "well": False, "zh": "没有定位"}
            answers["/api/v1/devices"]["items"][0] = changed
            seen = screen.told
            screen._look_again()
            await seat.until(lambda: "没有定位" in seat.screen_text(), "the car has no fix")
            assert "Rows 9" in drawn, "it goes up to the unwell ones, so the table is drawn"
            await seat.settled()
            drawn.clear()
            answers["/api/v1/devices"]["items"][0] = {**changed, "zh": "仍然没有定位"}
            screen._look_again()
            await seat.until(lambda: "仍然没有" in seat.screen_text(), "another sentence")
            assert [item for item in drawn if item.startswith("Rows")] == ["Rows 1"]

    asyncio.run(run())


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [60, 78, 118])
def test_no_line_is_too_long_and_no_column_is_pushed(language: str, width: int) -> None:
    labels = Labels(language)
    for item in fake_devices.DEVICES:
        text = device_text(item, labels, width)
        text.append(commands_text(fake_devices.COMMANDS, fake_devices.DEVICES, labels, width))
        text.append(messages_text(fake_devices.MESSAGES, labels, width))
        assert max(cell_len(line) for line in text.plain.splitlines()) <= width
    columns, rows = device_rows(fake_devices.DEVICES, labels)
    assert all(cell_len(column.label) < (column.width or 99) for column in columns)
    assert all(cell_len(row.cells[0][0]) < columns[0].width for row in rows)


def test_odd_facts_of_an_agent_break_nothing() -> None:
    labels = Labels("en")
    for facts in ({"TPV": {}}, {"TPV": {"lat": "x", "lon": None}}, {"status": {"a": None, "b": [1], "c": True}}):
        item = device("car", "nmea", "3d", facts=facts)
        assert isinstance(summary(item, labels), str)
        assert device_text(item, labels, 40).plain.startswith("car")
    odd = device("car", "nmea", "3d", facts={"TPV": {"lat": 34, "lon": 113, "speed": None}, "SKY": {"uSat": "many"}})
    assert summary(odd, labels) == "113.00000,34.00000"
    assert summary(device("x", "raw", "answers", facts={"status": {"zzz": 1, "brightness": 20}}), labels) == (
        "brightness 20  zzz 1"
    )


def test_two_agents_may_have_a_device_of_the_same_name() -> None:
    twins = [device("car", "nmea", "3d", agent=agent) for agent in ("east", "west")]
    _, rows = device_rows(twins, Labels("zh"))
    assert len({row.key for row in rows}) == 2


def test_every_state_and_label_stands_in_the_table() -> None:
    root = Path(__file__).resolve().parents[2]
    used: set[str] = set()
    for name in ("screen.py", "text.py", "ledger.py", "calls.py"):
        source = (root / "tui" / "equipment" / name).read_text(encoding="utf-8")
        used |= set(re.findall(r"""(?<!id=)["'](devices\.[a-z_]+)["']""", source))
    assert used - table().keys() == set()
    assert len(used) > 25
    states = {*WELL, "starting", *(kind.kind for kind in DeviceError.__subclasses__())}
    unsaid = {state for state in states if f"devices.state.{state}" not in table()}
    assert unsaid == {"not-supported", "bad-value", "bad-setup"}, "these are answers to commands and no states"


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are made on Python 3.11")
@pytest.mark.parametrize("size", SIZES)
def test_the_picture(snap_compare: Any, size: tuple[int, int]) -> None:
    """Unwell devices first, a name that is too long, commands and messages that came to nothing."""

    async def story(pilot: Any) -> None:
        seat = Seat(pilot.app, pilot)
        await seat.sign_in("z1")
        await open_devices(seat)
        await seat.keys("down")
        await seat.settled()

    assert snap_compare(console(), terminal_size=size, run_before=story)
