"""How the console looks: the usual dark theme, high contrast for bright halls, and none at all.

Colour is never alone: lights have words in lists and shapes on maps, so the last one loses nothing.
"""

from __future__ import annotations

from textual.theme import Theme

USUAL, CONTRAST, PLAIN = "wanmi", "contrast", "plain"
ORDER = (USUAL, CONTRAST, PLAIN)

THEMES = (
    Theme(
        name=USUAL, primary="#1f4e79", secondary="#6aa6d6", accent="#d7af5f", foreground="#d0d0d0",
        background="#101418", surface="#1c2228", panel="#2a323a", success="#5faf5f", warning="#d7af5f",
        error="#d75f5f", dark=True,
    ),
    Theme(
        name=CONTRAST, primary="#0000ff", secondary="#00ffff", accent="#ffff00", foreground="#ffffff",
        background="#000000", surface="#000000", panel="#303030", success="#00ff00", warning="#ffff00",
        error="#ff5555", dark=True, variables={"text-muted": "#ffffff"},
    ),
    Theme(
        name=PLAIN, primary="#000000", secondary="#ffffff", accent="#ffffff", foreground="#ffffff",
        background="#000000", surface="#000000", panel="#404040", success="#808080", warning="#808080",
        error="#c0c0c0", dark=True,
    ),
)  # fmt: skip


def next_theme(name: str) -> str:
    """The theme after this one."""
    return ORDER[(ORDER.index(name) + 1) % len(ORDER)] if name in ORDER else USUAL
