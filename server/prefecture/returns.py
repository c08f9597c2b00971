"""The counties' own monthly returns as they came, with the moment of fetching; the newest of a county and a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from appliance.errors import Invalid
from appliance.exchange.moments import micros_of
from appliance.scoring.monthly_return import Rule, Value
from server.prefecture.county_port import Unreadable
from server.prefecture.tables import MONTHLY_RETURN


class Return(msgspec.Struct):
    """A county's return as it is told (docs/exchange.md "The monthly return"); `values` by code of the column."""

    county: str
    period: str
    as_of: str
    values: dict[str, float | int | None]
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class KeptReturn:
    """A return that was fetched; times in microseconds. `rule` is the file of columns by which it was made."""

    county: str
    fetched_at: int
    as_of: int
    values: dict[str, Value]
    rule: Rule | None


def keep_return(connection: Connection, county: str, period: str, body: bytes, now: int) -> None:
    """Keep what a county told as its return of a month.

    Raises:
        Unreadable: it is none, or one of another county or month.
    """
    try:
        told = msgspec.json.decode(body, type=Return)
        as_of = micros_of(told.as_of)
    except (msgspec.DecodeError, Invalid) as error:
        raise Unreadable(f"月报看不懂: {error}。", f"The return cannot be read: {error}.") from error
    if (told.county, told.period) != (county, period) or as_of is None:
        raise Unreadable(
            f"这是 {told.county[:20]} 的 {told.period[:20]} 月报,应为 {county} 的 {period}。",
            f"This is the return of {told.county[:20]} for {told.period[:20]}, not of {county} for {period}.",
        )
    values = {"fetched_at": now, "as_of": as_of, "document": msgspec.json.decode(body)}
    row = insert(MONTHLY_RETURN).values(county=county, period=period, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["county", "period"], set_=values))


def kept_returns(connection: Connection, period: str) -> dict[str, KeptReturn]:
    """The returns of a month that are here, by county."""
    query = select(MONTHLY_RETURN).where(MONTHLY_RETURN.c.period == period)
    return {row.county: _kept(row) for row in connection.execute(query)}


def _kept(row: Any) -> KeptReturn:
    told = msgspec.convert(row.document, Return)
    return KeptReturn(row.county, row.fetched_at, row.as_of, told.values, told.rule)
