"""Which periods are to be closed, and which counts are to be forgotten; the scheduler's part of evaluation."""

from __future__ import annotations

from sqlalchemy import Connection, text

from appliance.clock import DAY, local
from appliance.records.writer import Unit
from appliance.scoring import store
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.periods import KINDS, name_of, period_of

AT_A_TIME = 120
"""Periods of one kind that are closed in one run."""

_CLOSED = text("SELECT name FROM score_period WHERE kind = :kind AND closed_at IS NOT NULL")
_FIRST = text("SELECT min(at) FROM case_action")
_OLD_SPANS = text("SELECT name FROM score_period WHERE kind = 'span' AND closed_at IS NULL AND counted_at < :before")


def due_to_close(evaluation: Evaluation, connection: Connection) -> list[str]:
    """Every period that is over long enough and still open since the first history row, the oldest of a kind first.

    Of a box that was off for long, `AT_A_TIME` of a kind; the rest is for the next time.
    """
    first = connection.execute(_FIRST).scalar_one()
    if first is None:
        return []
    now, zone, scoring = evaluation.records.clock.now(), evaluation.settings.zone, evaluation.settings.scoring
    names: list[str] = []
    for kind in KINDS[:-1]:
        wait = scoring.close_days if kind in ("month", "quarter", "year") else 1
        closed = set(connection.execute(_CLOSED, {"kind": kind}).scalars())
        begun = period_of(name_of(kind, local(now - (wait - 1) * DAY, zone).date()), zone, now)
        period, own = period_of(name_of(kind, local(first, zone).date()), zone, now), list[str]()
        while period.start < begun.start and len(own) < AT_A_TIME:
            if period.name not in closed:
                own.append(period.name)
            period = period_of(name_of(kind, local(period.end, zone).date()), zone, now)
        names += own
    return names


def forget_spans(evaluation: Evaluation) -> int:
    """Forget what was counted of spans of days that nobody asked for since a day; returns how many."""
    records = evaluation.records
    with records.read() as connection:
        names = list(connection.execute(_OLD_SPANS, {"before": records.clock.now() - DAY}).scalars())
    if names:
        records.write(lambda unit: _forget(unit, names))
    return len(names)


def _forget(unit: Unit, names: list[str]) -> None:
    for name in names:
        store.forget_count(unit, name)
