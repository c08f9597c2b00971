"""The doctor: the sum of the checks that every part declares as entry points of the group `wanmi.checks`.

A check is a function that takes the home and yields `Finding`s; it never raises on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

Result = Literal["passed", "warning", "failed", "error", "skipped"]
ORDER: tuple[Result, ...] = ("error", "failed", "warning", "skipped", "passed")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it."""

    check: str
    result: Result
    zh: str
    en: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(home: Path) -> Iterator[Finding]:
    """Run every declared check of every part."""
    entries = sorted(entry_points(group="wanmi.checks"), key=lambda entry: entry.name)
    # all modules first: shapely must be loaded before a check opens SpatiaLite (docs/adr/0001)
    checks = [(entry.name, entry.load()) for entry in entries]
    for name, check in checks:
        try:
            yield from check(home)
        except Exception as error:  # a broken check is itself a finding
            said = (str(error).splitlines() or [type(error).__name__])[0]
            yield Finding(name, "error", f"检查本身出错: {said}", f"the check itself failed: {said}")
