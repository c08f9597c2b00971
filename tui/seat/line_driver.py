"""The terminal driver of the console: Textual's own, with fewer bytes for the same picture.

Textual ends every piece of text with a reset and begins the next one with its whole style, also where the style is the
same. Over a slow line that is half of what is sent, so a reset that is followed by the style just used is left out.
"""

from __future__ import annotations

import re

from textual.drivers.linux_driver import LinuxDriver

SAME_STYLE = re.compile(r"(\x1b\[[0-9;]+m)([^\x1b]*)\x1b\[0m(?=\1)")
REPEATED = re.compile(r"(\x1b\[[0-9;]+m)([^\x1b]+)\1")


class LineDriver(LinuxDriver):
    """For slow lines."""

    def write(self, data: str) -> None:
        super().write(thin(data))


def thin(data: str) -> str:
    """The same output without resets between pieces of one style; every styled piece of `data` ends with a reset.

    >>> thin("\\x1b[1;31mred \\x1b[0m\\x1b[1;31mstill\\x1b[0m")
    '\\x1b[1;31mred still\\x1b[0m'
    """
    joined = SAME_STYLE.sub(r"\1\2", data)
    while (shorter := REPEATED.sub(r"\1\2", joined)) != joined:
        joined = shorter
    return joined
