"""The prefecture pulls a county over mTLS on loopback: changes, a snapshot, and what operators notice of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import perf_counter

from tests.bench.load import Load, Outcome, gets
from tests.bench.pages import Seat, memory, percentile
from tests.bench.pulling import PAGE, Puller
from tests.exchange.joined import Joined, address
from tests.exchange.platform import Platform
from tests.nodes import RunningNode

RECORDS_A_SECOND, SHARE_OF_BARE, SNAPSHOT_SECONDS, GROWN_MEGABYTES, OPERATORS = 20_000, 0.5, 120.0, 50.0, 1.5
ROUNDS = 1_500
NUMBERS_AT_MOST = 200_000
"""So many changes are pulled for the rate; a snapshot takes all."""


def puller(joined: Joined) -> Puller:
    """The prefecture's client."""
    return Puller(*where(joined))


def where(joined: Joined) -> tuple[str, str, str, str]:
    """Where to pull, and by which papers."""
    paper = joined.platform.client_paper
    return joined.listen, str(joined.platform.ca), str(paper.certificate), str(paper.key)


@contextmanager
def pulling(joined: Joined) -> Iterator[None]:
    """Meanwhile another machine pulls everything."""
    command = [sys.executable, "-m", "tests.bench.pulling", *where(joined)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield
    finally:
        process.communicate()


def bare(home: Path, most: int) -> tuple[int, float]:
    """The same rows by a bare sqlite3 loop and a JSON dump."""
    began, items, size = perf_counter(), 0, 0
    connection = sqlite3.connect(home / "county.db")
    rows = connection.execute(
        "SELECT n.seq, n.type, n.id, n.op, n.at, r.masked FROM change n JOIN cases c ON c.number = n.id "
        "JOIN case_record r ON r.id = c.id ORDER BY n.seq LIMIT ?",
        (most,),
    )
    for seq, type_, id_, op, at, masked in rows:
        item = {"seq": seq, "type": type_, "id": id_, "op": op, "at": at, "data": json.loads(masked)}
        size += len(json.dumps(item, ensure_ascii=False).encode())
        items += 1
    connection.close()
    return items, perf_counter() - began


def exchange_memory(node: RunningNode) -> float:
    """Resident memory of the node and its exchange process in MB."""
    assert node.process is not None
    children = Path(f"/proc/{node.process.pid}/task/{node.process.pid}/children").read_text().split()
    total = memory(node)
    for child in children:
        lines = Path(f"/proc/{child}/status").read_text(encoding="ascii").splitlines()
        total += int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024
    return total


def measure(home: Path, scratch: Path) -> bool:
    """All of it on one county."""
    held = []
    copy = scratch / "joined"
    shutil.copytree(home, copy)
    with Platform(scratch / "platform") as platform:
        node = RunningNode(copy).start()
        try:
            joined = Joined(node, platform, address())
            assert joined.join()["ok"] is True
            held.append(_rates(copy, joined))
            held.append(_snapshot(node, joined))
            held.append(_operators(node, joined))
        finally:
            node.stop()
    return all(held)


def _rates(home: Path, joined: Joined) -> bool:
    client, bare_rates, rates = puller(joined), [], []
    client.changes(PAGE)
    for _ in range(3):
        rows, seconds = bare(home, NUMBERS_AT_MOST)
        bare_rates.append(rows / seconds)
        rows, seconds = client.changes(NUMBERS_AT_MOST)
        rates.append(rows / seconds)
    rate, ratio = sorted(rates)[1], sorted(rates)[1] / sorted(bare_rates)[1]
    print(
        f"changes over mTLS: {rate:,.0f} records/s (bound {RECORDS_A_SECOND:,}), {ratio:.2f} x bare ({SHARE_OF_BARE})"
    )
    return rate >= RECORDS_A_SECOND and ratio >= SHARE_OF_BARE


def _snapshot(node: RunningNode, joined: Joined) -> bool:
    before, most, ending = exchange_memory(node), [0.0], threading.Event()

    def watch() -> None:
        while not ending.wait(0.2):
            most[0] = max(most[0], exchange_memory(node))

    watcher = threading.Thread(target=watch)
    watcher.start()
    lines, seconds = puller(joined).snapshot("case")
    ending.set()
    watcher.join()
    grown = most[0] - before
    print(f"snapshot of {lines:,} cases: {seconds:.1f} s (bound {SNAPSHOT_SECONDS:.0f}), memory +{grown:.0f} MB "
          f"(bound {GROWN_MEGABYTES:.0f})")  # fmt: skip
    return seconds <= SNAPSHOT_SECONDS and grown <= GROWN_MEGABYTES


def _operators(node: RunningNode, joined: Joined) -> bool:
    """A seat asks for its queue while the prefecture pulls everything, and while it does not; in turns."""
    token, path, seen = Seat(node).token, "/api/v1/cases?limit=50&department=B07", {True: [], False: []}

    def ask() -> Outcome:
        return Load(node.port, token, 1).run(gets([path], ROUNDS // 3))

    ask()
    for turn in range(6):
        busy = turn % 2 == 1
        with pulling(joined) if busy else nullcontext():
            seen[busy] += ask().seconds
    quiet, loud = (percentile(seen[busy], 0.95) for busy in (False, True))
    print(f"operators' p95: {quiet:.2f} ms alone, {loud:.2f} ms during a full pull: {loud / quiet:.2f} x ({OPERATORS})")
    return loud / quiet <= OPERATORS
