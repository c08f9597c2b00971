"""Scores of everybody by one pack: figures, score, grade, and the place among all and within the group of like duty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from appliance.scoring.basis import STAFF_SCOPES
from appliance.scoring.formula import Value
from appliance.scoring.pack import Pack, Subject


@dataclass(frozen=True, slots=True)
class Scored:
    """One subject's score.

    Attributes:
        group: of units of like duty (县市组, 建成区组, 市直组, 乡镇组), None where there is none.
        place: among all of the scope, 1 is best, equal scores share a place; None without a score or without any work,
            since the band of few cases alone would put who did nothing first.
    """

    scope: str
    subject: str
    name: str
    group: str | None
    figures: Mapping[str, Value]
    score: Value
    grade: str | None
    place: int | None = None
    place_in_group: int | None = None

    def as_dict(self) -> dict[str, object]:
        """As the API and `wanmi score --json` tell it (indicator_definitions 10)."""
        return {
            "id": self.subject, "name": self.name, "group": self.group, "values": dict(self.figures),
            "score": self.score, "grade": self.grade, "place": self.place, "place_in_group": self.place_in_group,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """A subject with its name and group."""

    name: str
    group: str | None
    subject: Subject


def score_scope(pack: Pack, scope: str, subjects: Mapping[str, Named]) -> list[Scored]:
    """Everybody of a scope, in the order of their places; who has no score comes last, by code."""
    code = pack.score_code(scope)
    scored, idle = [], set()
    for key, named in subjects.items():
        figures = pack.values(scope, named.subject)
        if not any(named.subject.facts.values()):
            idle.add(key)
            if scope in STAFF_SCOPES and code is not None:
                figures[code] = None  # who had no work has a row and no score (indicator_definitions 1)
        score = None if code is None else figures[code]
        scored.append(Scored(scope, key, named.name, named.group, figures, score, pack.grade(score)))
    placed = _placed(scored, idle)
    return sorted(placed, key=lambda each: (each.place is None, each.place or 0, each.subject))


def _placed(scored: list[Scored], idle: set[str]) -> list[Scored]:
    ranked = [each for each in scored if each.subject not in idle]
    among_all = _places(ranked)
    within: dict[str, int] = {}
    for group in {each.group for each in ranked if each.group}:
        within |= _places([each for each in ranked if each.group == group])
    return [
        replace(each, place=among_all.get(each.subject), place_in_group=within.get(each.subject)) for each in scored
    ]


def _places(scored: Iterable[Scored]) -> dict[str, int]:
    """The place of each who has a score; equal scores share one and the next is left out."""
    scores = {each.subject: each.score for each in scored if each.score is not None}
    ordered = sorted(scores.values(), reverse=True)
    first = {score: place for place, score in reversed(list(enumerate(ordered, start=1)))}
    return {subject: first[score] for subject, score in scores.items()}
