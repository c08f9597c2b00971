"""The nearest matches that a refusal names."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(text: str, choices: Iterable[str], count: int = 5) -> tuple[str, ...]:
    """The choices most like a text, best first; a few even where none is much like it."""
    from rapidfuzz import fuzz, process  # imported when something is refused, not at every start

    found = process.extract(text, list(choices), scorer=fuzz.WRatio, limit=count)
    near = [choice for choice, score, _ in found if score >= 40]
    return tuple(near or [choice for choice, _, _ in found[:3]])
