"""A drawing surface of braille dots, two by four in a terminal cell, with letters on top.

Pure: coordinates are dots from the top left corner; `rows()` gives rich texts. Colours are rich style names.
"""

from __future__ import annotations

from itertools import pairwise

from rich.text import Text

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BLANK = 0x2800


class Canvas:
    """A surface of `width` by `height` cells.

    Args:
        braille: draw with braille dots; without, cells with dots are drawn as `.`, `:` and `#` for terminals
            whose font has none.
    """

    __slots__ = ("_marks", "_masks", "_styles", "braille", "height", "width")

    def __init__(self, width: int, height: int, *, braille: bool = True) -> None:
        self.width, self.height, self.braille = max(width, 1), max(height, 1), braille
        cells = self.width * self.height
        self._masks = bytearray(cells)
        self._styles = [""] * cells
        self._marks: dict[int, tuple[str, str]] = {}

    @property
    def dots_wide(self) -> int:
        """Width in dots."""
        return self.width * 2

    @property
    def dots_high(self) -> int:
        """Height in dots."""
        return self.height * 4

    def dot(self, x: float, y: float, style: str = "") -> None:
        """Set one dot; outside the surface nothing happens."""
        column, row = int(x), int(y)
        if 0 <= column < self.dots_wide and 0 <= row < self.dots_high and x >= 0 and y >= 0:
            cell = (row // 4) * self.width + column // 2
            self._masks[cell] |= DOTS[row % 4][column % 2]
            if style:
                self._styles[cell] = style

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str = "") -> None:
        """A straight line, clipped to the surface."""
        clipped = _clip(x1, y1, x2, y2, self.dots_wide - 1, self.dots_high - 1)
        if clipped is None:
            return
        x1, y1, x2, y2 = clipped
        steps = max(int(max(abs(x2 - x1), abs(y2 - y1))), 1)
        for step in range(steps + 1):
            share = step / steps
            self.dot(x1 + (x2 - x1) * share, y1 + (y2 - y1) * share, style)

    def path(self, points: list[tuple[float, float]], style: str = "") -> None:
        """Straight lines through the points."""
        for (x1, y1), (x2, y2) in pairwise(points):
            self.line(x1, y1, x2, y2, style)

    def mark(self, x: float, y: float, sign: str, style: str = "") -> None:
        """Put a one-cell sign on the cell of a dot, over whatever is drawn there."""
        if 0 <= x < self.dots_wide and 0 <= y < self.dots_high:
            self._marks[(int(y) // 4) * self.width + int(x) // 2] = (sign, style)

    def rows(self) -> list[Text]:
        """The surface as lines of text."""
        return [self._row(number) for number in range(self.height)]

    def text(self) -> Text:
        """The surface as one text."""
        return Text("\n").join(self.rows())

    def _row(self, number: int) -> Text:
        line = Text(no_wrap=True, end="")
        for cell in range(number * self.width, (number + 1) * self.width):
            if cell in self._marks:
                line.append(*self._marks[cell])
            else:
                line.append(self._sign(self._masks[cell]), self._styles[cell])
        return line

    def _sign(self, mask: int) -> str:
        if not mask:
            return " "
        if self.braille:
            return chr(BLANK + mask)
        count = mask.bit_count()
        return "." if count <= 2 else ":" if count <= 5 else "#"


def _clip(
    x1: float, y1: float, x2: float, y2: float, right: float, bottom: float
) -> tuple[float, float, float, float] | None:
    """The part of a line inside the box from (0, 0) to (right, bottom) (Liang-Barsky), None if there is none."""
    dx, dy = x2 - x1, y2 - y1
    enter, leave = 0.0, 1.0
    for step, room in ((-dx, x1), (dx, right - x1), (-dy, y1), (dy, bottom - y1)):
        if step == 0:
            if room < 0:
                return None
            continue
        at = room / step
        if step < 0:
            enter = max(enter, at)
        else:
            leave = min(leave, at)
    if enter > leave:
        return None
    return x1 + dx * enter, y1 + dy * enter, x1 + dx * leave, y1 + dy * leave
