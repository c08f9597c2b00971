"""A campaign is made by keys, gets its targets, and is ended after a second look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.campaigns.forms import FormField, check_form, kinds
from tests.nodes import RunningNode
from tests.tui.conftest import Seat
from tests.tui.test_oversight import play, read
from tui.oversight.campaign_forms import KINDS, ready_forms
from tui.widgets.field_row import FieldRow


async def on_page(seat: Seat) -> None:
    for page in ("findings", "campaigns"):
        await seat.keys("right_square_bracket")
        await read(seat, page)


def told(node: RunningNode, code: str) -> dict[str, Any]:
    items = node.client("k1").get("/api/v1/campaigns").json()["items"]
    found: dict[str, Any] = next(item for item in items if item["code"] == code)
    return found


def test_a_campaign_over_a_street_is_made_given_its_grids_and_ended(node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await on_page(seat)
        assert "按 m 新建" in seat.screen_text()
        await seat.keys("t")
        assert "先选一个" in seat.banner
        await seat.keys("m")
        await seat.on_form()
        await seat.keys("Clean", "enter", *"网格体检", "enter", "cs", "enter", "dy", "enter")
        await seat.keys("down", "down", "down", "enter", "enter", "+9", "enter", *"每月一次", "enter")
        await seat.until(lambda: "小写字母、数字" in seat.screen_text() and "专项不对" in seat.screen_text(), "refused")
        assert "每月一次" in seat.screen_text(), "what was typed stays"
        await retype(seat, "clean-1")
        await seat.until(lambda: "专项已建" in seat.banner, "made")
        await seat.until(lambda: "网格体检" in seat.screen_text(), "on the page")
        await seat.settled()
        await seat.keys("t")
        await seat.on_form()
        await seat.keys("411081001", "enter")
        await seat.until(lambda: "现有 100 个对象" in seat.banner, "a street of grids")
        await seat.until(lambda: "0/100" in seat.screen_text(), "how far it is")
        await seat.settled()
        await seat.keys("X", "n")
        await seat.settled()
        assert "进行中" in seat.screen_text()
        await seat.keys("X", "y")
        await seat.until(lambda: "已结束" in seat.banner, "ended")
        await seat.until(lambda: "进行中" not in seat.screen_text(), "and seen as such")
        assert all(word != "结束专项" for _, word in seat.key_line)

    play(node, "k1", story)
    made = told(node, "clean-1")
    assert (made["kind"], made["about"], made["form"][0]["field"]) == ("check_list", "grids", "clean")
    assert made["ended_at"] is not None


async def retype(seat: Seat, code: str) -> None:
    """The first field anew, then send."""
    seat.app.screen.query(FieldRow).first().focus_line()
    await seat.pilot.pause()
    await seat.keys(code, "ctrl+s")


@pytest.mark.long
def test_a_list_of_shops_comes_from_a_table_and_its_form_too(node: RunningNode, tmp_path: Path) -> None:
    shops, form = tmp_path / "shops.csv", tmp_path / "form.csv"
    shops.write_bytes(
        "subject,name,lon,lat,department\nS1,老王面馆,113.4005,34.1005,D01\nS2,县外,x,30,\n".encode("gb18030")
    )
    form.write_text(
        "field,name,type,needed,choices,points\nclean,整洁,yes_no,yes,,60\norder,秩序,choice,,好|差,40\n",
        encoding="utf-8",
    )

    async def story(seat: Seat) -> None:
        await on_page(seat)
        await seat.keys("m")
        await seat.on_form()
        await seat.keys("shops", "enter", *"门店", "enter", "mq", "enter", "zy", "enter", str(form) + "x", "ctrl+s")
        await seat.until(lambda: "读不了" in seat.screen_text(), "no such file")
        await seat.keys("end")
        await seat.burst("backspace")
        await seat.keys("ctrl+s")
        await seat.until(lambda: "专项已建" in seat.banner, "made")
        await seat.until(lambda: "门店" in seat.screen_text(), "on the page")
        await seat.settled()
        await seat.keys("t")
        await seat.on_form()
        await seat.keys(str(shops), "enter")
        await seat.until(lambda: "3 lon" in seat.screen_text(), "the line that is wrong")
        shops.write_text(shops.read_text(encoding="gb18030").replace(",x,", ",100,"), encoding="gb18030")
        await seat.keys("ctrl+s")
        await seat.until(lambda: "现有 2 个对象" in seat.banner, "two shops")

    play(node, "z1", story, (80, 24))
    made = told(node, "shops")
    assert [field["type"] for field in made["form"]] == ["yes_no", "choice"]
    assert made["targets"] == 2


def test_the_forms_that_come_with_the_console_are_taken_by_the_node() -> None:
    assert tuple(kinds()) == KINDS
    for kind, fields in ready_forms().items():
        check_form(kind, [FormField(**field) for field in fields])
