"""A large county is backed up while operators work: what they notice, what an hour costs, how long a restore takes.

10 GB of evidence stand in as sparse files: their bytes are read, digested and restored, but take no room beforehand.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

from appliance.cases import history
from appliance.records import chain
from appliance.records.store import Records
from tests.bench.load import Load, Outcome, gets
from tests.bench.pages import Seat, percentile
from tests.nodes import RunningNode

OPERATORS, INCREMENT_SECONDS, RESTORE_SECONDS = 1.5, 30.0, 1800.0
FILES, FILE_BYTES = 2_000, 5 << 20
TABLE = "case_action"
HOUR_OF_WORK = 75
"""Cases of one office hour where 150,000 are reported a year."""
PATH = "/api/v1/cases?limit=50&department=B07"
ROUNDS = 200


def measure(home: Path, scratch: Path) -> bool:
    """All of it on a copy of one county."""
    _chain(home)
    copy, repository = scratch / "backed-up", scratch / "repository"
    shutil.copytree(home, copy)
    _evidence(copy)
    file = copy / "wanmi.toml"
    file.write_text(file.read_text(encoding="utf-8") + f'\n[backup]\nto = "{repository}"\n', encoding="utf-8")
    node = RunningNode(copy).start()
    try:
        held = [_operators(node, "first backup, all of it")]
        _work_an_hour(node)
        held += [_operators(node, "increment of an hour's work", INCREMENT_SECONDS)]
    finally:
        node.stop()
    held.append(_restore(copy))
    return all(held)


def _chain(home: Path) -> None:
    """The county was written straight into its tables; the drill walks the chains, so they are made true once."""
    marker = home / "chained"
    if marker.exists():
        return
    records = Records.open(home)
    try:
        with records.read() as connection:
            hashes, previous = [], chain.FIRST
            for row in history.walk(connection):
                note = None if row["note"] is None else chain.digest(row["note_salt"] or "", row["note"])
                content = {name: row[name] for name in history.CHAINED} | {"note_digest": note or row["note_digest"]}
                following = chain.link(previous, content)
                hashes.append((previous, following, content["note_digest"], row["id"]))
                previous = following
    finally:
        records.close()
    with closing(sqlite3.connect(home / "county.db", isolation_level=None)) as driver:
        driver.execute("PRAGMA synchronous = OFF")
        driver.execute("BEGIN")
        triggers = driver.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (TABLE,)
        )
        kept = triggers.fetchall()
        for name, _ in kept:
            driver.execute(f'DROP TRIGGER "{name}"')
        driver.executemany(f"UPDATE {TABLE} SET previous = ?, hash = ?, note_digest = ? WHERE id = ?", hashes)
        for _, made in kept:
            driver.execute(made)
        driver.execute("COMMIT")
    marker.touch()


def _evidence(home: Path) -> None:
    """Sparse files of 10 GB in all; a few bytes differ, so that none is the copy of another."""
    with closing(sqlite3.connect(home / "county.db", isolation_level=None)) as driver:
        driver.execute("BEGIN")
        for number in range(FILES):
            name = hashlib.sha256(str(number).encode()).hexdigest()
            target = home / "evidence" / name[:2] / name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(name.encode())
            os.truncate(target, FILE_BYTES)
            driver.execute(
                "INSERT INTO evidence (sha256, type, bytes, stage, share, uploaded_by, uploaded_at) "
                "VALUES (?, 'jpeg', ?, 'report', 1, 's1', 1)",
                (name, FILE_BYTES),
            )
        driver.execute("COMMIT")


def _operators(node: RunningNode, what: str, bound: float = float("inf")) -> bool:
    """A seat asks for its queue while a backup is made, and before and after it."""
    token, quiet, loud = Seat(node).token, [], []

    def ask() -> list[float]:
        found: Outcome = Load(node.port, token, 1).run(gets([PATH], ROUNDS))
        return list(found.seconds)

    ask()
    quiet += ask() + ask()
    made = _meanwhile(node.home, lambda: loud.extend(ask()))
    quiet += ask() + ask()
    before, during = percentile(quiet, 0.95), percentile(loud, 0.95)
    print(
        f"{what}: {made['seconds']:.1f} s, {made['bytes'] >> 20:,} MB, new {made['added'] >> 20:,} MB; operators' p95 "
        f"{before:.2f} ms alone, {during:.2f} ms meanwhile: {during / before:.2f} x ({OPERATORS})",
        flush=True,
    )
    return during / before <= OPERATORS and made["seconds"] <= bound


def _meanwhile(home: Path, ask: Callable[[], None]) -> dict[str, Any]:
    command = [sys.executable, "-m", "appliance", "backup", "now", "--json", "--home", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        ask()
    assert process.stdout is not None
    made: dict[str, Any] = json.loads(process.stdout.read())
    return made


def _work_an_hour(node: RunningNode) -> None:
    """Cases with a photo of 300 KB each."""
    from tests.faults.conftest import CASE

    client = node.client("s1")
    for number in range(HOUR_OF_WORK):
        case = client.post("/api/v1/cases", json=CASE | {"description": f"井盖破了 {number}"})
        assert case.status_code == 201, case.text
        name = hashlib.sha256(f"photo {number}".encode()).hexdigest()
        folder = node.home / "evidence" / name[:2]
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(os.urandom(300_000))


def _restore(home: Path) -> bool:
    """By the drill's own clock: restored, compared row by row, both chains walked."""
    began = perf_counter()
    command = [sys.executable, "-m", "appliance", "backup", "drill", "--json", "--home", str(home)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    told = json.loads(done.stdout)
    print(
        f"restore by the drill: {told['seconds']:.0f} s (bound {RESTORE_SECONDS:.0f}), {told['rows']:,} rows, "
        f"ok {told['ok']} {told['en']} ({perf_counter() - began:.0f} s outside)",
        flush=True,
    )
    return bool(told["ok"]) and told["seconds"] <= RESTORE_SECONDS
