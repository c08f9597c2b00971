"""The wall screen: its pages, that it heals itself, that nothing grows, and its pictures."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.cells import cell_len

from appliance.i18n.labels import Labels
from tests.nodes import RunningNode
from tests.server.test_wall import wall_key
from tests.tui.conftest import report
from tests.tui.fake_wall import FIGURES, answer
from tui.wall.app import PAGES, Access, Wall
from tui.wall.digits import huge, points
from tui.wall.pages import cases_page, figures_page, percent, ticker, units_page

SIZES = [(80, 24), (120, 36), (200, 60)]
PATIENCE = 20.0


def text_of(app: Wall) -> str:
    """The screen as text."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def until(pilot: Any, condition: Callable[[], Any]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await pilot.pause(0.02)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_line_fits_the_screen(size: tuple[int, int], language: str) -> None:
    width, height = size
    labels = Labels(language)
    for page in (figures_page, units_page, cases_page):
        rows = page(FIGURES, width, height, labels)
        assert len(rows) <= height, page.__name__
        assert max(row.cell_len for row in rows) <= width, page.__name__
    for turn in range(4):
        assert ticker(FIGURES, turn, width, labels).cell_len <= width


def test_digits_are_as_large_as_the_screen_allows() -> None:
    """At ten metres a digit has to be a quarter of the screen high."""
    for width, height in SIZES:
        rows = huge("417", width // 3 - 2, height // 2 - 2)
        filled = [row for row in rows if any("reverse" in str(span.style) for span in row.spans)]
        assert len(filled) >= height // 5, (width, height)
        assert all(row.cell_len == width // 3 - 2 for row in rows)
    assert huge("123456789", 12, 6)[3].plain.strip() == "123456789", "too small a box shows plain figures"
    assert len(points("8")) == 5
    assert (percent(None), percent(1.0), percent(0.9996), percent(0.5)) == ("-", "100%", "100%", "50.0%")


def test_a_county_without_cases_has_pages_too() -> None:
    empty = {**FIGURES, "urgent": [], "latest": [], "departments": [], "hours": [0] * 24}
    labels = Labels("zh")
    for page in (figures_page, units_page, cases_page):
        assert page(empty, 80, 22, labels)
    assert "没有紧急案件" in ticker(empty, 0, 80, labels).plain


def test_the_wall_lives_with_the_node(node: RunningNode) -> None:
    """Figures come by the key, a new case shows up, the node goes and comes back, and the wall with it."""
    key = wall_key(node.home)

    async def story() -> None:
        app = Wall(node.url, Access(key), seconds=3600, poll_seconds=0.2)
        async with app.run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: "禹州市" in text_of(app))
            await asyncio.to_thread(report, node)
            await until(pilot, lambda: app.shown.figures["reported_today"] == 1)
            app.next_page()
            app.next_page()
            await until(pilot, lambda: "地图" in text_of(app) and "绿 1" in text_of(app))
            await asyncio.to_thread(node.stop, signal.SIGKILL)
            await until(pilot, lambda: "没有应答" in text_of(app))
            assert "绿 1" in text_of(app), "the last picture stays"
            await asyncio.to_thread(node.start)
            back = time.monotonic()
            await until(pilot, lambda: "没有应答" not in text_of(app))
            assert time.monotonic() - back <= 2.0

    asyncio.run(story())


def test_a_wrong_key_says_so_and_an_account_does_as_well(shared_node: RunningNode) -> None:
    async def story(access: Access, awaited: str) -> None:
        app = Wall(shared_node.url, access, seconds=3600, poll_seconds=0.2)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: awaited in text_of(app))

    asyncio.run(story(Access("nonsense"), "登录"))
    asyncio.run(story(Access(account="b1", password="wanmi-demo-1"), "今日受理"))


REFRESHES = 600


@pytest.mark.long
def test_nothing_grows_in_hundreds_of_refreshes() -> None:
    async def story() -> None:
        asked = 0

        def counted(request: httpx.Request) -> httpx.Response:
            nonlocal asked
            asked += request.url.path == "/api/v1/wall"
            return answer(request)

        app = Wall("http://node", Access("k"), seconds=0.01, poll_seconds=0.001, transport=httpx.MockTransport(counted))
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: asked > 300)
            before = measures(app)
            await until(pilot, lambda: asked > 300 + REFRESHES)
            after = measures(app)
            assert after[0] == before[0], "widgets"
            assert after[1] <= before[1] + REFRESHES // 10, "tasks; some are always under way"
            assert after[2] <= before[2] * 1.01 + 1500, "objects"

    asyncio.run(story())


def measures(app: Wall) -> tuple[int, int, int]:
    """Widgets, tasks, objects."""
    gc.collect()
    return len(list(app.walk_children(with_self=True))), len(asyncio.all_tasks()), len(gc.get_objects())


def test_the_command_needs_a_terminal_and_a_readable_key(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "appliance", "wall", "--key-file", str(tmp_path / "none")], capture_output=True,
        text=True, check=False, env={**os.environ, "WANMI_LANGUAGE": "en"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_key_file_holds_one_key(tmp_path: Path) -> None:
    from appliance.errors import Invalid
    from tui.wall.commands import _key

    file = tmp_path / "wall.key"
    file.write_text("abc\n", encoding="utf-8")
    assert _key(file) == "abc"
    for content in ("", "two words"):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(Invalid, match="one key"):
            _key(file)
    with pytest.raises(Invalid, match="cannot be read"):
        _key(tmp_path / "none")


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are made on Python 3.11")
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("size", SIZES)
def test_the_pages(snap_compare: Any, size: tuple[int, int], page: str) -> None:
    """Every page, with names that are too long."""
    app = Wall("http://node", Access("k"), seconds=3600, poll_seconds=3600, transport=httpx.MockTransport(answer))

    async def story(pilot: Any) -> None:
        app.turn = PAGES.index(page)
        await until(pilot, lambda: app.shown.figures is not None)
        await pilot.pause()
        text = text_of(app)
        assert all(cell_len(line) <= size[0] for line in text.splitlines())

    assert snap_compare(app, terminal_size=size, run_before=story)
