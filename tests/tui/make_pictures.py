"""Draws the pictures of docs/pictures from a home: `python -m tests.tui.make_pictures HOME [ACCOUNT PASSWORD]`.

HOME is copied first and stays as it is; `wanmi demo make` makes one. The pictures are exports of the app itself.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.nodes import RunningNode
from tests.tui.conftest import Seat
from tui.app import Console
from tui.wall.app import Access, Wall

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
LARGEST = 300_000
WIDE = (120, 36)
PLACE = "jgyl86"
"""Letters of a road of the demo county and a house number: 钧官窑路86号."""


def picture(seat: Seat, name: str) -> None:
    """Write the screen as an SVG that loads no font from anywhere."""
    drawn = FONT_FACE.sub("", seat.app.export_screenshot(title="wanmi console"))
    drawn = drawn.replace("Fira Code", "Noto Sans Mono CJK SC, WenQuanYi Micro Hei Mono")
    drawn = re.sub(r"terminal-\d+", "wanmi", drawn)
    assert len(drawn.encode()) < LARGEST, f"{name} is too large"
    (FOLDER / name).write_text(drawn, encoding="utf-8")
    sys.stderr.write(f"{name}: {len(drawn.encode()) // 1024} KB\n")


async def desk(seat: Seat) -> None:
    """The desk with a case that has some history."""
    await seat.keys("right_square_bracket")
    await seat.settled()
    await seat.keys(*["down"] * 4)
    await seat.settled()
    picture(seat, "console.svg")
    await seat.keys("question_mark")
    await seat.pilot.pause()
    picture(seat, "help.svg")
    await seat.keys("escape", "f9")
    await seat.settled()
    picture(seat, "console-english.svg")
    await seat.keys("f9")


async def small(seat: Seat) -> None:
    """The desk on the smallest terminal."""
    picture(seat, "console-80x24.svg")


async def many(seat: Seat) -> None:
    """Three cases marked for one form, and the command palette."""
    await seat.keys("right_square_bracket", "right_square_bracket")
    await seat.settled()
    await seat.keys("space", "space", "space")
    await seat.settled()
    picture(seat, "marked.svg")
    await seat.keys("escape", "ctrl+p")
    await seat.until(lambda: type(seat.app.screen).__name__ == "PaletteScreen", "the palette")
    await seat.keys("sp")
    await seat.pilot.pause()
    picture(seat, "palette.svg")
    await seat.keys("escape")


async def chart(seat: Seat) -> None:
    """The map, nearer than the whole county."""
    await seat.keys("f4")
    await seat.until(lambda: any("\u2801" <= sign <= "\u28ff" for sign in seat.screen_text()), "a map")
    await seat.settled()
    await seat.keys("minus", "minus", "minus", "minus")
    await seat.settled()
    picture(seat, "map.svg")


async def shift(seat: Seat) -> None:
    """Who is on duty, the week, the round through the cameras."""
    await seat.keys("f11")
    await seat.until(lambda: type(seat.app.screen).__name__ == "ShiftScreen", "the shift desk")
    await seat.settled()
    await seat.keys("s")
    await seat.on_form()
    await seat.keys("ctrl+s")
    await seat.until(lambda: "已签到" in seat.banner, "signed on")
    await seat.settled()
    await seat.keys("right_square_bracket")
    await seat.settled()
    picture(seat, "roster.svg")
    await seat.keys("f12")
    await seat.until(lambda: type(seat.app.screen).__name__ == "VideoScreen", "the video seat")
    await seat.settled()
    await seat.keys("n")
    await seat.settled()
    picture(seat, "video.svg")


async def figures(seat: Seat) -> None:
    """Figures and the doctor, by the palette."""
    for letters, name, words in (
        ("tj", "figures.svg", "今日上报"), ("xt", "system.svg", "正常"), ("khpj", "evaluation.svg", "综合分"),
        ("jg", "oversight.svg", "延期台账"),
    ):  # fmt: skip
        await seat.keys("ctrl+p")
        await seat.until(lambda: type(seat.app.screen).__name__ == "PaletteScreen", "the palette")
        await seat.keys(letters, "enter")
        await seat.until(lambda words=words: words in seat.screen_text(), words)
        await seat.settled()
        picture(seat, name)


async def wall(url: str, account: str, password: str) -> None:
    """The pages of the wall screen."""
    app = Wall(url, Access("", account, password), seconds=3600)
    async with app.run_test(size=(120, 36)) as pilot:
        seat = Seat(app, pilot)  # type: ignore[arg-type]  # another app, drawn in the same way
        await seat.until(lambda: app.shown.figures, "the figures")
        for turn, name in enumerate(("wall.svg", "wall-units.svg")):
            app.turn = turn
            app.draw()
            await pilot.pause()
            picture(seat, name)


async def form(seat: Seat) -> None:
    """The form of a supervision, its sentences found by their letters."""
    await seat.keys(next(key.key for key in seat.app.screen.action_keys if key.action == "supervise"))
    await seat.on_form()
    await seat.keys("q")
    await seat.settled()
    picture(seat, "form.svg")
    await seat.keys("escape")


async def intake(seat: Seat) -> None:
    """The intake while a caller talks."""
    await seat.keys("f3")
    await seat.until(lambda: type(seat.app.screen).__name__ == "IntakeScreen" and seat.app.focused, "intake")
    await seat.keys("13800000001", "enter", "wsjg")
    await seat.settled()
    await seat.keys("enter", "enter", PLACE)
    await seat.settled()
    await seat.keys("enter")
    await seat.settled()
    picture(seat, "intake.svg")


async def walk(url: str, account: str, password: str) -> None:
    """All pictures."""
    for size, steps in (
        (WIDE, (desk, form, intake)), (WIDE, (many, chart)), (WIDE, (shift, figures)), ((80, 24), (small,)),
    ):  # fmt: skip
        app = Console(url)
        async with app.run_test(size=size) as pilot:
            seat = Seat(app, pilot)
            await seat.sign_in(account, password)
            for step in steps:
                await step(seat)
    await wall(url, account, password)


def main() -> None:
    """Copy the home, start a node on it, draw."""
    arguments = sys.argv[1:]
    if not arguments or not (Path(arguments[0]) / "county.db").is_file():
        sys.exit("usage: python -m tests.tui.make_pictures HOME [ACCOUNT PASSWORD]")
    account, password = arguments[1:3] if len(arguments) > 2 else ("yiren", "wanmi-demo")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(arguments[0], home)
        os.environ |= {"XDG_CONFIG_HOME": f"{folder}/config", "XDG_STATE_HOME": f"{folder}/state"}
        node = RunningNode(home).start()
        try:
            asyncio.run(walk(node.url, account, password))
        finally:
            node.stop()


if __name__ == "__main__":
    main()
