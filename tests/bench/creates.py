"""Durable creates over HTTP against the bare loop, both with every fsync 2 ms longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from statistics import median
from urllib.parse import urlencode

from tests import homes
from tests.bench.county import SOUTH, STEP, WEST
from tests.bench.disk import slower_disk
from tests.bench.load import Load, gets, posts
from tests.bench.pages import memory
from tests.nodes import RunningNode

BARE, MANY, ONE, WARM, TURNS = 300, 3000, 250, 300, 3


def new_case(number: int) -> dict[str, object]:
    """A hotline report somewhere in the furnished county."""
    random = Random(number)
    return {
        "source": "hotline_12319", "kind": "part", "code": "01002", "description": f"井盖破了,车都绕着走 {number}",
        "lon": WEST + random.random() * 19.9 * STEP, "lat": SOUTH + random.random() * 9.9 * STEP,
        "address": "药城路18号", "reporter": {"name": "市民", "phone": f"138{number:08d}"},
    }  # fmt: skip


def measure(folder: Path) -> bool:
    """Run the bare loop and the node on the same disk, in turns; True when the ratios hold."""
    environment = {"LD_PRELOAD": str(slower_disk(folder))}
    bare_home = homes.copy_home(folder / "bare")
    node = RunningNode(homes.copy_home(folder / "node"), environment=environment).start()
    bare, many, one, processor = [], [], [], []
    try:
        token = node.client("s1").headers["Authorization"].removeprefix("Bearer ")
        Load(node.port, token, 8).run(posts(WARM, new_case))
        for _ in range(TURNS):
            bare.append(_bare(bare_home, environment))
            one.append(Load(node.port, token, 1).run(posts(ONE, new_case)))
            before = processor_seconds(node)
            many.append(Load(node.port, token, 32).run(posts(MANY, new_case)))
            processor.append((processor_seconds(node) - before) / MANY * 1000)
        assert all(set(outcome.statuses) == {201} for outcome in (*many, *one))
    finally:
        node.stop()
    base = median(bare)
    fast, single = median(outcome.rate for outcome in many), median(outcome.rate for outcome in one)
    last = median(outcome.at(0.99) for outcome in many)
    print(f"bare loop                    {base:8.0f} /s   (median of {TURNS} turns, as below)")
    print(f"32 clients                   {fast:8.0f} /s   ratio {fast / base:5.2f}  (aim ≥ 2.0)")
    print(f"  p50 {median(outcome.at(0.5) for outcome in many):.1f} ms, p99 {last:.1f} ms (aim ≤ 100)")
    print(f"  processor time a create    {median(processor):8.2f} ms  (aim 1.3)")
    print(f"one client                   {single:8.0f} /s   ratio {single / base:5.2f}  (aim ≥ 0.5)")
    return fast >= 2 * base and single >= 0.5 * base and last <= 100


def _bare(home: Path, environment: dict[str, str]) -> float:
    """Rows a second of the bare loop, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.bare", str(home / "county.db"), str(BARE)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return float(done.stdout)


def other_system_s_work(home: Path) -> None:
    """The work another case desk was measured with: 600 POSTs, then pages of 100 over 10,457 cases, 8 clients."""
    node = RunningNode(home).start()
    try:
        token = node.client("s1").headers["Authorization"].removeprefix("Bearer ")
        made = Load(node.port, token, 8).run(posts(600, new_case))
        paths = [f"/api/v1/cases?{urlencode({'limit': 100, 'after': after})}" for after in range(1000, 10_000, 97)]
        pages = Load(node.port, token, 8).run(gets(paths, 600))
        print(f"600 POSTs, 8 clients         {made.rate:8.0f} /s")
        print(f"pages of 100, 8 clients      {pages.rate:8.0f} /s   node memory {memory(node):.0f} MB")
    finally:
        node.stop()


def processor_seconds(node: RunningNode) -> float:
    """User and system time of the node so far."""
    assert node.process is not None
    fields = Path(f"/proc/{node.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
