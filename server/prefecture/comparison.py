"""The counties' own monthly returns beside our count from their process rows: what differs is told, never mended.

Both are counted by one rule (`appliance/scoring`), so a difference means that a county counted something that its
process rows do not hold, or the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from appliance.clock import rfc3339
from appliance.errors import WanmiError
from appliance.exchange.scopes import grants_of
from appliance.scoring.monthly_return import Row, Rule, Value, column_list, columns, rule
from appliance.scoring.periods import Period
from server.prefecture.counties import FILES, OUTBOUND, County, all_counties
from server.prefecture.county_port import CountyPort
from server.prefecture.down import FAILED, ask_return, asked_return
from server.prefecture.monthly import own_count, total
from server.prefecture.returns import KeptReturn, keep_return, kept_returns
from server.prefecture.settings import CLIENT
from server.prefecture.store import Platform

SCOPE = "reports.read"
ROUNDING = 0.000_051
"""Rates told with four decimals are the same."""

RETURNED, COUNTED = "上报", "过程数据"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why no return came, in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A column in which a county's return is not what its process rows give."""

    code: str
    chinese: str
    returned: Value
    counted: Value


@dataclass(frozen=True, slots=True)
class Compared:
    """A county's return and our count, both up to the return's `as_of`.

    Attributes:
        returned: None where none was ever fetched; `fetched_at` says when it was, in microseconds.
        counted: None where the county was never taken in.
        level_at: up to this moment our replica holds everything. trouble: why it could not be fetched now.
    """

    county: str
    name: str
    as_of: int
    returned: Row | None
    counted: Row | None
    rule: Rule | None
    fetched_at: int | None
    level_at: int | None
    trouble: Trouble | None
    differences: tuple[Difference, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same for a machine."""
        return {
            "county": self.county, "name": self.name, "as_of": rfc3339(self.as_of),
            "fetched": rfc3339(self.fetched_at), "replica_level": rfc3339(self.level_at),
            "rule": {"id": self.rule.id, "sha256": self.rule.sha256} if self.rule else None,
            "same_rule": self.rule == rule() if self.rule else None,
            "returned": self.returned.values if self.returned else None,
            "counted": self.counted.values if self.counted else None,
            "differences": [
                {"column": each.code, "name": each.chinese, "returned": each.returned, "counted": each.counted}
                for each in self.differences
            ],
            "trouble_zh": self.trouble.zh if self.trouble else None,
            "trouble_en": self.trouble.en if self.trouble else None,
        }  # fmt: skip


def compare_month(platform: Platform, month: Period) -> list[Compared]:
    """Fetch the returns of all counties, keep them, and lay them beside our own count."""
    with platform.begin() as connection:
        counties = all_counties(connection)
    with ThreadPoolExecutor(platform.settings.at_once, thread_name_prefix="wanmi-return") as threads:
        troubles = list(threads.map(lambda county: _fetch(platform, county, month.name), counties))
    with platform.begin() as connection:
        kept = kept_returns(connection, month.name)
        return [
            _compared(connection, county, month, kept.get(county.code), trouble)
            for county, trouble in zip(counties, troubles, strict=True)
        ]


def both_rows(found: Sequence[Compared]) -> tuple[list[Row], set[tuple[int, str]]]:
    """Two rows for each county and two of sums: as returned and as counted; and which cells of the returned differ."""
    rows: list[Row] = []
    marked: set[tuple[int, str]] = set()
    for each in found:
        marked |= {(len(rows), difference.code) for difference in each.differences}
        for row, what in ((each.returned, RETURNED), (each.counted, COUNTED)):
            rows.append(Row(each.county, f"{each.name} ({what})", row.values if row else {}))
    for what, summed in (
        (RETURNED, [each.returned for each in found if each.returned]),
        (COUNTED, [each.counted for each in found if each.counted]),
    ):
        sums = total(summed)
        rows.append(replace(sums, name=f"{sums.name} ({what})"))
    return rows, marked


def comparison_document(found: Sequence[Compared], month: Period) -> dict[str, Any]:
    """The comparison for a machine: rates are fractions."""
    made_by = rule()
    return {
        "period": month.name, "columns": column_list(), "rule": {"id": made_by.id, "sha256": made_by.sha256},
        "counties": [each.as_dict() for each in found],
    }  # fmt: skip


def _fetch(platform: Platform, county: County, period: str) -> Trouble | None:
    """Fetch and keep a county's return; why it cannot be had, else None."""
    if SCOPE not in grants_of(county.scopes.get(CLIENT, [])).areas:
        return Trouble("没有授予 reports.read,不能取月报", "it grants no reports.read")
    if county.registered and county.mode in (OUTBOUND, FILES):
        return _fetch_by_order(platform, county, period)
    if not county.pulled or county.address is None:
        return Trouble("没有网络连接,不能取月报", "it cannot be called")
    try:
        tls = platform.towards(county.code)
        with CountyPort(county.code, county.address, tls, platform.settings.patience) as port:
            body = port.monthly_return(period)
        with platform.begin() as connection:
            keep_return(connection, county.code, period, body, platform.clock.now())
    except WanmiError as error:
        return Trouble(error.zh, error.en)
    return None


def _fetch_by_order(platform: Platform, county: County, period: str) -> Trouble | None:
    """A county that calls by itself, or sends files, brings its return as the answer to an order."""
    with platform.begin() as connection:
        last = asked_return(connection, county.code, period)
    ask_return(platform, county.code, period)
    if last is not None and last.state == FAILED:
        return Trouble(f"县里拒绝 ({last.status}): {last.answer}", f"the county refused ({last.status}): {last.answer}")
    return Trouble(
        "已请县里送来;它下次来取指令 (或读文件) 后送",
        "it was asked for; it comes once the county has fetched its orders, or read our file",
    )


def _compared(
    connection: Connection, county: County, month: Period, kept: KeptReturn | None, trouble: Trouble | None
) -> Compared:
    """Both counts of a county, ours up to the very moment up to which the return counts."""
    looked = month if kept is None else replace(month, as_of=min(kept.as_of, month.end))
    counted = own_count(connection, county.code, county.name, looked)
    returned = None if kept is None else Row(county.code, county.name, kept.values)
    return Compared(
        county.code, county.name, looked.as_of, returned, counted, kept.rule if kept else None,
        kept.fetched_at if kept else None, county.level_at, trouble, _differences(returned, counted),
    )  # fmt: skip


def _differences(returned: Row | None, counted: Row | None) -> tuple[Difference, ...]:
    """The columns that differ; one that the county's own file of columns lacks cannot differ."""
    if returned is None or counted is None:
        return ()
    return tuple(
        Difference(column.code, column.chinese, returned.values[column.code], counted.values[column.code])
        for column in columns()
        if column.code in returned.values and _differ(returned.values[column.code], counted.values[column.code])
    )


def _differ(one: Value, other: Value) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) > (ROUNDING if isinstance(one, float) or isinstance(other, float) else 0)
