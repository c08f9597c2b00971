"""The map by keys at a real node: layers, walking, jumping, what is here, picking a place, the glyph check."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from appliance.i18n.labels import Labels
from tests.homes import SOUTH, STEP, WEST
from tests.nodes import RunningNode
from tests.server.test_campaigns import campaign, shops
from tests.tui import fake_node, fake_wall
from tests.tui.conftest import Seat, report, seat_at
from tui.app import Console
from tui.client import NodeClient
from tui.map.canvas import Canvas
from tui.map.drawing import draw_map
from tui.map.engine import KEPT, MapEngine
from tui.map.glyphs import GlyphScreen, keep_braille, known_braille
from tui.map.layers import Content
from tui.map.legend import legend
from tui.map.pane import MapPane
from tui.map.picker import PickPlaceScreen
from tui.map.viewport import Viewport
from tui.seat.files import Preferences, state_folder

Story = Callable[[Seat], Awaitable[None]]


def play(node: RunningNode, account: str, story: Story, size: tuple[int, int] = (120, 36)) -> None:
    """Play a story at a signed-in seat."""

    async def run() -> None:
        async with seat_at(node, account, size) as seat:
            await story(seat)

    asyncio.run(run())


async def open_map(seat: Seat) -> MapPane:
    """Go to the map and wait for what it shows."""
    await seat.keys("f4")
    await seat.until(lambda: seat.app.screen.query(MapPane) and pane(seat).map.content.places, "a map")
    await seat.settled()
    return pane(seat)


def pane(seat: Seat) -> MapPane:
    found: MapPane = seat.app.screen.query_one(MapPane)
    return found


@pytest.fixture
def collectors(shared_node: RunningNode) -> None:
    """A collector who sent where he is."""
    sent = {"at": datetime.now(UTC).isoformat(), "account": "l1", "lon": WEST + 0.001, "lat": SOUTH + 0.001}
    assert shared_node.client("l1").post("/api/v1/positions", json=sent).is_success


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
@pytest.mark.usefixtures("collectors")
def test_a_dispatcher_reads_the_map(shared_node: RunningNode, size: tuple[int, int]) -> None:
    report(shared_node)

    async def story(seat: Seat) -> None:
        await open_map(seat)
        await seat.until(lambda: "A 采集员 1" in seat.screen_text(), "the collector")
        assert "采集员一 " in seat.screen_text(), "with the age of the position"
        assert "单元网格" in seat.screen_text()
        await seat.keys("6")
        await seat.settled()
        assert "采集员" not in seat.screen_text(), "the legend shows only what is visible"
        await seat.keys("0")
        await seat.settled()
        await seat.until(lambda: "案件" in seat.screen_text(), "the whole county")
        await seat.keys("tab")
        await seat.until(lambda: pane(seat).selected is not None, "a case is selected")
        assert "污水井盖" in seat.screen_text()

    play(shared_node, "p1", story, size)


def test_pan_far_and_back_shows_the_same(shared_node: RunningNode) -> None:
    report(shared_node)

    async def story(seat: Seat) -> None:
        map_pane = await open_map(seat)
        await seat.keys("6")
        await seat.settled()
        before, middle = seat.screen_text(), map_pane.cross
        await seat.keys("shift+right", "shift+left", "minus", "plus", "shift+down", "shift+up")
        await seat.settled()
        await seat.until(lambda: seat.screen_text() == before, "the same picture")
        assert map_pane.cross == pytest.approx(middle)

    play(shared_node, "p1", story)


def test_what_is_here_tells_grid_collector_and_street(shared_node: RunningNode) -> None:
    report(shared_node)

    async def story(seat: Seat) -> None:
        await open_map(seat)
        await seat.keys("i")
        await seat.until(lambda: pane(seat).has_class("-here"), "what is here")
        text = seat.screen_text()
        assert "411081001001001" in text
        assert "颍川街道" in text
        await seat.keys("escape")
        assert not pane(seat).has_class("-here")
        await seat.keys("escape")
        await seat.until(lambda: seat.app.current_mode == "desk", "back at the desk")

    play(shared_node, "s1", story)


def test_jump_to_coordinates_and_begin_an_intake_there(shared_node: RunningNode) -> None:
    report(shared_node)

    async def story(seat: Seat) -> None:
        map_pane = await open_map(seat)
        await seat.keys("g")
        await seat.until(lambda: type(seat.app.screen).__name__ == "JumpScreen", "where to")
        await seat.keys("113.4105,34.1055", "enter")
        await seat.until(lambda: type(seat.app.screen).__name__ == "MapScreen", "the map is there")
        await seat.settled()
        assert map_pane.cross == pytest.approx((113.4105, 34.1055), abs=1e-6)
        await seat.keys("n")
        await seat.until(lambda: seat.app.current_mode == "intake", "the intake")
        await seat.until(lambda: "夏都街道" in seat.screen_text(), "with the place of the cross")

    play(shared_node, "s1", story)


def test_a_new_case_appears_by_itself(shared_node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        map_pane = await open_map(seat)
        await seat.keys("0")
        await seat.settled()
        number = (await asyncio.to_thread(report, shared_node))["number"]
        await seat.until(
            lambda: number in [case["number"] for case in map_pane.map.content.spots], "the map hears of it"
        )

    play(shared_node, "z1", story)


def test_a_thematic_layer_is_chosen(shared_node: RunningNode) -> None:
    client = shared_node.client("z1")
    assert client.put("/api/v1/layers/F1", json={"name": "钧瓷文化节"}).is_success
    members = {"kind": "grid", "codes": ["411081001001001"]}
    assert client.post("/api/v1/layers/F1/members", json=members).is_success
    report(shared_node)

    async def story(seat: Seat) -> None:
        await open_map(seat)
        await seat.keys("t")
        await seat.until(lambda: type(seat.app.screen).__name__ == "PickScreen", "the layers")
        await seat.keys("1")
        await seat.until(lambda: "t 钧瓷文化节 1" in seat.screen_text(), "the layer is on the map")

    play(shared_node, "z1", story)


def test_a_place_is_picked(shared_node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        answers: list[Any] = []
        at = (WEST + 1.5 * STEP, SOUTH + 1.5 * STEP)
        for last in ("enter", "escape"):
            seat.app.push_screen(PickPlaceScreen(seat.app.context, *at), answers.append)
            await seat.until(lambda: seat.app.screen.query(MapPane) and pane(seat).map.content.places, "a map")
            await seat.keys("right", last)
            await seat.until(lambda: type(seat.app.screen).__name__ == "DeskScreen", "answered")
        assert answers[1] is None
        lon, lat = answers[0]
        assert lat == pytest.approx(at[1])
        assert lon > at[0]

    play(shared_node, "s1", story)


def test_a_font_without_dots_gets_the_map_of_signs(shared_node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        seat.app.context.braille = None
        await seat.keys("f4")
        await seat.until(lambda: isinstance(seat.app.screen, GlyphScreen), "the question")
        await seat.keys("n")
        await seat.until(lambda: seat.app.screen.query(MapPane) and pane(seat).map.content.places, "the map")
        await seat.settled()
        assert not any("\u2801" <= sign <= "\u28ff" for sign in seat.screen_text())
        assert known_braille() is False, "it is not asked again"

    play(shared_node, "s1", story)


def test_a_damaged_seat_file_is_asked_anew() -> None:
    keep_braille(True)
    assert known_braille() is True
    Preferences().set("other", 1)
    assert known_braille() is True
    (state_folder() / "console.json").write_text("[1", encoding="utf-8")
    assert known_braille() is None


def test_places_are_kept_by_scale_and_the_memory_is_bounded() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == "/api/v1/map/cases":
            return httpx.Response(200, json={"number": 0, "lights": {}, "items": [], "cells": []})
        box = [float(part) for part in request.url.params["bbox"].split(",")]
        return httpx.Response(200, json={"bbox": box, "areas": {"shown": False, "features": []}})

    async def run() -> None:
        client = NodeClient("http://node", transport=httpx.MockTransport(answer))
        engine, view = MapEngine(client), Viewport(113.5, 34.1, 5.0, 200, 120)
        for moved in (0.0, 0.1, 0.2, 0.1):
            await engine.content(view.moved(moved, 0), frozenset(), positions=False)
        assert asked.count("/api/v1/map/places") == 1, "small steps need no call"
        assert asked.count("/api/v1/map/cases") == 4, "cases come anew"
        for number in range(KEPT + 10):
            await engine.content(view.moved(number * 2, 0).zoomed(1 + number), frozenset(), positions=False)
        assert len(engine._places) <= KEPT
        await client.close()

    asyncio.run(run())


def test_a_shape_of_every_light_and_names_that_cover_nothing() -> None:
    view = Viewport(113.5, 34.1, 5.0, 80, 40)
    spots = [
        {"number": str(at), "lon": 113.499 + at * 0.0005, "lat": 34.1, "light": light}
        for at, light in enumerate(("red", "yellow", "green", None))
    ]
    areas = [{"geometry": None, "properties": {"name": "夏都街道", "at": [113.5, 34.1]}}]
    canvas = Canvas(40, 10)
    draw_map(canvas, view, Content({"areas": {"features": areas}}, {"items": spots}))
    drawn = canvas.text().plain
    assert all(sign in drawn for sign in "X+o*")
    assert "夏都街道" not in drawn, "a name covers no case"
    canvas = Canvas(40, 10)
    draw_map(canvas, view, Content({"areas": {"features": areas}}, {}))
    assert "夏都街道" in canvas.text().plain


def test_what_is_not_patrolled_has_a_sign_of_its_own_and_lies_over_the_rest() -> None:
    view = Viewport(113.5, 34.1, 5.0, 80, 40)
    grids = [{"lon": 113.4985 + at * 0.0005, "lat": 34.1, "level": at} for at in range(3)]
    grids.append({**grids[2], "level": 0})
    cameras = [{"lon": 113.5, "lat": 34.1005, "due": due} for due in (True, False)]
    patrols = {
        "number": 4, "grids": grids, "cameras": [*cameras, {"lon": 113.501, "lat": 34.1005, "due": False}],
        "levels": {"none": 2, "passed": 1, "planned": 0},
    }  # fmt: skip
    canvas = Canvas(40, 10)
    draw_map(canvas, view, Content(patrols=patrols))
    drawn = canvas.text().plain
    assert "".join(sign for sign in drawn if sign in "-~=Vv") == "Vv-~-"
    canvas = Canvas(40, 10)
    by_cell = {"bbox": list(view.box), "rows": ["." * 38 + "2.", *["." * 40] * 8, "01" + "." * 38]}
    draw_map(canvas, view, Content(patrols=by_cell))
    rows = [row.plain for row in canvas.rows()]
    assert (rows[0].rstrip(), rows[-1].rstrip(), {*rows[1:-1]}) == (" " * 38 + "=", "-~", {" " * 40})
    canvas = Canvas(40, 10)
    draw_map(canvas, view, Content(patrols=patrols), {"patrols"})
    assert not canvas.text().plain.strip()
    told = legend(view, Content(patrols=patrols), frozenset(), Labels("zh")).plain
    assert "8 巡查 - 未巡 2  ~ 已巡 1  V 摄像头待看 1  v 摄像头已看 2" in told


def test_a_campaign_is_followed_on_the_map(shared_node: RunningNode) -> None:
    """What is still to do and what is done, by sign."""
    office = shared_node.client("k1")
    assert office.post("/api/v1/campaigns", json=campaign("on-the-map")).status_code == 201
    office.post("/api/v1/campaigns/on-the-map/targets", json=shops())
    done = {"subject": "S1", "filled": {"clean": True, "order": "好"}}
    assert shared_node.client("l1").post("/api/v1/campaigns/on-the-map/answers", json=done).status_code == 201

    async def story(seat: Seat) -> None:
        await open_map(seat)
        assert "专项" not in seat.screen_text(), "off at first"
        await seat.keys("0", "9")
        await seat.until(
            lambda: "9 专项 o 1 x 1" in seat.screen_text(), "one to do, one done; one is beyond the county"
        )
        await seat.keys("9")
        await seat.until(lambda: "专项" not in seat.screen_text(), "and off again")

    play(shared_node, "z1", story)


def test_a_shift_leader_turns_the_patrols_on(shared_node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        map_pane = await open_map(seat)
        assert "未巡" not in seat.screen_text(), "they are off at first"
        await seat.keys("0", "8")
        await seat.until(lambda: "- 未巡 200" in seat.screen_text(), "the unit grids of the county")
        assert {grid["level"] for grid in map_pane.map.content.patrols["grids"]} == {0}
        await seat.keys("8")
        await seat.until(lambda: "未巡" not in seat.screen_text(), "and off again")

    play(shared_node, "z1", story)


def test_an_acceptor_has_no_such_layer(shared_node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        map_pane = await open_map(seat)
        await seat.keys("8")
        await seat.settled()
        assert "patrols" in map_pane.map.hidden
        assert map_pane.map.content.patrols == {}

    play(shared_node, "s1", story)


def test_density_fills_cells_by_degrees() -> None:
    view = Viewport(113.5, 34.1, 5.0, 80, 40)
    west, south, east, north = view.box
    density = {"columns": 2, "rows": ["05", "90"], "most": 70}
    canvas = Canvas(40, 10)
    draw_map(canvas, view, Content({"bbox": [west, south, east, north], "parts": {"density": density}}))
    rows = [row.plain for row in canvas.rows()]
    assert rows[0][0] == " "
    assert ord(rows[0][-1]) - 0x2800 == 0xAB
    assert ord(rows[-1][0]) - 0x2800 == 0xFF


# Pictures.

HERE = {
    "lon": 113.4053, "lat": 34.104, "grid": "411081001001001", "street": "411081001", "street_name": "颍川街道",
    "community": None, "community_name": None, "duty_grid": "411081001-1", "collector": "l1", "places": [],
    "address": "颍川街道药城路与轩辕大道交叉口向北二百米路东第十八号院门前人行道上",
    "parts": [{"code": "41108101002000001", "name": "交通信号灯及其附属的倒计时显示设施", "metres": 6.2}],
}  # fmt: skip
POSITIONS = {
    "items": [
        {"who": "l1", "name": "欧阳上官司马采集员一", "lon": 113.403, "lat": 34.107, "age": 45, "speed": 1.2},
        {"who": "l2", "name": "采集员二", "lon": 113.408, "lat": 34.1015, "age": 7200, "speed": None},
    ]
}


def canned(request: httpx.Request) -> httpx.Response:
    """The canned node, with a street, cases of every light and two collectors."""
    path = request.url.path
    if path.startswith("/api/v1/map/"):
        return fake_wall.answer(request)
    if path == "/api/v1/positions":
        return httpx.Response(200, json=POSITIONS)
    if path == "/api/v1/locate":
        return httpx.Response(200, json=HERE)
    return fake_node.answer(request)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are made on Python 3.11")
@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
def test_the_map(snap_compare: Any, size: tuple[int, int]) -> None:
    """The whole county, a case selected, and what is at the cross."""

    async def story(pilot: Any) -> None:
        seat = Seat(pilot.app, pilot)
        await seat.sign_in("p1")
        await open_map(seat)
        await seat.keys("0")
        await seat.settled()
        await seat.keys("tab", "i")
        await seat.until(lambda: pane(seat).has_class("-here"), "what is here")
        await seat.settled()

    console = Console("http://node", transport=httpx.MockTransport(canned))
    assert snap_compare(console, terminal_size=size, run_before=story)
