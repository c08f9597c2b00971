"""Taking calls: few keys, nothing lost, and the next step in the same breath."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cases.desk import place
from tests.nodes import RunningNode
from tests.tui.conftest import Seat, report, seat_at
from tui.intake.screen import IntakeScreen
from tui.seat.files import state_folder

ORDINARY_CALL = 30
"""Keys for an ordinary call, the telephone number included."""


@pytest.fixture
def town(node: RunningNode, tmp_path: Path) -> RunningNode:
    """The node with a road and a house number."""
    file = tmp_path / "places.csv"
    file.write_text("name,type,code,lon,lat\n药城路18号,门牌,M1,113.4005,34.1005\n药城路,街巷,J1,113.4015,34.1005\n")
    command = [sys.executable, "-m", "appliance", "import", "places", str(file), "--home", str(node.home), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["added"] == 2
    return node


async def open_intake(seat: Seat) -> IntakeScreen:
    await seat.keys("f3")
    await seat.until(lambda: isinstance(seat.app.screen, IntakeScreen) and seat.app.focused, "intake")
    await seat.settled()
    screen = seat.app.screen
    assert isinstance(screen, IntakeScreen)
    return screen


async def typed(seat: Seat, *keys: str) -> int:
    """Press keys, waiting for the node after each word; how many keys that was."""
    count = 0
    for key in keys:
        whole = "+" in key or key in ("enter", "down") or (key[0] == "f" and key[1:].isdigit())
        count += 1 if whole else len(key)
        await seat.keys(key)
        await seat.settled()
    return count


def newest(node: RunningNode) -> dict[str, Any]:
    found: dict[str, Any] = node.client("z1").get("/api/v1/cases?limit=1").json()["items"][0]
    return found


def test_an_ordinary_call_takes_few_keys(town: RunningNode) -> None:
    """ASCII keys only: number, class by letters, road and house number by letters; then a template key."""

    async def story() -> list[int]:
        counts = []
        async with seat_at(town, "s1") as seat:
            await open_intake(seat)
            counts.append(
                await typed(seat, "13812341234", "enter", "wsjg", "enter", "enter", "ycl18", "enter", "enter")
            )
            await seat.until(lambda: "已登记" in seat.banner, "registered")
            await open_again(seat)
            counts.append(await typed(seat, "13812341235", "ctrl+t", "1", "ycl18", "enter", "enter"))
            await seat.until(lambda: "已登记" in seat.banner, "registered by template")
        return counts

    async def open_again(seat: Seat) -> None:
        await seat.keys("escape")
        await seat.until(lambda: type(seat.app.screen).__name__ == "DeskScreen", "desk")
        await open_intake(seat)

    report(town)
    counts = asyncio.run(story())
    print(f"keys for an ordinary call: {counts[0]} by letters, {counts[1]} by template (both with 11 of the number)")
    assert max(counts) <= ORDINARY_CALL
    case = newest(town)
    assert case["address"].endswith("药城路18号")
    assert case["code"] == "01002"
    assert case["description"]


def test_what_was_typed_survives_a_crash_and_is_registered_once(town: RunningNode) -> None:
    """The line drops while the caller talks; at the next sign-in the draft is there, and the phrase is written out."""

    async def before() -> None:
        async with seat_at(town, "s1") as seat:
            await open_intake(seat)
            await typed(seat, "13800001111", "enter", "wsjg", "enter", "down", "enter", "ycl18", "enter", "yaqyh")
            assert seat.app.screen.row("condition").value == "2"

    async def after() -> None:
        async with seat_at(town, "s1") as seat:
            screen = await open_intake(seat)
            assert "已恢复" in seat.banner
            assert screen.row("phone").value == "13800001111"
            await seat.until(lambda: screen.row("condition").value == "2", "the condition that was chosen")
            assert "药城路" in screen.row("place").value or screen.place is not None
            screen.row("description").focus_line()
            await typed(seat, "down", "enter")
            await seat.until(lambda: "已登记" in seat.banner, "registered")

    asyncio.run(before())
    (kept,) = state_folder().glob("draft-*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    asyncio.run(after())
    assert not list(state_folder().glob("draft-*.json")), "nothing of the caller stays on the seat"
    case = newest(town)
    assert case["description"].endswith("有安全隐患")
    assert case["name"] in case["description"]


def test_the_next_step_goes_with_the_registration(node: RunningNode) -> None:
    """Merged into the duplicate, sent to the collector, a question answered: one key each."""

    async def story() -> None:
        async with seat_at(node, "s1") as seat:
            await open_intake(seat)
            await typed(seat, "13800000001", "enter", "wsjg", "enter", "enter", "113.4005,34.1005")
            await seat.until(lambda: "F5" in dict(seat.key_line), "the duplicate is offered")
            await typed(seat, "f5")
            await seat.until(lambda: "已并案" in seat.banner or "并案" in seat.banner, "merged")
            await typed(seat, "13800000002", "enter", "wsjg", "enter", "enter", far, "f6")
            await seat.until(lambda: "核实中" in seat.banner, "sent to be verified")
            await typed(seat, "13800000003", "enter", "wsjg", "enter", "enter", far, "ctrl+y", "1")
            await seat.until(lambda: "咨询" in seat.banner or "答复" in seat.banner, "answered")
            await typed(seat, "f8")
            await seat.until(lambda: "角色" in seat.banner, "filing at once is for a shift leader who accepts")

    where = place(9.5)
    far = f"{where['lon']},{where['lat']}"
    first = str(report(node)["number"])
    asyncio.run(story())
    cases = node.client("z1").get("/api/v1/cases?limit=3").json()["items"]
    assert [case["state"] for case in cases] == ["answered", "verifying", "merged"]
    assert cases[2]["merged_into"] == first


def test_a_ringing_telephone_does_not_overwrite_a_draft(node: RunningNode) -> None:
    async def story() -> None:
        async with seat_at(node, "s1") as seat:
            screen = await open_intake(seat)
            await typed(seat, "13800000009", "enter", "wsjg")
            node.client("s1").post("/api/v1/calls", json={"number": "13911112222", "seat": "s1"})
            await seat.until(lambda: "13911112222" in seat.banner, "the new caller is told")
            assert screen.row("phone").value == "13800000009"
            await typed(seat, "ctrl+n")
            assert screen.row("phone").value == "13911112222", "the caller who waited comes in"

    asyncio.run(story())


def test_a_seat_whose_disk_is_full_says_so_and_goes_on(node: RunningNode, tmp_path: Path) -> None:
    """The draft cannot be kept: the operator reads it and can register all the same."""
    (tmp_path / "state").write_text("a file where a folder should be")

    async def story() -> None:
        async with seat_at(node, "s1") as seat:
            await open_intake(seat)
            await typed(seat, "13800000010")
            assert "草稿无法保存" in seat.banner

    asyncio.run(story())
