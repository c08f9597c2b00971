"""Makes what a driver told fit for JSON and a screen: one driver's odd facts must not hide the other devices."""

from __future__ import annotations

from math import isfinite
from typing import Any

TEXT_AT_MOST, ITEMS_AT_MOST, DEPTH_AT_MOST = 2000, 300, 5


def plain(value: Any, depth: int = 0) -> Any:
    """The value with texts and lists cut, numbers finite, and everything else as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, str):
        return cut(value)
    if depth < DEPTH_AT_MOST and isinstance(value, dict):
        return {cut(str(key), 100): plain(item, depth + 1) for key, item in list(value.items())[:ITEMS_AT_MOST]}
    if depth < DEPTH_AT_MOST and isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth + 1) for item in list(value)[:ITEMS_AT_MOST]]
    return cut(value.hex() if isinstance(value, bytes) else repr(value))


def cut(text: str, most: int = TEXT_AT_MOST) -> str:
    """At most so many characters, and none that cannot be written."""
    return text[:most].encode("utf-8", "replace").decode("utf-8")
