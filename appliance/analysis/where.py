"""Where the cases behind findings are, for the small maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from sqlalchemy import Connection, String, bindparam, text

from appliance.analysis.values import NUMBERS_AT_MOST, Finding

AT_ONCE = 500
PLACES = 6
"""Decimals of a degree: a tenth of a metre."""

_WHERE = text("SELECT number, lon, lat FROM cases WHERE number IN :numbers").bindparams(
    bindparam("numbers", expanding=True, type_=String)
)


def with_points(connection: Connection, found: Sequence[Finding]) -> list[Finding]:
    """The findings with the positions of their first cases."""
    wanted = dict.fromkeys(chain.from_iterable(each.numbers[:NUMBERS_AT_MOST] for each in found))
    where: dict[str, tuple[float, float]] = {}
    numbers = list(wanted)
    for first in range(0, len(numbers), AT_ONCE):
        for row in connection.execute(_WHERE, {"numbers": numbers[first : first + AT_ONCE]}):
            where[row.number] = (round(row.lon, PLACES), round(row.lat, PLACES))
    return [replace(each, points=[where[number] for number in each.numbers[:NUMBERS_AT_MOST]]) for each in found]
