"""What stands on the signs: the county's figures in the words of `[strip] text`, and what a notice is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any

from appliance.device_settings import Strip
from devices.errors import BadSetup

FIELDS = ("reported", "closed", "open", "overdue", "rate", "county", "time")
NO_CASES = "--"


@dataclass(frozen=True, slots=True)
class Notice:
    """An urgent notice; `until` is seconds since 1970."""

    text: str
    until: float


def check_template(plan: Strip) -> None:
    """Refuse a text with a field that does not exist.

    Raises:
        BadSetup: it names the field.
    """
    try:
        given = [name for _, name, _, _ in Formatter().parse(plan.text) if name is not None]
        plan.text.format(**dict.fromkeys(FIELDS, "0"))
    except (KeyError, IndexError, AttributeError):
        pass
    except ValueError as error:
        raise BadSetup(f"[strip] text 有错: {error}。", f"[strip] text is wrong: {error}.") from None
    unknown = [name for name in given if name not in FIELDS]
    if unknown:
        raise BadSetup(
            f"[strip] text 没有字段 {{{unknown[0]}}};可用: {'、'.join(FIELDS)}。",
            f"[strip] text has no field {{{unknown[0]}}}; known: {', '.join(FIELDS)}.",
        )


def text_of(plan: Strip, figures: dict[str, Any], now: datetime) -> str:
    """The county's figures of this moment.

    Args:
        figures: the node's `GET /api/v1/wall`.
        now: in the county's time zone.
    """
    rate = figures["month"]["rate"]
    return plan.text.format(
        reported=figures["reported_today"], closed=figures["closed_today"], open=figures["open"],
        overdue=figures["overdue"], rate=NO_CASES if rate is None else f"{rate:.1%}", county=figures["name"],
        time=now.strftime("%H:%M"),
    )  # fmt: skip
