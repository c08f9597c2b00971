"""Which cells of a row look different now. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import get_character_cell_size
from rich.text import Text

NEAR = 8
"""Changed cells that are no further apart go over the line as one piece; a piece of its own costs about as much."""


def changed_cells(before: Text, after: Text) -> Iterator[tuple[int, int]]:
    """The pieces of a row that changed: first cell and width.

    Rows are as `Canvas` makes them: a style covers a run of signs and no other.
    """
    if before == after and before.spans == after.spans:
        return
    old, new = list(_cells(before)), list(_cells(after))
    if len(old) != len(new):
        yield 0, max(len(old), len(new))
        return
    first = last = -1
    for at, (one, other) in enumerate(zip(old, new, strict=True)):
        if one == other:
            continue
        if first >= 0 and at - last > NEAR:
            yield first, last - first + 1
            first = at
        first = at if first < 0 else first
        last = at
    if first >= 0:
        yield first, last - first + 1


def _cells(row: Text) -> Iterator[tuple[str, str, int]]:
    """Sign, style and place inside the sign of every cell, so that both halves of a Chinese sign change together."""
    styles = [""] * len(row.plain)
    for span in row.spans:
        styles[span.start : span.end] = [str(span.style)] * (span.end - span.start)
    for sign, style in zip(row.plain, styles, strict=True):
        for part in range(get_character_cell_size(sign)):
            yield sign, style, part
