"""What every column of text may hold, `columns.csv`: how it is handed out, and whose personal data stands in it.

A column that has no row is handed out nowhere; a test wants a row for each. `person` is `reporter` (who reported),
`caller` (who rang), `staff` (an account), `text` (somebody's words, in which a telephone may stand), `derived` (made
anew from the others) or `none`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("columns.csv")
WAYS = frozenset(("plain", "name", "phone", "free", "left_out"))
PERSONS = frozenset(("none", "reporter", "caller", "staff", "text", "derived"))


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided on a column."""

    way: str
    person: str


@cache
def decisions() -> Mapping[str, Decided]:
    """The decision on every column, by `table.column`.

    Raises:
        ValueError: a value that is none; it is an error of ours and ends the program.
    """
    found: dict[str, Decided] = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["way"] not in WAYS or row["person"] not in PERSONS or row["column"] in found:
                raise ValueError(f"{FILE.name}: {row}")
            found[row["column"]] = Decided(row["way"], row["person"])
    return found


def columns_of(person: str) -> list[tuple[str, str]]:
    """Table and column of everything that holds this kind of personal data."""
    return [
        (table, column)
        for name, decided in decisions().items()
        if decided.person == person
        for table, _, column in (name.partition("."),)
    ]
