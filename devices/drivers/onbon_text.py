"""Text for an Onbon sign: our mark-up, GBK, and what each character takes in cells of 8 pixels.

A county writes `{red}注意{/} 水位 {time}`: colours until `{/}`, live date and time, `{br}` for a new line, doubled
braces for braces. The names, also in Chinese, are a table (`onbon_marks.csv`). The card itself marks with
backslashes and cannot show one, so they are taken out of a text, and that is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from devices.drivers.csv_tables import read_table
from devices.errors import BadValue

SIGNS = ("single", "dual", "full")
MISSING = "〓"
"""Stands for a character that the sign cannot write; GB2312 has it, and printers use it so."""
TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|(.)", re.DOTALL)
END_OF_COLOUR = "/"


@dataclass(frozen=True, slots=True)
class Mark:
    """A name in braces: what it is, what the card calls it, how many cells it takes, which signs have it."""

    name: str
    chinese: str
    kind: str
    code: bytes
    cells: int
    signs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Glyph:
    """What is never torn apart: a character or a live figure; `text` is what is seen, `colour` the card's code."""

    text: str
    data: bytes
    cells: int
    colour: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """A text that was read: its lines as glyphs, the characters that were replaced, what else was changed."""

    lines: list[list[Glyph]]
    replaced: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]


@cache
def marks() -> dict[str, Mark]:
    """The marks by their English and Chinese names.

    Raises:
        TableError: the table is wrong.
    """
    columns = ("mark", "chinese", "kind", "code", "cells", "signs")
    found: dict[str, Mark] = {}
    for row in read_table("onbon_marks.csv", columns, unique="mark"):
        mark = Mark(
            row["mark"],
            row["chinese"],
            row.one_of("kind", ("colour", "live", "break")),
            row["code"].encode("ascii"),
            row.number("cells", 0, 32),
            frozenset(row["signs"].split("|")),
        )
        found[mark.name] = found[mark.chinese] = mark
    return found


def read_text(text: str, sign: str, base: str) -> Read:
    """Read our mark-up.

    Args:
        sign: single, dual or full, what colours the sign has.
        base: the colour outside marks.

    Raises:
        BadValue: an unknown mark, or a colour that the sign does not have.
    """
    return _Reader(sign, base).read(text)


class _Reader:
    def __init__(self, sign: str, base: str) -> None:
        self._sign = sign
        self._colours = [marks()[base].code if sign != "single" else b""]
        self._lines: list[list[Glyph]] = [[]]
        self._replaced: list[str] = []
        self._notes: dict[str, str] = {}

    def read(self, text: str) -> Read:
        for token in TOKEN.finditer(text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")):
            mark, character = token.groups()
            if mark is not None:
                self._mark(mark.strip().lower())
            else:
                self._character(character or token[0][0])
        return Read(self._lines, tuple(dict.fromkeys(self._replaced)), tuple(self._notes.items()))

    def _character(self, character: str) -> None:
        if character == "\n":
            self._lines.append([])
        elif character == "\\":
            self._notes["反斜杠是控制卡的标记,已去掉"] = "a backslash is a mark of the card and was taken out"
        elif character >= " " and character != "\x7f":
            data = _gbk(character)
            if data is None:
                self._replaced.append(character)
                character, data = MISSING, MISSING.encode("gbk")
            self._lines[-1].append(Glyph(character, data, len(data), self._colours[-1]))

    def _mark(self, name: str) -> None:
        if name == END_OF_COLOUR:
            self._colours = self._colours[: max(1, len(self._colours) - 1)]
            return
        mark = marks().get(name)
        if mark is None:
            known = "、".join(mark.name for mark in dict.fromkeys(marks().values()))
            raise BadValue(
                f"没有标记 {{{name}}};可用: {known};要显示花括号请写 {{{{ 和 }}}}。",
                f"There is no mark {{{name}}}; known: {known.replace('、', ', ')}; write {{{{ and }}}} for braces.",
            )
        if mark.kind == "break":
            self._lines.append([])
        elif mark.kind == "live":
            self._lines[-1].append(Glyph(f"{{{mark.name}}}", mark.code, mark.cells, self._colours[-1]))
        else:
            self._colours.append(self._colour(mark))

    def _colour(self, mark: Mark) -> bytes:
        if self._sign == "single":
            self._notes["单色屏,颜色标记不起作用"] = "the sign has one colour, colours have no effect"
            return b""
        if self._sign not in mark.signs:
            has = [other for other in dict.fromkeys(marks().values()) if other.kind == "colour"]
            names = [other for other in has if self._sign in other.signs]
            raise BadValue(
                f"该屏没有{mark.chinese}色;可用: {'、'.join(other.chinese for other in names)} (选项 colours)。",
                f"The sign has no {mark.name}; it has {', '.join(other.name for other in names)} (option colours).",
            )
        return mark.code


def _gbk(character: str) -> bytes | None:
    """One byte of ASCII, or two of GBK; a second byte that is a backslash could be taken for a mark of the card."""
    try:
        data = character.encode("gbk")
    except UnicodeEncodeError:
        return None
    good = (len(data) == 1 and data[0] < 0x80) or (len(data) == 2 and data[1] != 0x5C)
    return data if good else None
