"""A picture as half blocks: two pixels in a cell, the upper as the letter, the lower behind it. Pure."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby

from PIL import Image
from rich.color import Color
from rich.style import Style
from rich.text import Text

UPPER = "\u2580"


def half_blocks(picture: Image.Image, width: int, height: int, *, blocks: bool = True) -> list[Text]:
    """The picture fitted into a box of cells, its middle in the box's middle.

    Args:
        blocks: with half blocks; without, in coloured blanks two cells wide, for fonts without block signs and for
            terminals that draw them two cells wide.
    """
    across, down = (width, height * 2) if blocks else (width // 2, height)
    if across < 1 or down < 1:
        return []
    share = min(across / picture.width, down / picture.height)
    wide, high = max(int(picture.width * share), 1), max(int(picture.height * share), 1)
    small = picture.resize((wide, high), Image.Resampling.BOX if share < 1 else Image.Resampling.NEAREST)
    pixels = small.tobytes()
    left = (width - (wide if blocks else wide * 2)) // 2
    step = 2 if blocks else 1
    rows = [_row(pixels, y, wide, high, left, blocks=blocks) for y in range(0, high, step)]
    above = (height - len(rows)) // 2
    return [*(Text("", end="") for _ in range(above)), *rows]


def _row(pixels: bytes, y: int, wide: int, high: int, left: int, *, blocks: bool) -> Text:
    line = Text(" " * left, no_wrap=True, end="")
    sign = UPPER if blocks else "  "
    for style, run in groupby(_cell(pixels, x, y, wide, high, blocks=blocks) for x in range(wide)):
        line.append(sign * sum(1 for _ in run), style)
    return line


def _cell(pixels: bytes, x: int, y: int, wide: int, high: int, *, blocks: bool) -> Style:
    upper = _at(pixels, x, y, wide)
    if not blocks:
        return _style(None, upper)
    return _style(upper, _at(pixels, x, y + 1, wide) if y + 1 < high else None)


def _at(pixels: bytes, x: int, y: int, wide: int) -> tuple[int, int, int]:
    """A pixel, its colours rounded so that fewer bytes go over a slow line."""
    at = (y * wide + x) * 3
    red, green, blue = pixels[at : at + 3]
    return red & 0xF8, green & 0xF8, blue & 0xF8


@lru_cache(maxsize=4096)
def _style(colour: tuple[int, int, int] | None, behind: tuple[int, int, int] | None) -> Style:
    return Style(color=Color.from_rgb(*colour) if colour else None, bgcolor=Color.from_rgb(*behind) if behind else None)
