"""Lines and pages of an Onbon sign: wrapped to its width in cells, written with the card's marks, and read back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from devices.drivers.onbon_text import Glyph, marks

CELL_PIXELS = 8
LINE_PIXELS = 16
"""The cards' usual font: Latin 8 x 16, Chinese 16 x 16 pixels."""
NEW_LINE = b"\\n"
NOT_FIRST = frozenset("，。、；：？！）》」』】”’…,.;:?!)]}%")
NOT_LAST = frozenset("（《「『【“‘([{")


@dataclass(frozen=True, slots=True)
class Layout:
    """A text as the sign shows it: the card's bytes, the lines a reader sees, how many pages they make."""

    data: bytes
    lines: tuple[str, ...]
    pages: int


def lay_out(lines: list[list[Glyph]], width: int, height: int) -> Layout:
    """Wrap to a width and split into pages of a height, both in pixels.

    The card turns the pages: each takes as many lines as the height has room for.
    """
    wrapped = [part for line in lines for part in wrap(line, width // CELL_PIXELS)]
    rows = max(1, height // LINE_PIXELS)
    return Layout(_written(wrapped), tuple(_seen(line) for line in wrapped), -(-len(wrapped) // rows))


def one_line(lines: list[list[Glyph]]) -> Layout:
    """All of it in one running line; new lines become a space."""
    colour = next((glyph.colour for line in lines for glyph in line), b"")
    joined: list[Glyph] = []
    for number, line in enumerate(lines):
        joined += [Glyph(" ", b" ", 1, colour), *line] if number else line
    return Layout(_written([joined]), (_seen(joined),), 1)


def without_colour(lines: list[list[Glyph]], base: bytes) -> list[list[Glyph]]:
    """A text that is in its base colour throughout is left to the card, which has a colour of its own for it."""
    if any(glyph.colour != base for line in lines for glyph in line):
        return lines
    return [[replace(glyph, colour=b"") for glyph in line] for line in lines]


def wrap(line: list[Glyph], cells: int) -> list[list[Glyph]]:
    """Cut a line where it is full, between words and not before closing punctuation where that can be had."""
    done: list[list[Glyph]] = []
    while sum(glyph.cells for glyph in line) > cells:
        fits, room = 0, cells
        while fits < len(line) and line[fits].cells <= room:
            room -= line[fits].cells
            fits += 1
        fits = max(fits, 1)
        at = next((place for place in range(fits, 0, -1) if _may_part(line, place)), fits)
        done.append(_stripped(line[:at]))
        line = line[at:]
        while line and line[0].text == " ":
            line = line[1:]
        if not line:
            return done
    return [*done, line]


def _may_part(line: list[Glyph], at: int) -> bool:
    before, after = line[at - 1].text, line[at].text if at < len(line) else " "
    if after in NOT_FIRST or before in NOT_LAST:
        return False
    return " " in (before, after) or not (before.isascii() and after.isascii() and before[0] != "{" != after[0])


def _stripped(line: list[Glyph]) -> list[Glyph]:
    while len(line) > 1 and line[-1].text == " ":
        line = line[:-1]
    return line


def _seen(line: list[Glyph]) -> str:
    return "".join(glyph.text for glyph in line)


def _written(lines: list[list[Glyph]]) -> bytes:
    """The bytes of the card: a colour is written where it changes."""
    written, colour = b"", b""
    for number, line in enumerate(lines):
        written += NEW_LINE if number else b""
        for glyph in line:
            if glyph.colour != colour:
                colour = glyph.colour
                written += colour
            written += glyph.data
    return written


def read_back(data: bytes) -> tuple[str, list[tuple[str, str]]]:
    """What a spectator sees of the card's bytes: the text with its lines, and the runs of one colour.

    Live figures stand in braces. Double bytes are skipped as a pair, so that none is taken for a mark.
    """
    known = sorted((mark for mark in marks().values()), key=lambda mark: -len(mark.code))
    runs: list[tuple[str, str]] = []
    colour, at = "", 0
    while at < len(data):
        mark = next((mark for mark in known if data.startswith(mark.code, at)), None)
        text = ""
        if data[at] >= 0x81:
            text, at = data[at : at + 2].decode("gbk", "replace"), at + 2
        elif mark is None:
            text, at = ("", at + 6) if data[at : at + 2] == b"\\F" else (chr(data[at]), at + 1)
        else:
            at += len(mark.code)
            if mark.kind == "colour":
                colour = mark.name
            text = {"colour": "", "break": "\n"}.get(mark.kind, f"{{{mark.name}}}")
        if runs and runs[-1][0] == colour:
            runs[-1] = (colour, runs[-1][1] + text)
        elif text:
            runs.append((colour, text))
    return "".join(text for _, text in runs), runs
