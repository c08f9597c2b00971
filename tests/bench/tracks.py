"""Tracks: 1,203 senders every ten seconds over HTTP, beside a bare loop of one commit a position; bytes a position."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from zoneinfo import ZoneInfo

from appliance.clock import SECOND, micros
from appliance.patrols import compaction, day_file
from appliance.patrols.tracks import Tracks
from tests import homes
from tests.bench.creates import processor_seconds
from tests.bench.disk import slower_disk
from tests.bench.load import Call, Load
from tests.bench.senders import EVERY, SENDERS, Field, add_senders, batches, strolls
from tests.nodes import RunningNode

BARE, TURNS = 400, 3
NOMINAL_ROUNDS, PRESSING_ROUNDS, CONNECTIONS = 3, 12, 300
BATCHES, BATCH = 300, 100
DAY_OF = 24
"""So many collectors walk a whole day for the bytes a position."""
ZONE = ZoneInfo("Asia/Shanghai")


def measure(folder: Path) -> bool:
    """Everything that is asked of tracks; whether all bounds hold."""
    folder = folder / "tracks"
    folder.mkdir()
    environment = {"LD_PRELOAD": str(slower_disk(folder))}
    home = homes.copy_home(folder / "node")
    tokens, key = add_senders(home)
    node = RunningNode(home, environment=environment).start()
    try:
        held = _rates(folder, node, Field(node.port, tokens), environment)
        held &= _batches(node, key)
    finally:
        node.stop()
    return _bytes(folder) and held


def _rates(folder: Path, node: RunningNode, field: Field, environment: dict[str, str]) -> bool:
    wanted = SENDERS / EVERY
    field.pressing(1, SENDERS)  # every session is known, as in the middle of a day
    bare, pressed, costs = [], [], []
    for _ in range(TURNS):
        bare.append(_bare(folder / "bare.db", environment))
        pressed.append(field.pressing(PRESSING_ROUNDS, CONNECTIONS))
    before, began = processor_seconds(node), perf_counter()
    nominal = field.nominal(NOMINAL_ROUNDS)
    share = (processor_seconds(node) - before) / (perf_counter() - began)
    costs = [share / (len(nominal.seconds) / nominal.total) * 1000]
    assert all(set(outcome.statuses) == {201} for outcome in (nominal, *pressed)), [nominal.statuses]
    base, fast = median(rate for rate, _ in bare), median(outcome.rate for outcome in pressed)
    last, busy = nominal.at(0.99), median(cost for _, cost in bare)
    print(f"bare loop                    {base:8.0f} /s   {busy:.2f} ms of processor a position")
    print(f"{CONNECTIONS} connections, all they can {fast:8.0f} /s   ratio {fast / base:5.2f}  (aim ≥ 1.0)")
    print(f"  of the nominal rate        {fast / wanted:8.1f} x   (aim ≥ 3; nominal {wanted:.1f} /s)")
    print(f"{SENDERS} senders, every {EVERY:.0f} s     {len(nominal.seconds) / nominal.total:8.1f} /s")
    print(f"  share of one core          {share:8.2f}     (aim ≤ 0.5); {costs[0]:.2f} ms a position")
    print(f"  p50 {nominal.at(0.5):.1f} ms, p99 {last:.1f} ms (aim ≤ 100)")
    return fast >= base and fast >= 3 * wanted and share <= 0.5 and last <= 100


def _batches(node: RunningNode, key: str) -> bool:
    calls = (Call("POST", "/api/v1/positions", body) for body in batches(BATCHES, BATCH))
    before = processor_seconds(node)
    outcome = Load(node.port, key, 8).run(calls)
    rate = outcome.rate * BATCH
    cost = (processor_seconds(node) - before) / (BATCHES * BATCH) * 1000
    assert set(outcome.statuses) == {201}
    wanted = SENDERS / EVERY
    print(f"agents, {BATCH} in a batch       {rate:8.0f} positions/s, {rate / wanted:.0f} x nominal (aim ≥ 30)")
    print(f"  processor time a position  {cost:8.3f} ms")
    return rate >= 30 * wanted


def _bytes(folder: Path) -> bool:
    """Bytes a position of whole days, before and after packing."""
    day = (datetime.now(ZONE) - timedelta(days=2)).date()
    start = micros(datetime(day.year, day.month, day.day, 7, tzinfo=ZONE))
    steps = 10 * 3600 // 10
    with closing(Tracks(folder, ZONE)) as tracks:
        for number in range(DAY_OF):
            tracks.add(strolls(f"w{number:04d}", start, steps, 10 * SECOND))
    path, total = day_file.path_of(folder, day.isoformat()), DAY_OF * steps
    before = path.stat().st_size / total
    began = perf_counter()
    assert compaction.compact(folder, day.isoformat()) == DAY_OF
    seconds = perf_counter() - began
    after = path.stat().st_size / total
    held = after * 6 <= before
    print(f"bytes a position             {before:8.1f}     packed {after:.1f}, ratio {before / after:.1f}  (aim ≥ 6)")
    print(f"packing                      {total / seconds:8.0f} positions/s")
    return held


def _bare(file: Path, environment: dict[str, str]) -> tuple[float, float]:
    command = [sys.executable, "-m", "tests.bench.bare_tracks", str(file), str(BARE)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    rate, cost = done.stdout.split()
    return float(rate), float(cost)
