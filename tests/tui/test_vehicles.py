"""Vehicles move on the map within a second of their fix, and the line carries the cells that changed and no others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text
from textual.geometry import Region

from tests.homes import SOUTH, STEP, WEST
from tests.nodes import RunningNode
from tests.server.test_vehicles import key_of
from tests.tui.conftest import Seat, report, seat_at
from tests.tui.test_map import open_map
from tui.map import screen
from tui.map.canvas import Canvas
from tui.map.changed import NEAR, changed_cells
from tui.map.drawing import draw_positions
from tui.map.pane import MapPane
from tui.map.vehicles import Vehicles
from tui.map.view import MapView
from tui.map.viewport import Viewport

BOX = (113.0, 34.0, 114.0, 35.0)
DISTANCE = 20 * STEP
"""Two streets are twenty grids wide; a vehicle that far off is outside."""

CELLS_AT_MOST = 60
"""Of sign and name where they were and where they are; the map has thousands."""


def heard(who: str, lon: float, at: str = "2026-11-22T01:00:05Z") -> dict[str, Any]:
    return {"who": who, "name": who, "at": at, "age": 0, "lon": lon, "lat": 34.5, "speed": 5.0}


def test_only_the_newest_of_a_vehicle_counts_and_an_older_answer_moves_it_not_back() -> None:
    vehicles = Vehicles()
    assert vehicles.heard([heard("car", 113.1), heard("bus", 113.2)]) is True
    assert vehicles.heard([heard("car", 113.3)]) is False, "it will be drawn anyway"
    assert [(item["who"], item["lon"]) for item in vehicles.moved()] == [("bus", 113.2), ("car", 113.3)]
    assert vehicles.moved() == []
    assert vehicles.heard([]) is False
    for at, lon in (("2026-11-22T01:00:04.9Z", 113.3), ("2026-11-22T01:00:05.1Z", 113.9)):
        answer = [heard("car", 113.9, at), heard("l1", 113.5)]
        assert [(item["who"], item["lon"]) for item in vehicles.newer(answer, BOX)] == [("car", lon), ("l1", 113.5)]


def test_a_vehicle_that_leaves_the_view_leaves_the_map_and_comes_back() -> None:
    shown = Vehicles.put([heard("car", 113.1)], [heard("car", 112.9)], BOX)
    assert shown == []
    assert [item["who"] for item in Vehicles.put([heard("l1", 113.1)], [heard("car", 113.0)], BOX)] == ["car", "l1"]


def test_the_age_of_a_live_position_is_not_written() -> None:
    view = Viewport(113.5, 34.5, 5.0, 80, 40)
    drawn = []
    for age in (0, 4, 5, 70):
        canvas = Canvas(40, 10)
        draw_positions(canvas, view, [{**heard("car", 113.5), "age": age}], names=True)
        drawn.append(" ".join(canvas.text().plain.split()))
    assert drawn == ["A car", "A car", "A car 5s", "A car 1m"]


STYLES = ("", "red", "bold cyan")
row = st.lists(st.tuples(st.sampled_from("ab 井盖"), st.sampled_from(STYLES)), max_size=30)


def drawn_row(signs: list[tuple[str, str]], width: int = 40) -> Text:
    """A row as the canvas makes it."""
    canvas = Canvas(width, 1)
    column = 0
    for sign, style in signs:
        if column + 2 < width:
            canvas._marks[column] = (sign, style)
            if not sign.isascii():
                canvas._marks[column + 1] = ("", style)
            column += 1 + (not sign.isascii())
    return canvas.rows()[0]


def cells(text: Text) -> list[tuple[str, str, int]]:
    """What each cell of a row shows, and which half of a sign."""
    found = []
    for at, sign in enumerate(text.plain):
        style = next((str(span.style) for span in text.spans if span.start <= at < span.end), "")
        found += [(sign, style, half) for half in range(2 if sign in "井盖" else 1)]
    return found


@given(row, row)
def test_the_changed_pieces_and_no_others_make_the_new_row(before: list[Any], after: list[Any]) -> None:
    old, new = drawn_row(before), drawn_row(after)
    was, is_now = cells(old), cells(new)
    pieces = list(changed_cells(old, new))
    for first, width in pieces:
        assert was[first] != is_now[first]
        assert was[first + width - 1] != is_now[first + width - 1]
        was[first : first + width] = is_now[first : first + width]
    assert was == is_now
    assert all(right[0] - sum(left) >= NEAR for left, right in pairwise(pieces))


@pytest.fixture
def agent(shared_node: RunningNode, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A device agent with its key."""
    key = key_of(shared_node.home, "device", request.node.name)
    with httpx.Client(base_url=shared_node.url, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


def drive(agent: httpx.Client, lon: float, lat: float, who: str = "car") -> None:
    """The vehicle's receiver has a fix."""
    sent = {"at": datetime.now(UTC).isoformat(), "device": who, "lon": lon, "lat": lat, "speed": 8.0}
    assert agent.post("/api/v1/positions", content=json.dumps(sent)).json()["added"] == 1


def spot(seat: Seat, text: str) -> tuple[int, int] | None:
    """Column and line of a text on the screen."""
    lines = seat.screen_text().splitlines()
    return next(((line.index(text), at) for at, line in enumerate(lines) if text in line), None)


def shown(pane: MapPane) -> set[str]:
    """Who is on the map."""
    return {item["who"] for item in pane.map.content.positions}


def test_a_vehicle_moves_on_the_map_with_its_fixes(
    shared_node: RunningNode, agent: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The map looks for nobody by itself meanwhile: what moves was told. Only the cells that changed are drawn."""
    monkeypatch.setattr(screen, "POSITION_SECONDS", 3600.0)
    drawn: list[Region] = []
    refresh = MapView.refresh

    def noted(self: MapView, *regions: Region, **more: Any) -> MapView:
        drawn.extend(regions or [self.size.region])
        return refresh(self, *regions, **more)

    monkeypatch.setattr(MapView, "refresh", noted)
    report(shared_node)
    west, north = WEST + 4 * STEP, SOUTH + 6 * STEP

    async def run() -> None:
        async with seat_at(shared_node, "p1") as seat:
            map_pane = await open_map(seat)
            await seat.keys("0")
            await seat.settled()
            assert "采集员" not in seat.screen_text()
            await asyncio.to_thread(drive, agent, west, north)
            await seat.until(lambda: spot(seat, "A ") or spot(seat, "car"), "the vehicle")
            await seat.until(lambda: "A 采集员 1" in seat.screen_text(), "the legend counts it")
            first = spot(seat, "car")
            await seat.settled()
            drawn.clear()
            before = map_pane.map.content.positions[0]["at"]
            await asyncio.to_thread(drive, agent, west, north)
            await seat.until(lambda: map_pane.map.content.positions[0]["at"] > before, "another fix of the same place")
            assert drawn == [], "an idle line stays silent"
            await asyncio.to_thread(drive, agent, west + 2 * STEP, north)
            await seat.until(lambda: (now := spot(seat, "car")) and now != first, "it went on")
            assert 0 < sum(region.area for region in drawn) <= CELLS_AT_MOST
            await asyncio.to_thread(drive, agent, west + 10 * STEP, north)
            await seat.until(lambda: (now := spot(seat, "car")) and first and now[0] > first[0], "it went east")
            second = spot(seat, "car")
            assert first is not None
            assert second is not None
            assert second[1] == first[1], "and neither north nor south"
            await asyncio.to_thread(drive, agent, west + DISTANCE * 10, north)
            await seat.until(lambda: spot(seat, "car") is None, "it left the county")
            assert map_pane.map.content.positions == []
            await seat.keys("6")
            await seat.settled()
            await asyncio.to_thread(drive, agent, west, north)
            await asyncio.to_thread(drive, agent, west, north, "bus")
            await seat.until(lambda: "bus" in map_pane.vehicles._heard, "it was heard of")
            await seat.settled()
            assert spot(seat, "bus") is None, "the layer is off"
            await seat.keys("6")
            await seat.until(lambda: spot(seat, "bus"), "and on again")

            await seat.keys("f2")
            await seat.until(lambda: seat.app.current_mode == "desk", "the desk")
            await seat.until(
                lambda: not [job for job in seat.app.workers if job.is_running and job.node is map_pane.screen],
                "nothing listens for a map that was left",
            )
            await seat.keys("f4")
            await asyncio.to_thread(drive, agent, west, north, "tram")
            await seat.until(lambda: "tram" in shown(map_pane), "a map that was left is live again, told or looked up")

    asyncio.run(run())
