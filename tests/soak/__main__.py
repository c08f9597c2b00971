"""`python -m tests.soak [--minutes N]`: devices with bad moods for half an hour, beside a real node and a real agent.

Receivers, a wall, a sign and a modem are unplugged, made noisy, slow, busy and silent at random (the seed is told). At
the end every fix that a healthy receiver told is in its track, every device is well again, and the agent has not grown.
Exit code 1 when one of these does not hold. It ends by itself.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from tests.soak.hall import Hall

SETTLE = 30.0
"""Seconds without bad moods before and after; an asked device is asked again after half a minute at most."""
LOOK = 15.0


def main() -> int:
    """Run it and tell what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with TemporaryDirectory(prefix="wanmi-soak-") as scratch, Hall(Path(scratch), asked.seed) as hall:
        hall.wait_until_well()
        sleep(SETTLE)
        sizes = [hall.size()]
        ends, looked = monotonic() + asked.minutes * 60, monotonic()
        while monotonic() < ends:
            hall.mishap()
            if monotonic() - looked > LOOK * 4:
                looked = monotonic()
                sizes.append(hall.size())
                print(f"{(ends - looked) / 60:5.1f} min left  {sizes[-1]}  mishaps {hall.mishaps}", flush=True)
        hall.calm()
        hall.wait_until_well()
        sleep(SETTLE)
        good = [hall.no_fix_is_lost(), hall.has_not_grown(sizes), hall.obeys()]
    print("held" if all(good) else "DID NOT HOLD")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
