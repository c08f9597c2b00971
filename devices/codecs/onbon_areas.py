"""Dynamic areas of an Onbon card: where a text stands and how it runs. They live in RAM and are lost at power off.

Source: "BX-5K/6K user protocol" v1.4, command A3 06. `x` and `width` count pixels when the high bit of their word is
set, else units of 8 pixels; the document and every captured frame of a 6K card set it, so do we.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

FIELDS = struct.Struct("<BHHHHBBBHBBBBBBBBBI")
IN_PIXELS = 0x8000
UNIT = 8
DELETE_ALL = 0xFF
LOOP, STOP_ON_LAST, DROP_WHEN_STALE = range(3)
SINGLE_LINE, MANY_LINES = 1, 2
BREAK_BY_MARK, BREAK_BY_CARD = 1, 2


@dataclass(frozen=True, slots=True)
class Area:
    """A text on the sign.

    Attributes:
        x, y, width, height: in pixels; x and width are multiples of 8 unless `in_pixels`.
        run_mode: 0 loop, 1 stop on the last page, 2 loop and drop when not refreshed within `timeout` seconds.
        align: bits 1-0 left, right, centre; bits 3-2 top, bottom, middle.
        lines: 1 one line, 2 many. breaks: 1 only by `\\n` in the text, 2 also by the card.
        display: 1 still, 2 quick, 3 left, 4 right, 5 up, 6 down. speed: 0 fast to 18h slow. stay: half seconds.
        text: GBK with the card's inline marks.
    """

    id: int
    x: int
    y: int
    width: int
    height: int
    text: bytes
    line_gap: int = 0
    run_mode: int = LOOP
    timeout: int = 10
    align: int = 0
    lines: int = MANY_LINES
    breaks: int = BREAK_BY_MARK
    display: int = 1
    leaving: int = 0
    speed: int = 2
    stay: int = 10
    in_pixels: bool = True

    def encode(self) -> bytes:
        """The bytes of the area.

        Raises:
            ValueError: a field is out of its range.
        """
        x, width = (self.x | IN_PIXELS, self.width | IN_PIXELS) if self.in_pixels else (self.x // 8, self.width // 8)
        if not self.in_pixels and (self.x % UNIT or self.width % UNIT):
            raise ValueError("x and width are multiples of 8 pixels")
        if not (0 <= self.x < IN_PIXELS and 0 < self.width < IN_PIXELS):
            raise ValueError("x or width is out of range")
        try:
            fields = FIELDS.pack(
                0, x, self.y, width, self.height, self.id, self.line_gap, self.run_mode, self.timeout, 0, 0,
                self.align, self.lines, self.breaks, self.display, self.leaving, self.speed, self.stay, len(self.text),
            )  # fmt: skip
        except struct.error as error:
            raise ValueError(f"a field is out of its range: {error}") from None
        return fields + self.text


def areas_payload(areas: tuple[Area, ...] = (), delete: tuple[int, ...] | None = ()) -> bytes:
    """Delete areas (None: all), then show these."""
    deletes = bytes((DELETE_ALL,)) if delete is None else bytes((len(delete), *delete))
    written = (area.encode() for area in areas)
    return deletes + bytes((len(areas),)) + b"".join(len(one).to_bytes(2, "little") + one for one in written)


def read_areas_payload(payload: bytes) -> tuple[tuple[Area, ...], tuple[int, ...] | None] | None:
    """Areas and deletions of a command; None when it does not add up, or has sound, which only -YY cards have."""
    if not payload:
        return None
    delete: tuple[int, ...] | None = None
    at = 1
    if payload[0] != DELETE_ALL:
        at += payload[0]
        delete = tuple(payload[1:at])
    areas = []
    count, at = (payload[at], at + 1) if at < len(payload) else (-1, at)
    for _ in range(count):
        length = int.from_bytes(payload[at : at + 2], "little")
        area = _read_area(payload[at + 2 : at + 2 + length]) if len(payload) >= at + 2 + length else None
        if area is None:
            return None
        areas.append(area)
        at += 2 + length
    return (tuple(areas), delete) if at == len(payload) and count >= 0 else None


def _read_area(data: bytes) -> Area | None:
    if len(data) < FIELDS.size:
        return None
    (
        kind, x, y, width, height, area_id, line_gap, run_mode, timeout, sound, extended, align, lines, breaks, display,
        leaving, speed, stay, length,
    ) = FIELDS.unpack_from(data)  # fmt: skip
    text = data[FIELDS.size :]
    if kind or sound or extended or len(text) != length or (x ^ width) & IN_PIXELS:
        return None
    in_pixels = bool(x & IN_PIXELS)
    x, width = (x ^ IN_PIXELS, width ^ IN_PIXELS) if in_pixels else (x * UNIT, width * UNIT)
    if not 0 < width < IN_PIXELS or x >= IN_PIXELS:
        return None
    return Area(
        area_id, x, y, width, height, text, line_gap, run_mode, timeout, align, lines, breaks, display, leaving, speed,
        stay, in_pixels,
    )  # fmt: skip
