"""Draws the pictures of docs/pictures from a home: `python -m tests.tui.make_pictures HOME [ACCOUNT PASSWORD]`.

HOME is copied first and stays as it is; `wanmi demo make` makes one. The pictures are exports of the app itself.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.nodes import RunningNode
from tests.tui.conftest import Seat
from tui.app import Console

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
LARGEST = 300_000
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
    """Desk and map on the smallest terminal."""
    picture(seat, "console-80x24.svg")
    await seat.keys("f4")
    await seat.until(lambda: any("\u2801" <= sign <= "\u28ff" for sign in seat.screen_text()), "a map")
    await seat.settled()
    picture(seat, "map.svg")


async def form(seat: Seat) -> None:
    """The form of the second action on offer, its sentences found by their letters."""
    await seat.keys(seat.key_line[1][0])
    await seat.on_form()
    await seat.keys("cz")
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
    for size, steps in (((120, 36), (desk, form, intake)), ((80, 24), (small,))):
        app = Console(url)
        async with app.run_test(size=size) as pilot:
            seat = Seat(app, pilot)
            await seat.sign_in(account, password)
            for step in steps:
                await step(seat)


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
        node = RunningNode(home).start()
        try:
            asyncio.run(walk(node.url, account, password))
        finally:
            node.stop()


if __name__ == "__main__":
    main()
