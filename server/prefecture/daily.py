"""The counties' daily reports, asked for when somebody looks.

A county that calls by itself, or sends files, brings its report as the answer to an order: the last one that came is
shown, and a newer one asked for while the day it tells of was not over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from appliance.errors import WanmiError
from appliance.exchange.scopes import grants_of
from server.prefecture.comparison import CLIENT, SCOPE
from server.prefecture.counties import County, all_counties
from server.prefecture.county_port import CountyPort
from server.prefecture.down import DONE, FAILED, ask_daily, asked_daily
from server.prefecture.store import Platform


@dataclass(frozen=True, slots=True)
class Daily:
    """A county's report of a day, or why it cannot be had, in Chinese and English."""

    county: str
    name: str
    report: dict[str, Any] | None
    trouble: tuple[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """For a machine."""
        zh, en = self.trouble or (None, None)
        return {"county": self.county, "name": self.name, "report": self.report, "trouble": zh, "trouble_en": en}


def daily_reports(platform: Platform, day: str) -> list[Daily]:
    """What every county says of a day."""
    with platform.begin() as connection:
        counties = all_counties(connection)
    return [_asked(platform, county, day) for county in counties]


def _asked(platform: Platform, county: County, day: str) -> Daily:
    if SCOPE not in grants_of(county.scopes.get(CLIENT, [])).areas:
        return Daily(county.code, county.name, None, ("没有授予 reports.read,不能取日报", "it grants no reports.read"))
    if not county.pulled or county.address is None:
        return _by_order(platform, county, day)
    try:
        tls = platform.towards(county.code)
        with CountyPort(county.code, county.address, tls, platform.settings.patience) as port:
            return Daily(county.code, county.name, msgspec.json.decode(port.daily_report(day)))
    except WanmiError as error:
        return Daily(county.code, county.name, None, (error.zh, error.en))
    except msgspec.DecodeError as error:
        return Daily(county.code, county.name, None, (f"日报看不懂: {error}", f"the report cannot be read: {error}"))


def _by_order(platform: Platform, county: County, day: str) -> Daily:
    with platform.begin() as connection:
        orders = asked_daily(connection, county.code, day)
    report = next((_read(order.answer) for order in orders if order.state == DONE), None)
    if report is not None and _is_whole(report):
        return Daily(county.code, county.name, report)
    if not is_a_day(day):
        return Daily(county.code, county.name, None, ("须为一天,例如 2026-10-08", "one day is needed, as 2026-10-08"))
    ask_daily(platform, county.code, day)
    if report is not None:
        return Daily(county.code, county.name, report)
    if orders and orders[0].state == FAILED:
        zh, en = (f"{words} ({orders[0].status}): {orders[0].answer}" for words in ("县里拒绝", "the county refused"))
        return Daily(county.code, county.name, None, (zh, en))
    zh, en = "已请县里送来;它下次来取指令 (或读文件) 后送", "it was asked for; it comes with the county's next call"
    return Daily(county.code, county.name, None, (zh, en))


def _read(answer: str) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(answer, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None


def _is_whole(report: dict[str, Any]) -> bool:
    """Whether the day was over when the report was made; then it does not change."""
    told, made = report.get("as_of"), report.get("now", {}).get("at")
    return isinstance(told, str) and isinstance(made, str) and told < made


def is_a_day(written: str) -> bool:
    """Whether it is a date as in 2026-10-08."""
    try:
        return len(written) == len("2026-10-08") and date.fromisoformat(written) is not None
    except ValueError:
        return False
