"""Which key does which action: from the workflow's table, moved aside where a key is taken. Pure.

The same offer always gives the same keys, so hands can learn them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHOWN = 8
SPARE = "0123456789"


@dataclass(frozen=True, slots=True)
class ActionKey:
    """An action on offer and the key that starts it."""

    key: str
    action: str
    chinese: str
    english: str
    needs: tuple[str, ...]
    may: tuple[str, ...]


def assign_keys(
    offered: Sequence[dict[str, Any]], reserved: Iterable[str], own: Mapping[str, str] | None = None
) -> tuple[ActionKey, ...]:
    """A key for each offered action (`items` of GET /api/v1/actions), none twice and none of the reserved ones.

    `own` are a person's keys by action; they come before the table's. An action whose own key is taken gets the first
    free letter of its English name, then a free digit.
    """
    taken = set(reserved)
    own = own or {}
    wished = [own.get(item["action"], item["key"]) for item in offered]
    found: list[ActionKey] = []
    for item, wish in zip(offered, wished, strict=True):
        candidates = [
            wish,
            item["key"],
            *(s for s in item["english"].lower() if s.isalpha() and s not in wished),
            *SPARE,
        ]
        key = next((sign for sign in candidates if sign and sign not in taken), "")
        if not key:
            continue
        taken.add(key)
        found.append(
            ActionKey(key, item["action"], item["chinese"], item["english"], tuple(item["needs"]), tuple(item["may"]))
        )
    return tuple(found)
