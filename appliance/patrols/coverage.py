"""How well looks cover a period: how many there were, how many were due, and the gaps between them. Pure.

Times are microseconds. A look covers the interval that follows it; what lies between the end of that and the next look
is a gap. The last look before the period counts for its beginning.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Coverage(msgspec.Struct, frozen=True):
    """Looks of one camera in a period.

    Attributes:
        looks: how many there were.
        due: how many the interval asks for.
        covered: the share of the period that no gap takes, 0 to 1.
        gaps: the uncovered stretches in order, as (from, to).
        longest: the longest gap in microseconds.
    """

    looks: int
    due: int
    covered: float
    gaps: tuple[tuple[int, int], ...]
    longest: int


def coverage(looks: Sequence[int], start: int, end: int, interval: int, before: int | None = None) -> Coverage:
    """The coverage of a period by looks at these times.

    Args:
        looks: times within the period, in any order.
        before: the last look before the period, None when there was none.
    """
    inside = sorted(at for at in looks if start <= at < end)
    gaps: list[tuple[int, int]] = []
    reached = start if before is None else max(before + interval, start)
    for at in [*inside, end]:
        if at > reached:
            gaps.append((reached, at))
        reached = max(reached, min(at + interval, end))
    missed = sum(last - first for first, last in gaps)
    length = max(end - start, 1)
    longest = max((last - first for first, last in gaps), default=0)
    return Coverage(len(inside), -(-max(end - start, 0) // interval), 1 - missed / length, tuple(gaps), longest)
