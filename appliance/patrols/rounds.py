"""How often a camera is looked through, by street class: `rounds.csv` beside this file, each row with its provenance.

A county's own minutes (`[video] minutes` in `wanmi.toml`) win over the table. Pure.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from appliance.clock import MINUTE

FILE = Path(__file__).parent / "rounds.csv"


class RoundError(ValueError):
    """A row of the table is wrong; the message names it."""


@dataclass(frozen=True, slots=True)
class Round:
    """A street class, the other names it goes by, and the minutes between two looks."""

    street_class: str
    english: str
    also: frozenset[str]
    minutes: float
    provenance: str


@cache
def rounds() -> tuple[Round, ...]:
    """The table, the class of all other cameras last.

    Raises:
        RoundError: a row without minutes or provenance, or a name given twice.
    """
    found: list[Round] = []
    names: set[str] = set()
    with FILE.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            also = frozenset(part for part in row["also"].split("|") if part)
            mine = also | {row["street_class"]}
            if not row["provenance"] or not float(row["minutes"]) >= 1 or names & mine:
                raise RoundError(f"rounds.csv row {number}: no minutes, no provenance, or a name given twice")
            names |= mine
            found.append(Round(row["street_class"], row["english"], also, float(row["minutes"]), row["provenance"]))
    return tuple(found)


def round_of(street_class: str | None) -> Round:
    """The row of a camera's street class; the last one where the class is unknown or missing."""
    wanted = (street_class or "").strip()
    return next((item for item in rounds() if wanted in item.also or wanted == item.street_class), rounds()[-1])


def interval(street_class: str | None, own: Mapping[str, float]) -> int:
    """Microseconds between two looks.

    Args:
        own: the county's own minutes by class.
    """
    found = round_of(street_class)
    return round(own.get(found.street_class, found.minutes) * MINUTE)
