"""The words of one message: what the department needs to find the place, and nothing that a caller said or wrote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.clock import local
from appliance.messages.rules import Rule

if TYPE_CHECKING:
    from appliance.settings import Settings

TIME = "%m-%d %H:%M"
NO_DUE = {"zh": "规定时限", "en": "the set limit"}
"""In place of a due time: a supervision may have none."""
TELEPHONE = re.compile(r"(?<!\d)\+?\d(?:[ -]?\d){6,}(?!\d)")
"""Seven digits and more; no house number is so long."""
HIDDEN = "***"
_REPORTED_BY = text("SELECT role FROM case_action WHERE case_id = :case_id AND seq = 1")
_AREAS = text("SELECT name FROM area WHERE code IN (:street, :community) ORDER BY code")


def words_of(
    connection: Connection, settings: Settings, rule: Rule, case: Any, *, department: str, due: int | None
) -> str:
    """The county's words, else those of the table, with the facts of the case in one line."""
    language = "zh" if settings.language == "zh" else "en"
    words = rule.words(language, settings.messages.texts).format(
        county=settings.name, number=case["number"], name=case["name"] or case["code"],
        place=place_of(connection, case), department=department,
        due=NO_DUE[language] if due is None else local(due, settings.zone).strftime(TIME),
    )  # fmt: skip
    return " ".join(words.split())


def place_of(connection: Connection, case: Any) -> str:
    """The address that the office noted; street and community where the public wrote it, and without telephone."""
    if connection.execute(_REPORTED_BY, {"case_id": case["case_id"]}).scalar() == "public" or not case["address"]:
        names = connection.execute(_AREAS, {"street": case["street"], "community": case["community"]}).scalars()
        return " ".join(names)
    return TELEPHONE.sub(HIDDEN, case["address"])
