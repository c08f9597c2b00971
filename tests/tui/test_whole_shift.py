"""A whole shift of one operator at night, by keys only; what became of every case is read over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cases.desk import place
from tests.homes import PASSWORD
from tests.nodes import RunningNode
from tests.tui.conftest import Seat, report, seat_at
from tests.tui.test_desk import go_to
from tests.tui.test_shift import go_to_shift, on_form
from tui.app import Console
from tui.intake.screen import IntakeScreen
from tui.map.pane import MapPane

NIGHT = "q1"
"""The account of somebody who is acceptor, shift leader and dispatcher at once, as counties have them at night."""
CALLS = ("ordinary", "duplicate", "unknown address", "question", "by template", "event")
EACH_AT_MOST = 30


def wanmi(node: RunningNode, *arguments: str) -> str:
    command = [sys.executable, "-m", "appliance", *arguments, "--home", str(node.home)]
    environment = {**os.environ, "WANMI_PASSWORD": PASSWORD}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def county(node: RunningNode, tmp_path: Path) -> RunningNode:
    """The furnished county with two addresses and somebody for the night."""
    addresses = tmp_path / "places.csv"
    far = place(9.5)
    addresses.write_text(
        f"name,type,code,lon,lat\n药城路18号,门牌,M1,113.4005,34.1005\n滨河路7号,门牌,M2,{far['lon']},{far['lat']}\n"
    )
    assert json.loads(wanmi(node, "import", "places", str(addresses), "--json"))["added"] == 2
    wanmi(node, "users", "add", NIGHT, "--name", "夜班", "--roles", "acceptor|shift_leader|dispatcher")
    report(node, description="昨天的案件", **place(4.5))
    return node


class Counted(Seat):
    """A seat that counts keys."""

    def __init__(self, app: Console, seat: Seat) -> None:
        super().__init__(app, seat.pilot)
        self.pressed = 0

    async def keys(self, *keys: str) -> None:
        for key in keys:
            named = key in ("enter", "escape", "down", "space", "right_square_bracket") or "+" in key
            self.pressed += 1 if named or (key[0] == "f" and key[1:].isdigit()) else len(key)
        await super().keys(*keys)

    async def slowly(self, *keys: str) -> None:
        """As an operator who looks up after every word."""
        for key in keys:
            await self.keys(key)
            await self.settled()


async def night(node: RunningNode) -> tuple[Counter[str], dict[str, str]]:
    """The shift; how many keys each piece of work took, and the numbers of its cases."""
    counts: Counter[str] = Counter()
    numbers: dict[str, str] = {}
    async with seat_at(node, NIGHT) as bare:
        seat = Counted(bare.app, bare)

        async def counted(name: str, *keys: str) -> None:
            before = seat.pressed
            await seat.slowly(*keys)
            counts[name] += seat.pressed - before

        await go_to_shift(seat)
        await seat.keys("s")
        await on_form(seat)
        await seat.keys("ctrl+s")
        await seat.until(lambda: "已签到" in seat.banner, "signed on")

        await seat.keys("f3")
        await seat.until(lambda: isinstance(seat.app.screen, IntakeScreen) and seat.app.focused, "intake")
        await seat.settled()
        await counted(CALLS[0], "13800000001", "enter", "wsjg", "enter", "enter", "ycl18", "enter", "f6")
        numbers[CALLS[0]] = await registered(seat, node, "核实中")
        await counted(CALLS[1], "13800000002", "enter", "wsjg", "enter", "enter", "ycl18", "enter", "f5")
        numbers[CALLS[1]] = await registered(seat, node, "并案")
        await counted(CALLS[2], "13800000003", "enter", "wsjg", "enter", "enter", "xmlbcz", "enter", "enter")
        assert "请填写 地点" in seat.banner, "an address nobody knows is asked for, not guessed"
        await seat.keys("f4")
        await seat.until(lambda: type(seat.app.screen).__name__ == "PickPlaceScreen", "the map")
        await seat.until(lambda: seat.app.screen.query_one(MapPane).cross is not None, "the county is drawn")
        await seat.settled()
        await counted(CALLS[2], "right", "right", "enter", "f8", "1")
        numbers[CALLS[2]] = await registered(seat, node, "待派遣")
        await counted(CALLS[3], "13800000004", "enter", "wsjg", "enter", "enter", "bhl7", "enter", "ctrl+y", "1")
        numbers[CALLS[3]] = await registered(seat, node, "答复")
        await counted(CALLS[4], "13800000005", "ctrl+t", "1", "bhl7", "enter", "f8", "1")
        numbers[CALLS[4]] = await registered(seat, node, "待派遣")
        await counted(CALLS[5], "13800000006", "enter", "bllj", "enter", "enter", "bhl7", "enter", "enter")
        numbers[CALLS[5]] = await registered(seat, node, "已上报")

        await seat.keys("escape")
        await seat.until(lambda: type(seat.app.screen).__name__ == "DeskScreen", "desk")
        await seat.slowly("N")
        await go_to(seat, numbers[CALLS[4]])
        await counted("dispatch", "d")
        await on_form(seat)
        await counted("dispatch", "szgls", "enter", "ctrl+s")
        await seat.until(lambda: (seat.selected or {}).get("state") == "dispatched", "dispatched")
        await go_to(seat, numbers[CALLS[2]])
        await counted("supervise", "u")
        await on_form(seat)
        await counted("supervise", "qjkcz", "down", "enter", "ctrl+s")
        await seat.until(lambda: (seat.selected or {}).get("supervisions"), "supervised")

        asked(node, numbers[CALLS[4]], "d1", "extension", "需要调配材料")
        asked(node, numbers[CALLS[5]], "s2", "void", "重复案件")
        await seat.keys("ctrl+p")
        await seat.until(lambda: type(seat.app.screen).__name__ == "PaletteScreen", "the palette")
        await seat.slowly("dwsp", "enter")
        await seat.until(lambda: len(seat.app.screen.queue.records) == 2, "two requests wait")
        await go_to(seat, numbers[CALLS[4]])
        await counted("approve an extension", "A")
        await on_form(seat)
        await counted("approve an extension", "ctrl+s")
        await seat.until(lambda: not waiting(node, numbers[CALLS[4]]), "approved")
        await seat.settled()
        await go_to(seat, numbers[CALLS[5]])
        await counted("reject a void", "A")
        await on_form(seat)
        await counted("reject a void", "bty", "enter", "ctrl+s")
        await seat.until(lambda: not waiting(node, numbers[CALLS[5]]), "rejected")
        await seat.settled()

        await go_to_shift(seat)
        await counted("hand over", "o")
        await on_form(seat)
        await counted("hand over", "dai hui fang", "enter")
        await seat.until(lambda: "等待接班" in seat.banner, "handed over")
    return counts, numbers


async def registered(seat: Seat, node: RunningNode, state: str) -> str:
    """Wait for the banner; the number of the newest case."""
    await seat.until(lambda: "已登记" in seat.banner and state in seat.banner, f"registered: {state}")
    await seat.settled()
    return str(node.client("z1").get("/api/v1/cases?limit=1").json()["items"][0]["number"])


def asked(node: RunningNode, number: str, account: str, kind: str, reason: str) -> None:
    """Somebody else asks for something, as departments do from their own seats."""
    answer = node.client(account).post(f"/api/v1/cases/{number}/requests", json={"kind": kind, "reason": reason})
    assert answer.status_code in (200, 201), answer.text


def waiting(node: RunningNode, number: str) -> bool:
    requests = node.client("z1").get(f"/api/v1/cases/{number}").json()["requests"]
    return any(request["waiting_for"] for request in requests)


@pytest.mark.long
def test_a_whole_shift_by_keys(county: RunningNode) -> None:
    counts, numbers = asyncio.run(night(county))
    for name, count in counts.items():
        print(f"{count:3d} keys: {name}")
    assert all(counts[name] <= EACH_AT_MOST + 11 for name in CALLS)
    assert max(counts[name] for name in (CALLS[0], CALLS[1], CALLS[4])) <= EACH_AT_MOST

    cases: dict[str, dict[str, Any]] = {
        name: county.client("z1").get(f"/api/v1/cases/{number}").json() for name, number in numbers.items()
    }
    states = {name: case["state"] for name, case in cases.items()}
    assert states == {
        "ordinary": "verifying", "duplicate": "merged", "unknown address": "filed", "question": "answered",
        "by template": "dispatched", "event": "reported",
    }  # fmt: skip
    assert cases["duplicate"]["merged_into"] == numbers["ordinary"]
    assert cases["by template"]["extensions"] == 1
    assert [request["approved"] for request in cases["event"]["requests"]] == [False]
    assert [item["cleared_at"] for item in cases["unknown address"]["supervisions"]] == [None]
    assert cases["ordinary"]["collector"] == "l1"
    (handover,) = county.client("z1").get("/api/v1/handovers").json()["items"]
    assert handover["account"] == NIGHT
