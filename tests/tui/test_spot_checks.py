"""The assessor draws by lot, enters what was found, and takes the month's settlement out as a table."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest

from appliance.settings import save
from tests import homes
from tests.cases.desk import Desk
from tests.nodes import RunningNode
from tests.server.test_scores import LAST_MONTH
from tests.tui.conftest import Seat
from tests.tui.test_oversight import play, read
from tui.papers.saving import paper_file

CONTRACT = {"contractor": "=采集公司", "monthly_fee": 1000.0, "deposits": {"D01": 2000.0}, "shares": {"0": 0.5}}


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A county with a contract, in which a case was closed last month."""
    home = homes.copy_home(tmp_path_factory.mktemp("spots") / "home")
    save(home, tomllib.loads((home / "wanmi.toml").read_text(encoding="utf-8")) | {"scoring": {"contract": CONTRACT}})
    desk = Desk(home, f"{LAST_MONTH}-09 09:00")
    try:
        desk.to_closed()
    finally:
        desk.close()
    running = RunningNode(home).start()
    yield running
    running.stop()


async def on_page(seat: Seat) -> None:
    await seat.keys("left_square_bracket")
    await read(seat, "spot_checks")


def test_grids_are_drawn_and_what_was_found_is_charged(settled: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await on_page(seat)
        assert "还没有抽查" in seat.screen_text()
        await seat.keys("d")
        await seat.on_form()
        await seat.keys("wg", "enter", *"三个", "enter", "enter")
        await seat.until(lambda: "请写一个数" in seat.screen_text(), "a number")
        await seat.keys("3", "enter", "enter")
        await seat.until(lambda: "已抽取 3 个" in seat.banner, "drawn")
        await seat.until(lambda: "0/3" in seat.screen_text(), "how far it is")
        assert "种子" in seat.screen_text()
        await seat.keys("r")
        assert "先按 Enter" in seat.banner
        await seat.keys("enter")
        await seat.until(lambda: seat.app.screen.inside, "its subjects")
        await seat.settled()
        assert seat.screen_text().count("待查") == 3
        await seat.keys("r")
        await seat.on_form()
        await seat.keys("bhg", "enter", *"垃圾外溢", "enter", "bllj", "enter", "enter", "enter", "50", "enter")
        await seat.until(lambda: "须写明扣谁" in seat.screen_text(), "the node refuses")
        assert "垃圾外溢" in seat.screen_text(), "what was typed stays"
        await seat.burst("shift+tab")
        await seat.keys("D02", "ctrl+s")
        await seat.until(lambda: "结果已填写" in seat.banner, "entered")
        await seat.until(lambda: "不合格" in seat.screen_text() and "50.00" in seat.screen_text(), "seen")
        await seat.settled()
        assert all(word != "填写结果" for _, word in seat.key_line), "once"
        await seat.keys("escape")
        await seat.until(lambda: "1/3" in seat.screen_text(), "one of three")

    play(settled, "k1", story)
    draw = settled.client("k1").get("/api/v1/assessment/spot-checks").json()["items"][0]
    assert (draw["kind"], draw["bad"], draw["deduction"]) == ("grid", 1, 50.0)


def test_a_drawn_case_opens_on_the_desk(settled: RunningNode) -> None:
    body = {"period": LAST_MONTH, "kind": "case", "wanted": 5}
    assert settled.client("k1").post("/api/v1/assessment/spot-checks", json=body).status_code == 201

    async def story(seat: Seat) -> None:
        await on_page(seat)
        assert all(word != "抽取" for _, word in seat.key_line), "a shift leader looks on"
        await seat.keys("d")
        assert "角色" in seat.banner
        await seat.keys("enter")
        await seat.until(lambda: seat.app.screen.inside, "its subjects")
        await seat.settled()
        await seat.keys("enter")
        await seat.until(lambda: seat.app.current_mode == "desk", "the case is on the desk")

    play(settled, "z1", story, (80, 24))


def test_the_settlement_is_a_table_for_the_accountant(settled: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys(",")
        await read(seat, "ledgers", LAST_MONTH)
        await on_page(seat)
        await seat.keys("s")
        await seat.on_form()
        await seat.keys("enter", "enter")
        target = paper_file(f"settlement-{LAST_MONTH}.csv")
        await seat.until(lambda: target.exists() and target.name in seat.banner, "written, and where it is")
        lines = target.read_text(encoding="utf-8-sig").splitlines()
        assert lines[0].startswith("时段,状态,种类")
        assert lines[1].startswith(f"{LAST_MONTH},未结账,采集承包方,,'=采集公司,1000.00,")
        assert lines[2].startswith(f"{LAST_MONTH},未结账,保证金,D01,市政管理所,2000.00,")
        assert target.stat().st_mode & 0o077 == 0

    play(settled, "k1", story)


def test_control_s_takes_the_choice_that_stands_marked(settled: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await on_page(seat)
        await seat.keys("d")
        await seat.on_form()
        await seat.keys("wg", "ctrl+s")
        await seat.until(lambda: "已抽取 10 个" in seat.banner, "ten grids")

    play(settled, "b1", story)
