"""Whether this terminal draws pictures itself: sixel or kitty's protocol, through the library textual-image.

The library asks the terminal when it is imported and waits a tenth of a second for each answer; over a slow line the
answer comes later and would be typed into the first field. So the terminal is asked here first, before the app starts:
only kinds of terminals known to have graphics (or all, with `WANMI_GRAPHICS=ask`), with one question that every
terminal answers at its end, for half a second at the most. The library is loaded only where the answer was quick.
`WANMI_GRAPHICS=none` asks nothing.
"""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import tty
from time import monotonic

SIXEL, KITTY = "sixel", "kitty"
ASKED_SECONDS = 0.5
QUICK_SECONDS = 0.08
QUESTION = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
"""Kitty's question whether a picture could be sent, then the terminal's attributes."""
ATTRIBUTES = re.compile(rb"\x1b\[\?([0-9;]*)c")
TERMS = ("kitty", "ghostty", "foot", "mlterm", "contour", "wezterm", "yaft")
PROGRAMS = ("WezTerm", "iTerm.app", "ghostty", "contour")

_found = ""


def protocol() -> str:
    """What was found when the app started: `sixel`, `kitty`, or empty."""
    return _found


def detect() -> str:
    """Ask the terminal, once, before the app starts."""
    global _found
    if not _worth_asking():
        return _found
    try:
        answer, seconds = ask(sys.stdin.fileno(), sys.stdout.fileno())
    except (OSError, termios.error, ValueError):
        return _found
    meant = meaning(answer)
    if meant and seconds <= QUICK_SECONDS:
        try:
            import textual_image.widget  # noqa: F401  # asks for the size of a cell, which only works now
        except (ImportError, OSError):
            return _found
        _found = meant
    return _found


def meaning(answer: bytes) -> str:
    """The protocol in an answer: sixel is attribute 4; kitty says OK."""
    found = ATTRIBUTES.search(answer)
    if found and b"4" in found.group(1).split(b";")[1:]:
        return SIXEL
    return KITTY if b"\x1b_Gi=31;OK" in answer else ""


def ask(read_from: int, write_to: int, seconds: float = ASKED_SECONDS) -> tuple[bytes, float]:
    """Put the question to a terminal; answers what came and how long it took, at the most `seconds`."""
    before = termios.tcgetattr(read_from)
    answer, began = b"", monotonic()
    try:
        tty.setcbreak(read_from, termios.TCSANOW)
        os.write(write_to, QUESTION)
        while not ATTRIBUTES.search(answer) and (left := seconds - (monotonic() - began)) > 0:
            if not select.select([read_from], [], [], left)[0]:
                break
            block = os.read(read_from, 1024)
            if not block:
                break
            answer += block
    finally:
        termios.tcsetattr(read_from, termios.TCSANOW, before)
    return answer, monotonic() - began


def _worth_asking() -> bool:
    wish = os.environ.get("WANMI_GRAPHICS", "")
    if wish == "none":
        return False
    term, program = os.environ.get("TERM", ""), os.environ.get("TERM_PROGRAM", "")
    return wish == "ask" or any(name in term for name in TERMS) or program in PROGRAMS
