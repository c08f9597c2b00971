"""The monthly return: a row of columns for a county and a month. The columns stand in `return_columns.csv`.

The county makes its own row of its history, the prefecture makes the same row of its replica; both by this code. A rate
of nothing has no value: a county without cases is neither at 0 % nor at 100 %.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from appliance.clock import rfc3339
from appliance.errors import BadFile
from appliance.scoring.facts import COUNTS
from appliance.scoring.periods import Period

FILE = Path(__file__).with_name("return_columns.csv")
Value = float | int | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: a count, or a rate where it has a denominator.

    Attributes:
        ranks: in which order columns decide a place, None where it does not. low: whether less is better.
    """

    code: str
    chinese: str
    english: str
    numerator: str
    denominator: str
    ranks: int | None
    low: bool

    def value(self, facts: Mapping[str, int]) -> Value:
        """The value for a county's facts, a rate as a fraction; None is a rate of nothing."""
        if not self.denominator:
            return facts[self.numerator]
        whole = facts[self.denominator]
        return facts[self.numerator] / whole if whole else None


@dataclass(frozen=True, slots=True)
class Rule:
    """By which file of columns a return was made; the digest tells two editions of it apart."""

    id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Row:
    """A county's row, or the last one with the sums; `values` by code of the column."""

    county: str
    name: str
    values: dict[str, Value]


@cache
def columns() -> tuple[Column, ...]:
    """The columns, checked.

    Raises:
        BadFile: a column is made of a fact that nobody counts.
    """
    rows = list(csv.DictReader(StringIO(_content().decode("utf-8"), newline="")))
    for number, row in enumerate(rows, start=2):
        for fact in (row["numerator"], row["denominator"] or COUNTS[0]):
            if fact not in COUNTS:
                raise BadFile(
                    f"{FILE.name} 第 {number} 行: 没有 {fact!r},可用 {'、'.join(COUNTS)}。",
                    f"{FILE.name} line {number}: there is no fact {fact!r}; known are {', '.join(COUNTS)}.",
                )
    return tuple(
        Column(
            row["code"], row["chinese"], row["english"], row["numerator"], row["denominator"],
            int(row["ranks"]) if row["ranks"] else None, row["better"] == "low",
        )
        for row in rows
    )  # fmt: skip


def rule() -> Rule:
    """The file of columns by which this software counts."""
    return Rule(FILE.stem, hashlib.sha256(_content()).hexdigest())


def row_of(county: str, name: str, facts: Mapping[str, int]) -> Row:
    """The row that a county's facts make."""
    return Row(county, name, {column.code: column.value(facts) for column in columns()})


def facts_in(values: Mapping[str, Value]) -> dict[str, int]:
    """The facts that a row tells by its counts, 0 where it tells none; so that rows can be summed."""
    told = {column.numerator: values.get(column.code) for column in columns() if not column.denominator}
    return dict.fromkeys(COUNTS, 0) | {fact: int(value) for fact, value in told.items() if value is not None}


def column_list() -> list[dict[str, Any]]:
    """The columns as a document names them."""
    return [{"code": each.code, "name": each.chinese, "english": each.english} for each in columns()]


def return_document(row: Row, month: Period) -> dict[str, Any]:
    """A county's own return for a machine: rates are fractions, `rule` is the file by which it was made."""
    made_by = rule()
    return {
        "county": row.county, "name": row.name, "period": month.name, "as_of": rfc3339(month.as_of),
        "rule": {"id": made_by.id, "sha256": made_by.sha256}, "columns": column_list(), "values": row.values,
    }  # fmt: skip


@cache
def _content() -> bytes:
    return FILE.read_bytes()
