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
from appliance.records.store import Records
from appliance.scoring.evaluation import Evaluation

NICE = 10
SCHEDULER = "scheduler"


def main(home: Path, now: int, work: str, names: list[str]) -> None:
    """Do the work and print what was done."""
    os.nice(NICE)
    records = Records.open(home, clock=ManualClock(now))
    try:
        evaluation = Evaluation(records)
        if work == "close":
            with records.read() as connection:
                names = evaluation.due_to_close(connection)
            for name in names:
                evaluation.close(name, SCHEDULER)
        elif work == "close-as":
            account, name = names
            evaluation.close(name, account)
        else:
            for name in names:
                evaluation.refresh(name)
        sys.stdout.buffer.write(msgspec.json.encode(names))
    finally:
        records.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
