"""Commands of Alpha signs: text and string files, special functions, and what is read back.

Source: the same as `alpha.py`. A text file is a label, `1B`, a position, a mode letter, text.
"""

from __future__ import annotations

from datetime import datetime

from devices.codecs.alpha import Command

WRITE_TEXT, READ_TEXT, WRITE_SPECIAL, READ_SPECIAL, WRITE_STRING = "A", "B", "E", "F", "G"
TIME_OF_DAY, GENERAL, MEMORY, DAY_OF_WEEK, TIME_FORMAT, SOFT_RESET, RUN_SEQUENCE, DIMMING, ADDRESS, DATE, ACK_NAK = (
    " ", '"', "$", "&", "'", ",", ".", "/", "7", ";", "s",
)  # fmt: skip


def write_text(text: str, *, label: str = "A", mode: str = "a", checked: bool = True) -> Command:
    """Put a text into a text file.

    Args:
        mode: a rotate, b hold, c flash, m scroll.

    Raises:
        UnicodeEncodeError: a character outside ASCII.
    """
    return Command(WRITE_TEXT, (label + "\x1b&" + mode + text).encode("ascii"), checked)


def write_string(label: str, text: str) -> Command:
    """Put a text into a string file, which text files show by its label."""
    return Command(WRITE_STRING, (label + text).encode("ascii"))


def special(function: str, data: str = "") -> Command:
    """Do a special function."""
    return Command(WRITE_SPECIAL, (function + data).encode("ascii"))


def read_special(function: str) -> Command:
    """Ask for what a special function holds; the sign answers with a write of the same function."""
    return Command(READ_SPECIAL, function.encode("ascii"))


def clock(moment: datetime) -> tuple[Command, ...]:
    """Set time of day, date and day of the week (Sunday is 1)."""
    return (
        special(TIME_OF_DAY, moment.strftime("%H%M")),
        special(DATE, moment.strftime("%m%d%y")),
        special(DAY_OF_WEEK, str(moment.isoweekday() % 7 + 1)),
    )


def dimming(mode: int, level: int) -> Command:
    """Set the dimming register.

    Args:
        mode: 0 or 1. level: 0 brightest to 4.
    """
    return special(DIMMING, f"{mode:02X}{level:02X}")
