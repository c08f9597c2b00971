"""The facts that can be counted, by scope, as `countable.csv` names them; every formula is made of these alone."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("countable.csv")
SCOPES = (
    "department",
    "sub_unit",
    "region",
    "collector",
    "acceptor",
    "shift_leader",
    "dispatcher",
    "source",
    "platform",
)
"""Whom facts are counted for. `platform` is the whole county."""


@dataclass(frozen=True, slots=True)
class Countable:
    """A fact: what it is called, and the rule by which it is counted."""

    scope: str
    fact: str
    chinese: str
    english: str
    rule: str


@cache
def countables() -> dict[str, dict[str, Countable]]:
    """Every fact by scope and name."""
    found: dict[str, dict[str, Countable]] = {scope: {} for scope in SCOPES}
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["scope"]][row["fact"]] = Countable(**row)
    return found
