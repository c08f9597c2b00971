"""Making a bulletin in a process of its own, so that the node's time stays its operators'.

`python -m appliance.papers.making HOME NOW bulletin PERIOD html|pdf` prints the paper.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from appliance.cases.office import Office
from appliance.clock import MINUTE, ManualClock
from appliance.own_process import serve
from appliance.papers.bulletin import bulletin_facts
from appliance.papers.pages import page_of
from appliance.papers.printing import pdf_of
from appliance.scoring import store
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.periods import Period, neighbours

NICE = 10
HTML, PDF = "html", "pdf"


def bulletin_page(office: Office, name: str) -> str:
    """The bulletin of a period as a page; open periods are counted where they were not counted lately.

    Raises:
        Invalid: no period, or one to come. BadFile: the county's template or pack is wrong.
    """
    evaluation, zone = Evaluation(office.records), office.settings.zone
    period = evaluation.period(name)
    before = evaluation.period(neighbours(period, zone, office.records.clock.now())[0])
    for each in (period, before):
        _counted(evaluation, each)
    with office.records.read() as connection:
        evaluated = evaluation.evaluate(connection, period, fresh_after=0)
        earlier = evaluation.evaluate(connection, before, fresh_after=0)
        facts = bulletin_facts(connection, office, evaluated, earlier, evaluated.pack())
    return page_of(office.records.home, "bulletin", facts)


def command_of(home: Path, now: int, name: str, written_as: str) -> list[str]:
    """The process that makes a bulletin."""
    return [sys.executable, "-m", "appliance.papers.making", str(home), str(now), "bulletin", name, written_as]


def _counted(evaluation: Evaluation, period: Period) -> None:
    """Count a period into the tables, unless it is closed or was counted a moment ago."""
    lately = evaluation.records.clock.now() - int(evaluation.settings.scoring.counted_minutes * MINUTE)
    with evaluation.records.read() as connection:
        row = store.read_period(connection, period.name)
    if row is None or (row.closed_at is None and row.counted_at < lately):
        evaluation.refresh(period.name)


def main(home: Path, now: int, name: str, written_as: str) -> bytes:
    """The bulletin."""
    os.nice(NICE)
    office = Office.open(home, clock=ManualClock(now))
    try:
        page = bulletin_page(office, name)
    finally:
        office.close()
    return page.encode() if written_as == HTML else pdf_of(page)


if __name__ == "__main__":
    serve(lambda: main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[4], sys.argv[5]))
