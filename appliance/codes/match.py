"""How a typed text finds classes: by code, Chinese name, English words or pinyin initials."""

from __future__ import annotations

from collections.abc import Iterable

from appliance.codes.values import EDITIONS, CodeClass

FEWEST = 3


def ranked(text: str, pool: Iterable[CodeClass]) -> list[CodeClass]:
    """The classes of `pool` that match, best first."""
    wanted = text.strip().lower()
    if not wanted:
        return []
    scored = [(rank, item) for item in pool if (rank := rank_of(wanted, item)) is not None]
    scored.sort(key=lambda pair: (pair[0], EDITIONS.index(pair[1].edition), len(pair[1].name), pair[1].code))
    return [item for _, item in scored]


def rank_of(wanted: str, item: CodeClass) -> int | None:
    """0 is best, None is no match. A whole match beats a beginning, a beginning beats the middle."""
    if wanted.isdigit():
        return 0 if item.code == wanted else 1 if item.code.startswith(wanted) else None
    if wanted.isascii():
        return rank_ascii(wanted, item)
    if wanted not in item.name:
        return 8 if wanted in item.class_name else None
    return 0 if item.name == wanted else 1 if item.name.startswith(wanted) else 2


def rank_ascii(wanted: str, item: CodeClass) -> int | None:
    """Initials, then the words of the English name in any order."""
    letters = wanted.replace(" ", "")
    if letters in item.initials:
        # Names of parts end with the thing itself (污水井盖), so an end counts as much as a beginning.
        at_edge = item.initials.startswith(letters) or item.initials.endswith(letters)
        return 0 if item.initials == letters else 1 if at_edge else 3
    english = item.english.lower()
    words = wanted.split()
    if len(letters) >= 3 and all(word in english for word in words):
        return 4 if english.startswith(words[0]) else 5
    return None


def nearest_classes(text: str, candidates: list[CodeClass], count: int = 5) -> list[CodeClass]:
    """The classes whose code or name is most like `text`; a few even where none is much like it."""
    from rapidfuzz import fuzz  # only a refusal needs it; keeps the console's start light

    wanted = text.strip()

    def likeness(item: CodeClass) -> float:
        return max(
            fuzz.ratio(wanted, item.code), fuzz.ratio(wanted, item.name), fuzz.partial_ratio(wanted, item.name) - 10
        )

    close = sorted(((likeness(item), item) for item in candidates), key=lambda pair: (-pair[0], pair[1].code))
    near = [item for score, item in close[:count] if score >= 40]
    return near or [item for _, item in close[:FEWEST]]
