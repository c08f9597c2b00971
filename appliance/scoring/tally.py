"""Tallying history rows: every case's walk, and for each fact the cases behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter

from appliance.scoring.periods import Period
from appliance.scoring.runs import Facts, Row
from appliance.scoring.walk import Walk

Tally = dict[tuple[str, str, str], list[int]]
"""By scope, subject and fact, the keys of the cases behind it in their order, once for each time they count."""

_BY_CASE = itemgetter(0)


def tally(rows: Iterable[Row], cases: Iterable[tuple[int, Facts]], period: Period) -> Tally:
    """Tally history rows.

    Args:
        rows: by case and in order. cases: what is known of each of them, by case.
    """
    grouped: defaultdict[tuple[str, str, tuple[str, ...]], list[int]] = defaultdict(list)

    def count(scope: str, subject: str | None, facts: tuple[str, ...], case: int) -> None:
        if subject is not None:
            grouped[scope, subject, facts].append(case)

    for case, facts, own in _together(rows, cases):
        Walk(case, facts, period, count).run(own)
    return _by_fact(grouped)


def _by_fact(grouped: Mapping[tuple[str, str, tuple[str, ...]], list[int]]) -> Tally:
    """Facts that came together, each for itself; sorting lists that are in order one after another is cheap."""
    found: Tally = {}
    for (scope, subject, facts), behind in grouped.items():
        for fact in facts:
            found.setdefault((scope, subject, fact), []).extend(behind)
    for cases in found.values():
        cases.sort()
    return found


def _together(rows: Iterable[Row], cases: Iterable[tuple[int, Facts]]) -> Iterator[tuple[int, Facts, list[Row]]]:
    """Each case with its rows; both come in the order of cases."""
    known = iter(cases)
    for case, history in groupby(rows, key=_BY_CASE):
        own = list(history)
        for found, facts in known:
            if found == case:
                yield case, facts, own
                break
