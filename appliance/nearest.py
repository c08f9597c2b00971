"""The nearest matches that a refusal names."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(text: str, choices: Iterable[str], count: int = 5) -> tuple[str, ...]:
    """The choices most like a text, best first; empty when nothing is near."""
    from rapidfuzz import fuzz, process  # imported when something is refused, not at every start

    found = process.extract(text, list(choices), scorer=fuzz.WRatio, limit=count, score_cutoff=40)
    return tuple(choice for choice, _, _ in found)
