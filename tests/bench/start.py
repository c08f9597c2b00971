"""How long `wanmi --help` takes, beside a bare Python."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter

ROUNDS = 7
AIM = 0.3


def measure() -> bool:
    """The best of some rounds; True when help comes within its time."""
    bare = best([sys.executable, "-c", "pass"])
    wanmi = best([sys.executable, "-m", "appliance", "--help"])
    print(f"wanmi --help                 {wanmi * 1000:8.0f} ms  (aim ≤ 300, bare Python {bare * 1000:.0f})")
    return wanmi <= AIM


def best(command: list[str]) -> float:
    """The shortest of some runs in seconds."""
    found = []
    for _ in range(ROUNDS):
        started = perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found.append(perf_counter() - started)
    return min(found)
