"""The system screen: the technician and the shift leader see how the box is."""

from __future__ import annotations

import asyncio

from appliance.i18n.labels import Labels
from tests.nodes import RunningNode
from tests.tui.conftest import Seat, seat_at
from tui.figures.patrols import patrols_text


def test_the_shift_leader_sees_the_findings_and_runs_a_job(shared_node: RunningNode) -> None:
    async def run() -> None:
        async with seat_at(shared_node, "z1") as seat:
            await open_system(seat)
            await seat.until(lambda: "正常" in seat.screen_text(), "the findings")
            assert "没有设置备份" in seat.screen_text(), "the first warning is of what is not done yet"
            await seat.keys("end")
            await seat.until(lambda: "daily 05:30" in seat.screen_text(), "the jobs with their plans")
            await seat.keys("j", "1")
            await seat.until(lambda: "已完成" in seat.banner, "the job ran")
            await seat.keys("escape")
            await seat.until(lambda: type(seat.app.screen).__name__ == "DeskScreen", "back at the desk")

    asyncio.run(run())


def test_an_acceptor_reads_why_there_is_no_more(shared_node: RunningNode) -> None:
    async def run() -> None:
        async with seat_at(shared_node, "s1", size=(80, 24)) as seat:
            await open_system(seat)
            await seat.until(
                lambda: "seq" in seat.screen_text() and "没有所需的角色" in seat.screen_text(), "the reason"
            )

    asyncio.run(run())


async def open_system(seat: Seat) -> None:
    await seat.keys("ctrl+p")
    await seat.until(lambda: type(seat.app.screen).__name__ == "PaletteScreen", "the palette")
    await seat.keys("xt", "enter")
    await seat.until(lambda: type(seat.app.screen).__name__ == "SystemScreen", "the system screen")
    await seat.settled()


def test_the_worst_duty_grids_stand_under_the_numbers() -> None:
    rounds = {"rounds_done": 0, "rounds_due_now": 1, "rounds_due": 2}
    worst = {"name": "名字特别长的颍川街道药城社区责任网格", "collector_name": None, "share": 0.4567, **rounds}
    patrols = {
        "counted_at": "2026-10-09T05:00:00Z", "rounds_done": 12, "rounds_due_now": 14, "rounds_due": 28, "behind": 2,
        "passed": 900, "grids": 1000, "share": 0.9, "alarms": {"behind": 2, "silent": 0, "camera": 3}, "worst": [worst],
    }  # fmt: skip
    lines = patrols_text(patrols, Labels("en")).plain.splitlines()
    assert lines[1].split() == ["Rounds", "walked", "today", "12", "14", "due", "by", "now,", "28", "in", "the", "day"]
    assert lines[2].endswith("90.0%  900/1000")
    assert [line.split()[-1] for line in lines[3:6]] == ["2", "0", "3"]
    assert lines[6].split()[-3:] == ["-", "0/1", "46%"]


def test_the_figures_and_the_shift_tell_of_the_patrols(shared_node: RunningNode) -> None:
    async def run() -> None:
        async with seat_at(shared_node, "z1") as seat:
            await seat.keys("ctrl+p")
            await seat.until(lambda: type(seat.app.screen).__name__ == "PaletteScreen", "the palette")
            await seat.keys("tj", "enter")
            await seat.until(lambda: "今日巡查轮次" in seat.screen_text(), "the rounds of today")
            assert "全天 4" in seat.screen_text(), "two duty grids, twice a day"
            assert "巡查尚未统计" in seat.screen_text(), "nobody sent a position yet"
            await seat.keys("f11")
            await seat.until(lambda: "巡查" in seat.screen_text() and "告警" in seat.screen_text(), "the alarms")
        async with seat_at(shared_node, "s1") as seat:
            await seat.keys("f11")
            await seat.until(lambda: "我未签到" in seat.screen_text(), "an acceptor's shift")
            assert "告警" not in seat.screen_text()

    asyncio.run(run())


def test_figures_open_by_their_letters(shared_node: RunningNode) -> None:
    async def run() -> None:
        async with seat_at(shared_node, "z1") as seat:
            await seat.keys("ctrl+p")
            await seat.until(lambda: type(seat.app.screen).__name__ == "PaletteScreen", "the palette")
            await seat.keys("tj", "enter")
            await seat.until(lambda: type(seat.app.screen).__name__ == "ScoresScreen", "the figures")
            await seat.until(lambda: "今日上报" in seat.screen_text(), "reported today")
            await seat.keys("N", "escape")
            await seat.until(lambda: type(seat.app.screen).__name__ == "DeskScreen", "back at the desk")

    asyncio.run(run())
