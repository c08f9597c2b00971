"""Payloads of AM03127 signs: pages, clock, schedule, deleting, brightness, and text with tags.

Source: the same as `am03127.py`. Pages are A to Z on lines 1 to 8. Text is Latin (code page 1252); `<` and `>` in a
text become tags, so that no text can be taken for a command.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

PAGES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LEADING = "ABCDEFGHIJKLMNPQRS"
LAGGING = "ABCDEFGHIJK"
WAITS = PAGES
"""A half a second, then B 1 second to Z 25 seconds."""
CODE_PAGE = "cp1252"
DATE, TIME = b"<KD>", b"<KT>"
BRACKETS = {b"<": b"<UBC>", b">": b"<UBE>"}
PAGE = re.compile(rb"<L(\d)><P([A-Z])><F([A-Z])><M([A-Za-z])><W([A-Z])><F([A-Z])>(.*)", re.DOTALL)
CLOCK = re.compile(rb"<SC>(\d\d)0([1-7])(\d{10})")


def page(line: int, letter: str, leading: str, speed: str, wait: int, lagging: str, text: bytes) -> bytes:
    """Put a text on a page.

    Args:
        line: 1-8. letter: A-Z.
        leading, lagging: how it comes and goes, a letter of the document.
        speed: A fast, Q, a, q slow; the letters after them blink.
        wait: seconds 0 (half a second) to 25.
        text: tags and text (`plain`).
    """
    return b"<L%d><P%s><F%s><M%s><W%s><F%s>%s" % (
        line, letter.encode("ascii"), leading.encode("ascii"), speed.encode("ascii"), WAITS[wait].encode("ascii"),
        lagging.encode("ascii"), text,
    )  # fmt: skip


def plain(text: str) -> bytes:
    """Text as bytes, its angle brackets as tags.

    Raises:
        UnicodeEncodeError: a character that code page 1252 does not have.
    """
    return re.sub(rb"[<>]", lambda found: BRACKETS[found[0]], text.encode(CODE_PAGE))


def colour(letter: str) -> bytes:
    """What follows is in this colour, A to S."""
    return b"<C%s>" % letter.encode("ascii")


def font(letter: str) -> bytes:
    """What follows is in this font, A to E."""
    return b"<A%s>" % letter.encode("ascii")


def clock(moment: datetime, weekday: int | None = None) -> bytes:
    """Set the clock; the weekday is 1-7, Monday 1, that of the date unless told otherwise."""
    return b"<SC>" + moment.strftime(f"%y0{weekday or moment.isoweekday()}%m%d%H%M%S").encode("ascii")


def read_clock(payload: bytes) -> datetime | None:
    """The time in a set-clock command, None when it is none."""
    match = CLOCK.fullmatch(payload)
    try:
        return datetime.strptime((match[1] + match[3]).decode("ascii"), "%y%m%d%H%M%S") if match else None
    except ValueError:
        return None


def schedule(letter: str, start: str, end: str, pages: Sequence[str]) -> bytes:
    """Show pages from one time to another, both as yymmddHHMM."""
    return f"<T{letter}>{start}{end}{''.join(pages)}".encode("ascii")


def delete_page(line: int, letter: str) -> bytes:
    """Forget one page."""
    return f"<DL{line}P{letter}>".encode("ascii")


def delete_schedule(letter: str) -> bytes:
    """Forget one schedule."""
    return f"<DT{letter}>".encode("ascii")


def delete_all() -> bytes:
    """Forget every page and schedule. No driver sends it."""
    return b"<D*>"


def brightness(letter: str) -> bytes:
    """A brightest, B bright, C half, D dark."""
    return b"<B%s>" % letter.encode("ascii")
