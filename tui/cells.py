"""Texts cut and filled to a width in terminal cells (a Chinese sign takes two)."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def fit(text: str, width: int, *, end: str = "..") -> str:
    """The text in exactly `width` cells: filled with blanks, or cut with `end` at its end."""
    plain = " ".join(text.split())
    if cell_len(plain) <= width:
        return set_cell_size(plain, width)
    if width <= len(end):
        return set_cell_size(plain, width)
    return set_cell_size(set_cell_size(plain, width - len(end)).rstrip() + end, width)


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells; Chinese may break anywhere, words are kept where they fit."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in _words(paragraph):
            if line and cell_len(line + word.rstrip()) > width:
                lines.append(line.rstrip())
                line = ""
                word = word.lstrip()
            while cell_len(word) > width > 1:
                piece = set_cell_size(word, width).rstrip()
                lines.append(piece)
                word = word[len(piece) :]
            line += word
        lines.append(line.rstrip())
    return lines


def _words(text: str) -> list[str]:
    found: list[str] = []
    for sign in text:
        glued = found and sign.isascii() and found[-1][-1].isascii() and not found[-1].endswith(" ")
        if glued:
            found[-1] += sign
        else:
            found.append(sign)
    return found
