"""The counties' daily reports, asked for when somebody looks; nothing of them is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from appliance.errors import WanmiError
from appliance.exchange.scopes import grants_of
from server.prefecture.comparison import CLIENT, SCOPE
from server.prefecture.counties import County, all_counties
from server.prefecture.county_port import CountyPort
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
        return Daily(county.code, county.name, None, ("不能直接连接,不能取日报", "it cannot be called"))
    try:
        tls = platform.towards(county.code)
        with CountyPort(county.code, county.address, tls, platform.settings.patience) as port:
            return Daily(county.code, county.name, msgspec.json.decode(port.daily_report(day)))
    except WanmiError as error:
        return Daily(county.code, county.name, None, (error.zh, error.en))
    except msgspec.DecodeError as error:
        return Daily(county.code, county.name, None, (f"日报看不懂: {error}", f"the report cannot be read: {error}"))
