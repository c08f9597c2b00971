"""`python -m tests.bench [PART …] [--small] [--keep DIR]`: ratios measured in one run.

Exit code 1 when a bound does not hold. `--keep DIR` keeps the large counties for the next run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import (
    backing_up,
    console,
    county,
    creates,
    imports,
    pages,
    patrols,
    platform_above,
    pulls,
    receivers,
    scores,
    signs,
    start,
    tracks,
)
from tests.bench.senders import SENDERS

PARTS_OF_BENCH = (
    "creates",
    "pages",
    "console",
    "imports",
    "tracks",
    "patrols",
    "pulls",
    "above",
    "receivers",
    "backups",
    "scores",
    "signs",
    "start",
)
SMALL, LARGE, PARTS = 15_000, 1_500_000, 420_000
OTHER_SYSTEM = 10_457


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS_OF_BENCH))
    parser.add_argument("--small", action="store_true", help="a tenth of the large county")
    parser.add_argument("--keep", type=Path, help="keep the counties in this folder and use them again")
    asked = parser.parse_args()
    wanted = asked.parts or list(PARTS_OF_BENCH)
    with TemporaryDirectory(prefix="wanmi-bench-") as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        good = [_run(part, folder, Path(scratch), asked.small) for part in wanted]
    print("\nall bounds hold" if all(good) else "\na bound does not hold")
    return 0 if all(good) else 1


def _run(part: str, folder: Path, scratch: Path, small: bool) -> bool:
    print(f"\n== {part}", flush=True)
    if part == "creates":
        held = creates.measure(scratch)
        creates.other_system_s_work(_county(scratch / "other", OTHER_SYSTEM, 0))
        return held
    if part == "pages":
        share = 10 if small else 1
        large = _county(folder / f"large-{LARGE // share}", LARGE // share, PARTS // share)
        return pages.compare(_county(folder / f"small-{SMALL}", SMALL, PARTS * SMALL // LARGE), large)
    if part == "console":
        share = 10 if small else 1
        return console.measure(_county(folder / f"large-{LARGE // share}", LARGE // share, PARTS // share))
    if part == "imports":
        return imports.measure(_county(scratch / "imports", 1000, 0), scratch)
    if part == "tracks":
        return tracks.measure(scratch)
    if part == "patrols":
        return patrols.measure(_county(scratch / "patrols", 100, 0), SENDERS // 10 if small else SENDERS)
    if part == "pulls":
        share = 10 if small else 1
        return pulls.measure(_county(folder / f"large-{LARGE // share}", LARGE // share, PARTS // share), scratch)
    if part == "above":
        return platform_above.measure(scratch)
    if part == "signs":
        return signs.measure()
    if part == "receivers":
        return receivers.measure(scratch)
    if part == "scores":
        share = 10 if small else 1
        large = _county(folder / f"large-{LARGE // share}", LARGE // share, PARTS // share)
        return scores.measure(scores.prepared(large, folder / f"scores-{LARGE // share}"))
    if part == "backups":
        share = 10 if small else 1
        return backing_up.measure(_county(folder / f"large-{LARGE // share}", LARGE // share, PARTS // share), scratch)
    if part == "start":
        return start.measure()
    sys.exit(f"no part {part}; known: {', '.join(PARTS_OF_BENCH)}")


def _county(home: Path, cases: int, parts: int) -> Path:
    if not (home / "wanmi.toml").exists():
        county.make(home, cases=cases, parts=parts)
    return home


if __name__ == "__main__":
    sys.exit(main())
