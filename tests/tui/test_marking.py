"""Many cases at once, paper, and what time alone changes."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from tests.cases.desk import place
from tests.nodes import RunningNode
from tests.tui.conftest import report, seat_at
from tests.tui.test_desk import filed, go_to
from tui.seat.files import state_folder


def test_a_dispatcher_sends_many_cases_with_one_form(node: RunningNode) -> None:
    """Three marked, one of them taken by somebody else meanwhile: two go, the third tells why and stays marked."""
    numbers = [filed(node) for _ in range(3)]

    async def story() -> None:
        async with seat_at(node, "p1") as seat:
            await seat.keys("M")
            await seat.until(lambda: "已标 3" in seat.screen_text(), "three are marked")
            await seat.until(lambda: "d" in dict(seat.key_line), "what all of them allow is on the key line")
            await seat.settled()
            await seat.keys("d")
            await seat.on_form()
            assert "各按建议部门" in seat.screen_text()
            assert node.act("p1", numbers[0], "note", note="同时有人备注").is_success
            await seat.keys("szgls", "enter", "ctrl+s")
            await seat.until(lambda: type(seat.app.screen).__name__ == "ToldScreen", "what was refused is told")
            await seat.until(lambda: "成功 2 件，被拒 1 件" in seat.screen_text(), "the counts")
            assert "已被他人更新" in seat.screen_text()
            await seat.keys("escape")
            await seat.until(lambda: "已标 1" in seat.screen_text(), "the refused one stays marked")
            await seat.keys("escape")
            await seat.until(lambda: "已标" not in seat.screen_text(), "no marks")

    asyncio.run(story())
    states = [node.client("z1").get(f"/api/v1/cases/{number}").json()["state"] for number in numbers]
    assert sorted(states) == ["dispatched", "dispatched", "filed"]


def test_the_slip_is_printed_or_saved(node: RunningNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a print command the text goes to it; without one the page lies in the seat's own folder."""
    number = filed(node)
    assert node.act("p1", number, "dispatch", department="D01").is_success
    paper, printer = tmp_path / "paper.txt", tmp_path / "printer"
    printer.write_text(f"#!/bin/sh\ncat > {paper}\n")
    printer.chmod(printer.stat().st_mode | stat.S_IXUSR)

    async def story(wanted: str) -> None:
        async with seat_at(node, "z1") as seat:
            await seat.keys("right_square_bracket")
            await seat.settled()
            await go_to(seat, number)
            await seat.keys("P")
            await seat.until(lambda: wanted in seat.banner, wanted)

    asyncio.run(story("派遣单已存为"))
    assert number in (state_folder() / "slips" / f"{number}.html").read_text()
    monkeypatch.setenv("WANMI_PRINT", f"{printer} -d hall")
    asyncio.run(story("已送打印"))
    assert "市政管理所" in paper.read_text()
    monkeypatch.setenv("WANMI_PRINT", "/no/such/printer")
    asyncio.run(story("没有打印"))


def test_a_case_that_becomes_overdue_rings_once(node: RunningNode) -> None:
    """No operator and no feed did anything: only time went on."""
    report(node, **place(3.5))

    async def story() -> None:
        async with seat_at(node, "s1") as seat:
            rung: list[int] = []
            seat.app.bell = lambda: rung.append(1)  # type: ignore[method-assign]  # a terminal's bell cannot be heard
            desk = seat.app.screen
            await seat.settled()
            overdue = desk.summary["overdue"]
            make_overdue(node)
            for _ in range(100):  # the node counts anew when its figures are some seconds old
                desk.look_at_clock()
                await seat.settled()
                if desk.summary["overdue"] == overdue + 1:
                    break
                await seat.pilot.pause(0.1)
            await seat.until(lambda: "新超期 1" in seat.banner, "told")
            desk.look_at_clock()
            await seat.settled()
            assert rung == [1]

    asyncio.run(story())


def make_overdue(node: RunningNode) -> None:
    """Let the accept clock of every case run out, as half an hour would."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(node.home / "county.db")) as connection, connection:
        connection.execute("UPDATE cases SET due_at = due_at - 7200000000")
