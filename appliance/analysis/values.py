"""What analysis looks for, as data: kinds of findings with their thresholds."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from appliance.errors import FieldError, Invalid

FILE = Path(__file__).with_name("findings.csv")
NUMBERS_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding.

    Attributes:
        group: `proof` (staged work), `department`, `place` or `class`.
        least: below this number nothing is told. share: the rule's other threshold; what it is, `rule` says.
    """

    kind: str
    group: str
    chinese: str
    english: str
    least: int
    share: float
    rule: str
    rule_chinese: str

    @property
    def told(self) -> tuple[str, str]:
        """The rule with its thresholds, in Chinese and English."""
        zh, en = (
            rule.replace("`least`", str(self.least)).replace("`share`", f"{self.share:g}")
            for rule in (self.rule_chinese, self.rule)
        )
        return zh, en


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: about whom or what, the figure that makes it odd, and the cases behind it.

    Attributes:
        subject: codes, as in `l1 D01`; `name` is what people call it.
        count: how many. of: of how many, or what it is compared with; None where there is nothing to compare.
        lon, lat: where it is, for what has a place.
        before: how many there were in each of the three periods before, the oldest first; empty for what has none.
        points: where the cases of `numbers` are, in the same order (lon, lat in EPSG:4490).
    """

    kind: str
    subject: str
    name: str
    count: int
    of: float | None = None
    numbers: list[str] = field(default_factory=list)
    lon: float | None = None
    lat: float | None = None
    before: list[int] = field(default_factory=list)
    points: list[tuple[float, float]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As the API tells it; `cases` counts all, `numbers` holds the first 500."""
        known = kinds()[self.kind]
        return {
            "kind": self.kind, "group": known.group, "title": known.chinese, "english": known.english,
            "subject": self.subject, "name": self.name, "count": self.count, "of": self.of,
            "cases": len(self.numbers), "numbers": self.numbers[:NUMBERS_AT_MOST], "lon": self.lon, "lat": self.lat,
            "before": self.before, "points": self.points[:NUMBERS_AT_MOST],
        }  # fmt: skip


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind by its name, in the order they are told."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["kind"]: Kind(
                row["kind"], row["group"], row["chinese"], row["english"], int(row["least"]),
                float(row["share"] or 0), row["rule"], row["rule_chinese"],
            )
            for row in csv.DictReader(file)
        }  # fmt: skip


def check_kind(name: str) -> None:
    """Refuse an unknown kind.

    Raises:
        Invalid: there is no such kind.
    """
    if name not in kinds():
        known = ", ".join(kinds())
        raise Invalid(
            f"没有“{name[:40]}”这种分析;可用 {known}。", f"There is no analysis '{name[:40]}'; known are {known}.",
            fields=(FieldError("kind", "未知", "unknown", tuple(kinds())),),
        )  # fmt: skip
