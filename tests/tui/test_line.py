"""What goes over the line: the same picture with fewer bytes."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tui.seat.line_driver import thin

STYLES = ("\x1b[1;31m", "\x1b[38;5;251;48;5;16m", "\x1b[7m")
MOVES = ("\x1b[3;1H", "\x1b[2K", "\r\n", "")


def cells(data: str) -> list[tuple[str, tuple[str, ...]]]:
    """Every sign and control with the styles in force since the last reset, each once."""
    found: list[tuple[str, tuple[str, ...]]] = []
    style: list[str] = []
    for token in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|[^\x1b]", data):
        if token == "\x1b[0m":
            style = []
        elif token.endswith("m") and token.startswith("\x1b"):
            style = [other for other in style if other != token] + [token]
        else:
            found.append((token, tuple(style)))
    return found


words = st.text("ab 井盖", max_size=4)
styled = st.tuples(st.sampled_from(STYLES), words, st.just("\x1b[0m"))
"""Textual resets after every piece that has a style."""
piece = styled | st.tuples(st.just(""), words, st.just(""))


@given(st.lists(st.tuples(piece, st.sampled_from(MOVES)), max_size=12))
def test_a_thinner_line_shows_the_same(pieces: list[tuple[tuple[str, str, str], str]]) -> None:
    data = "".join("".join(parts) + move for parts, move in pieces)
    assert cells(thin(data)) == cells(data)
    assert len(thin(data)) <= len(data)


def test_a_row_of_one_style_has_one_style() -> None:
    row = "".join(f"\x1b[1;38;5;251m{word} \x1b[0m" for word in ("井盖", "药城路", "市政"))
    assert thin(row) == "\x1b[1;38;5;251m井盖 药城路 市政 \x1b[0m"
