"""The analysis of a period, in a process of its own: `python -m appliance.analysis.analysing HOME NOW PERIOD`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from appliance.analysis.patterns import patterns
from appliance.analysis.staged import staged_work
from appliance.analysis.values import kinds
from appliance.analysis.where import with_points
from appliance.clock import ManualClock
from appliance.own_process import serve
from appliance.records.store import Records
from appliance.scoring.periods import Period, period_of

NICE = 10


def analyse(records: Records, period: Period) -> list[dict[str, Any]]:
    """Every finding of a period, by kind and, within one, the strongest first."""
    order = list(kinds())
    with records.read() as connection:
        staged = staged_work(connection, period, records.home, records.settings)
        found = with_points(connection, [*staged, *patterns(connection, period)])
    found.sort(key=lambda each: (order.index(each.kind), -each.count, each.subject))
    return [each.as_dict() for each in found]


def main(home: Path, now: int, name: str) -> bytes:
    """The findings as JSON."""
    os.nice(NICE)
    records = Records.open(home, clock=ManualClock(now))
    try:
        period = period_of(name, records.settings.zone, now)
        return msgspec.json.encode(analyse(records, period))
    finally:
        records.close()


if __name__ == "__main__":
    serve(lambda: main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
