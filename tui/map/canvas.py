"""A drawing surface of braille dots, two by four in a terminal cell, with letters on top.

Pure: coordinates are dots from the top left corner; `rows()` gives rich texts. Colours are rich style names.
"""

from __future__ import annotations

from itertools import pairwise

from rich.cells import cell_len
from rich.text import Text

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BLANK = 0x2800
SHADES = (0x00, 0x20, 0x22, 0x2A, 0xAA, 0xAB, 0xBB, 0xFB, 0xFF, 0xFF)
"""Ten densities of a cell, from no dot to all eight."""


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
        right, down = (x2 - x1) / steps, (y2 - y1) / steps
        width, masks, styles = self.width, self._masks, self._styles
        for step in range(steps + 1):
            column, row = int(x1 + right * step), int(y1 + down * step)
            cell = (row >> 2) * width + (column >> 1)
            masks[cell] |= DOTS[row & 3][column & 1]
            styles[cell] = style

    def path(self, points: list[tuple[float, float]], style: str = "") -> None:
        """Straight lines through the points."""
        for (x1, y1), (x2, y2) in pairwise(points):
            self.line(x1, y1, x2, y2, style)

    def shade(self, column: int, row: int, level: int, style: str = "") -> None:
        """Fill a cell with as many dots as its density (0 to 9) asks for; lines drawn before or later stay."""
        if 0 <= column < self.width and 0 <= row < self.height and level > 0:
            cell = row * self.width + column
            if not self._masks[cell]:
                self._styles[cell] = style
            self._masks[cell] |= SHADES[min(level, 9)]

    def mark(self, x: float, y: float, sign: str, style: str = "") -> None:
        """Put a one-cell sign on the cell of a dot, over whatever is drawn there."""
        if 0 <= x < self.dots_wide and 0 <= y < self.dots_high:
            self._marks[(int(y) // 4) * self.width + int(x) // 2] = (sign, style)

    def write(self, x: float, y: float, text: str, style: str = "") -> bool:
        """Write a text with its middle on a dot; not where it would not fit or would cover a sign."""
        cells = cell_len(text)
        column, row = int(x) // 2 - cells // 2, int(y) // 4
        if not text or column < 0 or column + cells > self.width or not 0 <= row < self.height:
            return False
        first = row * self.width + column
        if any(cell in self._marks for cell in range(first - 1, first + cells + 1)):
            return False
        for sign in text:
            self._marks[first] = (sign, style)
            for cell in range(first + 1, first + cell_len(sign)):
                self._marks[cell] = ("", style)
            first += cell_len(sign)
        return True

    def rows(self) -> list[Text]:
        """The surface as lines of text."""
        return [self._row(number) for number in range(self.height)]

    def text(self) -> Text:
        """The surface as one text."""
        return Text("\n").join(self.rows())

    def _row(self, number: int) -> Text:
        line = Text(no_wrap=True, end="")
        run: list[str] = []
        before = ""
        for cell in range(number * self.width, (number + 1) * self.width):
            sign, style = self._marks.get(cell) or (self._sign(self._masks[cell]), self._styles[cell])
            if style != before and run:
                line.append("".join(run), before)
                run = []
            before = style
            run.append(sign)
        return line.append("".join(run), before)

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
