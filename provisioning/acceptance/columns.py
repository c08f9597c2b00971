"""Which text of the tables stands in the evidence, and how: `appliance/privacy/columns.csv`, a row for each of them.

A column that has no row is left out, so a new one is never handed out before somebody decided on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary

from appliance.cases.record import masked_name, masked_phone
from appliance.messages.words import HIDDEN, TELEPHONE
from appliance.privacy.columns import decisions

LEFT_OUT = "left_out"
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.+Z-]+)?")
_MOBILE = range(10_000_000_000, 20_000_000_000)
"""Mobile numbers that a form kept as a number."""

Way = Callable[[Any], Any]


def shown(value: Any) -> Any:
    """As it is; lists and objects as JSON."""
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value


def without_telephones(value: Any) -> Any:
    """Free text, or a document with text in it, without telephone numbers."""
    return shown(_blanked(value))


WAYS: Mapping[str, Way] = {
    "plain": shown, "name": masked_name, "phone": masked_phone, "free": without_telephones,
}  # fmt: skip
"""What becomes of a text: as it is, masked, or free text whose telephone numbers are blanked; `left_out` is none."""


@cache
def decided() -> Mapping[str, str]:
    """The way of every column, by `table.column`."""
    return {name: decision.way for name, decision in decisions().items()}


def holds_text(column: Column[Any]) -> bool:
    """Whether a column may hold text, and so has to be decided on."""
    from geoalchemy2 import Geometry

    return not isinstance(column.type, Geometry | Integer | Float | Boolean | LargeBinary)


def way_of(table: str, column: Column[Any]) -> Way | None:
    """How a column is shown; None where it is left out."""
    if isinstance(column.type, LargeBinary):
        return None
    if not holds_text(column):
        return shown
    return WAYS.get(decided().get(f"{table}.{column.name}", LEFT_OUT))


def _blanked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _blanked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_blanked(each) for each in value]
    if isinstance(value, str) and not _TIME.fullmatch(value):
        return TELEPHONE.sub(HIDDEN, value)
    return HIDDEN if isinstance(value, int) and value in _MOBILE else value
