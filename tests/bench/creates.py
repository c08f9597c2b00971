"""Durable creates over HTTP against the bare loop, both with every fsync 2 ms longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from urllib.parse import urlencode

from tests import homes
from tests.bench.county import SOUTH, STEP, WEST
from tests.bench.disk import slower_disk
from tests.bench.load import Load, gets, posts
from tests.bench.pages import memory
from tests.nodes import RunningNode

BARE, MANY, ONE, WARM = 600, 6000, 400, 300


def new_case(number: int) -> dict[str, object]:
    """A hotline report somewhere in the furnished county."""
    random = Random(number)
    return {
        "source": "hotline_12319", "kind": "part", "code": "01002", "description": f"井盖破了,车都绕着走 {number}",
        "lon": WEST + random.random() * 19.9 * STEP, "lat": SOUTH + random.random() * 9.9 * STEP,
        "address": "药城路18号", "reporter": {"name": "市民", "phone": f"138{number:08d}"},
    }  # fmt: skip


def measure(folder: Path) -> bool:
    """Run the bare loop and the node on the same disk; True when the ratios hold."""
    library = str(slower_disk(folder))
    environment = {"LD_PRELOAD": library}
    bare_home = homes.copy_home(folder / "bare")
    command = [sys.executable, "-m", "tests.bench.bare", str(bare_home / "county.db"), str(BARE)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    bare = float(done.stdout)
    node = RunningNode(homes.copy_home(folder / "node"), environment=environment).start()
    try:
        token = node.client("s1").headers["Authorization"].removeprefix("Bearer ")
        Load(node.port, token, 8).run(posts(WARM, new_case))
        before = processor_seconds(node)
        many = Load(node.port, token, 32).run(posts(MANY, new_case))
        processor = (processor_seconds(node) - before) / MANY * 1000
        one = Load(node.port, token, 1).run(posts(ONE, new_case))
        assert set(many.statuses) | set(one.statuses) == {201}
    finally:
        node.stop()
    print(f"bare loop                    {bare:8.0f} /s")
    print(f"32 clients                   {many.rate:8.0f} /s   ratio {many.rate / bare:5.2f}  (aim ≥ 2.0)")
    print(f"  p50 {many.at(0.5):.1f} ms, p99 {many.at(0.99):.1f} ms (aim ≤ 100)")
    print(f"  processor time a create    {processor:8.2f} ms  (aim 1.3)")
    print(f"one client                   {one.rate:8.0f} /s   ratio {one.rate / bare:5.2f}  (aim ≥ 0.5)")
    return many.rate >= 2 * bare and one.rate >= 0.5 * bare and many.at(0.99) <= 100


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
