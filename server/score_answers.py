"""The shapes of scores on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Figure = float | int | None


class PackName(msgspec.Struct):
    """By which pack it was made."""

    id: str
    sha256: str


class IndicatorOut(msgspec.Struct):
    """An indicator: `count`, `rate` (a fraction 0 to 1) or `points` (0 to 100), with formula and source."""

    scope: str
    code: str
    name: str
    english: str
    unit: Literal["count", "rate", "points"]
    formula: str
    source: str


class GradeOut(msgspec.Struct):
    """A grade from this score on."""

    code: str
    name: str
    english: str
    bound: float
    colour: str


class PackOut(msgspec.Struct):
    """A pack in force."""

    id: str
    sha256: str
    indicators: list[IndicatorOut]
    grades: list[GradeOut]


class Packs(msgspec.Struct):
    """The county's pack first, then the prefecture's."""

    items: list[PackOut]


class ScoreRow(msgspec.Struct):
    """Somebody's figures by code, score, grade and places; null where there is nothing to count."""

    id: str
    name: str
    group: str | None
    values: dict[str, Figure]
    score: float | None
    grade: str | None
    place: int | None
    place_in_group: int | None


class Scores(msgspec.Struct):
    """The scores of a period: of one scope in `rows`, of all in `scopes`; `platform` holds the county's figures.

    `previous` and `next` are the periods of the same kind around it, `running` the one of each kind that runs now.
    """

    period: str
    as_of: datetime
    closed_at: datetime | None
    pack: PackName
    left_out: int
    previous: str
    next: str | None
    running: dict[str, str]
    scope: str | None = None
    rows: list[ScoreRow] | None = None
    platform: dict[str, Figure] | None = None
    scopes: dict[str, list[ScoreRow]] | None = None


class FactCases(msgspec.Struct):
    """A fact, how often it counts, and the numbers of the cases on this page."""

    fact: str
    name: str
    english: str
    cases: int
    numbers: list[str]


class FigureCases(msgspec.Struct):
    """The cases behind a figure, by the facts that it is made of."""

    period: str
    scope: str
    subject: str
    code: str
    facts: list[FactCases]


class TrendPoint(msgspec.Struct):
    """A closed period of somebody."""

    period: str
    score: float | None
    grade: str | None
    place: int | None
    values: dict[str, Figure]


class Trend(msgspec.Struct):
    """Closed periods of one kind, newest first."""

    scope: str
    subject: str
    items: list[TrendPoint]


class PeriodOut(msgspec.Struct):
    """A counted period."""

    name: str
    kind: str
    as_of: datetime
    counted_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    left_out: int


class Periods(msgspec.Struct):
    """Counted periods, newest first."""

    items: list[PeriodOut]


class AppealOut(msgspec.Struct):
    """An appeal: a case that is not to count; `approved` is null while it waits."""

    id: int
    period: str
    scope: str
    subject: str
    number: str
    reason: str
    asked_by: str
    asked_at: datetime
    approved: bool | None
    decided_by: str | None
    decided_at: datetime | None
    note: str | None


class Appeals(msgspec.Struct):
    """A page of appeals."""

    items: list[AppealOut]
    next: str | None
