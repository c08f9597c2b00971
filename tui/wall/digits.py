"""Huge digits of filled cells, as large as a box allows. Pure.

They are blanks in reverse, so that any font and any terminal draws them, also one that shows no colour.
"""

from __future__ import annotations

from rich.text import Text

HEIGHT = 5
GLYPHS = {
    "0": "###/# #/# #/# #/###", "1": " # /## / # / # /###", "2": "###/  #/###/#  /###", "3": "###/  #/###/  #/###",
    "4": "# #/# #/###/  #/  #", "5": "###/#  /###/  #/###", "6": "###/#  /###/# #/###", "7": "###/  #/  #/  #/  #",
    "8": "###/# #/###/# #/###", "9": "###/# #/###/  #/###", "%": "# #/  #/ # /#  /# #", ".": " / / / /#",
    "-": "   /   /###/   /   ", " ": " / / / / ",
}  # fmt: skip


def points(text: str) -> list[str]:
    """A text as five rows of `#` and blanks, one blank between signs; other signs are left out."""
    glyphs = [GLYPHS[sign].split("/") for sign in text if sign in GLYPHS]
    return [" ".join(glyph[row] for glyph in glyphs) for row in range(HEIGHT)]


def scale(text: str, width: int, height: int) -> tuple[int, int]:
    """How many cells wide and high a point may be in a box; at least one each."""
    wide = max(len(points(text)[0]), 1)
    high = max(height // HEIGHT, 1)
    across = max(min(width // wide, high * 3), 1)
    return across, min(high, across)


def huge(text: str, width: int, height: int, style: str = "") -> list[Text]:
    """A text in huge digits in the middle of a box of exactly so many cells; plain where even the smallest is too wide.

    Args:
        style: a rich colour or style of the digits.
    """
    rows = points(text)
    across, down = scale(text, width, height)
    wide = len(rows[0]) * across
    if wide > width or height < HEIGHT:
        line = Text(text.center(width)[:width], f"bold {style}".strip(), no_wrap=True, end="")
        return [line if at == height // 2 else Text(" " * width, end="") for at in range(height)]
    left, top = (width - wide) // 2, (height - HEIGHT * down) // 2
    blank = Text(" " * width, end="")
    drawn = [blank.copy() for _ in range(top)]
    for row in rows:
        line = Text(" " * left, no_wrap=True, end="")
        for sign in row:
            line.append(" " * across, f"{style} reverse".strip() if sign == "#" else "")
        line.append(" " * (width - left - wide))
        drawn += [line.copy() for _ in range(down)]
    return [*drawn, *(blank.copy() for _ in range(height - len(drawn)))]
