"""All facts of a period for everybody at once, from one reading of the history; each fact keeps the cases behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from appliance.scoring.basis import Basis
from appliance.scoring.countable import SCOPES
from appliance.scoring.halves import tally_period
from appliance.scoring.pack import Subject
from appliance.scoring.periods import Period
from appliance.scoring.runs import PLATFORM, Facts, Row
from appliance.scoring.tally import Tally, tally

GRID = "grid"


@dataclass(slots=True)
class Counted:
    """What was counted.

    Attributes:
        cases: by scope, subject and fact, the keys of the cases behind it, once for each time they count.
        counts: facts of no case, as patrols, by scope, subject and fact.
        left_out: closed cases that were imported without history or due time (`imported.py`).
    """

    cases: Tally = field(default_factory=dict)
    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)
    grids: dict[str, dict[int, dict[int, int]]] = field(default_factory=dict)
    left_out: int = 0

    def facts(self) -> dict[str, dict[str, dict[str, int]]]:
        """How often each fact is, by scope and subject."""
        found: dict[str, dict[str, dict[str, int]]] = {scope: {} for scope in SCOPES}
        for (scope, subject, fact), cases in self.cases.items():
            if scope != GRID:
                found[scope].setdefault(subject, {})[fact] = len(cases)
        for (scope, subject, fact), count in self.counts.items():
            found[scope].setdefault(subject, {})[fact] = count
        return found

    def subjects(self, scope: str, basis: Basis) -> dict[str, Subject]:
        """Every subject of a scope that had work or could have had."""
        facts = self.facts()[scope]
        if scope == PLATFORM or scope == "platform":
            return {PLATFORM: Subject(facts.get(PLATFORM, {}))}
        names = dict.fromkeys((*basis.subjects(scope), *sorted(facts)))
        return {name: Subject(facts.get(name, {}), self.grids.get(name, {})) for name in names}


def count_period(connection: Connection, period: Period, basis: Basis, schema: str = "") -> Counted:
    """Count every fact of a period.

    Args:
        schema: where the county's tables stand, "" where the connection sees them by itself.
    """
    counted = Counted(tally_period(connection, period, basis.collectors, schema))
    counted.grids = grid_counts(counted, basis)
    return counted


def count_rows(rows: Iterable[Row], cases: Iterable[tuple[int, Facts]], period: Period) -> Counted:
    """Count history rows.

    Args:
        rows: by case and in order. cases: what is known of each of them, by case.
    """
    return Counted(tally(rows, cases, period))


def grid_counts(counted: Counted, basis: Basis) -> dict[str, dict[int, dict[int, int]]]:
    """By street and class of grid: how many grids have how many cases filed; grids without a case too."""
    with_cases: dict[str, dict[int, Counter[int]]] = {}
    for (scope, grid, _), cases in counted.cases.items():
        if scope == GRID:
            class_ = 2 if grid in basis.second_class else 1
            with_cases.setdefault(grid[:9], {}).setdefault(class_, Counter())[len(cases)] += 1
    return {street: _with_empty(classes, with_cases.get(street, {})) for street, classes in basis.grids.items()}


def _with_empty(grids: Mapping[int, int], with_cases: Mapping[int, Counter[int]]) -> dict[int, dict[int, int]]:
    found = {}
    for class_, number in grids.items():
        own = dict(with_cases.get(class_, {}))
        own[0] = max(0, number - sum(own.values()))
        found[class_] = own
    return found
