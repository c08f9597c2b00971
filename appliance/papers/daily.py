"""The daily report upward 运行日报: the county's facts of a day, by source, and what is open and overdue now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from appliance.cases.summary import summary
from appliance.clock import rfc3339
from appliance.errors import FieldError, Invalid
from appliance.scoring.countable import countables
from appliance.scoring.counting import count_period
from appliance.scoring.facts import NOBODY
from appliance.scoring.imported import add_imported
from appliance.scoring.periods import Period, period_of
from appliance.scoring.runs import PLATFORM

if TYPE_CHECKING:
    from appliance.cases.office import Office

NOT_OF_CASES = frozenset(("patrol_due", "patrol_done", "video_minutes_due", "video_minutes_covered"))
"""Facts that do not follow from the history rows of cases."""


def day_of(office: Office, written: str) -> Period:
    """The day of a name such as 2026-10-08.

    Raises:
        Invalid: no day, or one to come.
    """
    period = period_of(written, office.settings.zone, office.records.clock.now())
    if period.kind != "day":
        zh, en = "须为一天,例如 2026-10-08", "one day is needed, for example 2026-10-08"
        raise Invalid(
            f"运行日报{zh};得到 {written[:40]}。", f"Of the daily report {en}; got {written[:40]}.",
            fields=(FieldError("day", zh, en),),
        )  # fmt: skip
    return period


def daily_document(connection: Connection, office: Office, day: Period) -> dict[str, Any]:
    """The report of a day; what is told of `now` is of the moment of asking."""
    period = count_period(connection, day, NOBODY)
    add_imported(connection, period, day)
    counted = period.facts()
    known = [fact for fact in countables()["platform"] if fact not in NOT_OF_CASES]
    platform, sources = counted["platform"].get(PLATFORM, {}), office.book.sources
    now = summary(connection, office)
    return {
        "county": office.settings.county, "name": office.settings.name, "day": day.name, "as_of": rfc3339(day.as_of),
        "facts": {fact: platform.get(fact, 0) for fact in known},
        "by_source": [
            {
                "source": source, "name": sources[source].name if source in sources else source,
                "facts": {fact: facts.get(fact, 0) for fact in countables()["source"]},
            }
            for source, facts in sorted(counted["source"].items())
        ],
        "now": {"at": now["at"], "open": now["open"], "overdue": now["overdue"], "states": now["states"]},
    }  # fmt: skip
