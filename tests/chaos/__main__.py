"""`python -m tests.chaos [--rounds N] [--cases N] [--keep DIR]`: a node of a large county is killed again and again.

Every round: clerks report and move cases over HTTP, SIGKILL at a random moment, start, compare. Exit code 1 when an
answered case is lost or doubled, the feed has a gap, or a start took longer than 3 s at the median. It ends by itself.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests import homes
from tests.bench import county
from tests.chaos.killing import Killing

START_SECONDS = 3.0
PARTS = 60_000


def main() -> int:
    """Run it and tell what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--cases", type=int, default=150_000, help="cases in the county; default: %(default)s")
    parser.add_argument("--keep", type=Path, help="a folder where the large county is kept between runs")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with TemporaryDirectory(prefix="wanmi-chaos-") as scratch:
        home = Path(scratch) / "home"
        kept = asked.keep or Path(scratch) / "kept"
        if not (kept / "county.db").exists():
            county.make(kept, cases=asked.cases, parts=PARTS)
        shutil.copytree(kept, home)
        result = Killing(home, (homes.WEST + homes.STEP / 2, homes.SOUTH + homes.STEP / 2), asked.seed).run(
            asked.rounds, lambda said: print(said, flush=True)
        )
    starts = sorted(result.starts)
    print(
        f"{result.rounds} kills, {result.answered} cases: {len(result.lost)} lost, {len(result.doubled)} doubled, "
        f"{result.gaps} gaps; start {median(starts):.2f} s, longest {starts[-1]:.2f} s"
    )
    for each in result.lost[:20]:
        print(f"lost: {each}")
    return 0 if result.holds and median(starts) <= START_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
