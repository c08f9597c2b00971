"""Counting and closing periods in a process of its own, so that the node's time stays its operators'.

`python -m appliance.scoring.working HOME NOW count PERIOD…` keeps open periods counted for the screens; `close` closes
the periods that are over long enough, `close-as ACCOUNT PERIOD` one of them. Prints the names of the periods as JSON.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from appliance.clock import ManualClock
from appliance.errors import Conflict
from appliance.own_process import serve
from appliance.records.store import Records
from appliance.scoring.closing import due_to_close, forget_spans
from appliance.scoring.evaluation import Evaluation

NICE = 10
SCHEDULER = "scheduler"


def main(home: Path, now: int, work: str, names: list[str]) -> bytes:
    """Do the work; returns what is printed."""
    os.nice(NICE)
    records = Records.open(home, clock=ManualClock(now))
    try:
        evaluation = Evaluation(records)
        if work == "close":
            with records.read() as connection:
                names = due_to_close(evaluation, connection)
            names = [name for name in names if _closed(evaluation, name)]
            forget_spans(evaluation)
        elif work == "close-as":
            account, *names = names
            for name in names:
                evaluation.close(name, account)
        else:
            for name in names:
                evaluation.refresh(name)
        return msgspec.json.encode(names)
    finally:
        records.close()


def _closed(evaluation: Evaluation, name: str) -> bool:
    """Close a period; False where somebody closed it meanwhile."""
    try:
        evaluation.close(name, SCHEDULER)
    except Conflict:
        return False
    return True


if __name__ == "__main__":
    serve(lambda: main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]))
