"""What is told to departments and in which words: `rules.csv` beside this file; a county's own words win. Pure."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

FILE = Path(__file__).parent / "rules.csv"
FIELDS = frozenset(("county", "number", "name", "place", "due", "department"))
OVERDUE = "overdue"


class RuleError(ValueError):
    """A row of the table, or a county's own words, are wrong; the message says which."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An event, the actions that are it (none for what the clock finds), and its words in both languages."""

    event: str
    actions: frozenset[str]
    zh: str
    en: str
    provenance: str

    def words(self, language: str, own: Mapping[str, str]) -> str:
        """The words of the county, else those of the table."""
        return own.get(self.event) or (self.zh if language == "zh" else self.en)


@cache
def rules() -> tuple[Rule, ...]:
    """The table.

    Raises:
        RuleError: a row without words or provenance, an event or action given twice, an unknown field.
    """
    found: list[Rule] = []
    actions: set[str] = set()
    with FILE.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            mine = frozenset(part for part in row["actions"].split("|") if part)
            if not row["zh"] or not row["en"] or not row["provenance"] or actions & mine:
                raise RuleError(f"rules.csv row {number}: no words, no provenance, or an action given twice")
            actions |= mine
            check_words(row["zh"])
            check_words(row["en"])
            found.append(Rule(row["event"], mine, row["zh"], row["en"], row["provenance"]))
    if len({rule.event for rule in found}) != len(found):
        raise RuleError("rules.csv: an event given twice")
    return tuple(found)


def check_words(text: str) -> None:
    """Refuse words with an unknown field, or with more than its name between the braces.

    Raises:
        RuleError: it names the field.
    """
    try:
        parts = [part for part in Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        raise RuleError(f"{text!r}: {error}") from None
    for _, name, form, conversion in parts:
        if name not in FIELDS:
            raise RuleError(f"{{{name}}} is no field; known: {', '.join(sorted(FIELDS))}")
        if form or conversion:
            raise RuleError(f"{{{name}}} stands alone between its braces, without {form or conversion!r}")
