"""Rounds of a node that is killed under load, and what must be true after each of them.

Clerks report and move cases over HTTP; at a random moment the node gets SIGKILL. It is started again: what was answered
is there once, with the version that was told; what was asked again under its key is there once; the feed has no gap.
"""

from __future__ import annotations

import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx

from tests.nodes import RunningNode

CLERKS = 6
LOAD_SECONDS = (0.02, 0.4)
"""A round is killed so long after its first answer."""
STEPS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("s1", "accept", {"reason": "电话清楚"}),
    ("z1", "file", {}),
    ("p1", "dispatch", {"department": "D01", "condition": 1}),
    ("d1", "finish", {"result": "已更换"}),
)
REPORT = {"source": "hotline_12319", "kind": "part", "code": "01002", "condition": 1}

_SINCE = (
    "SELECT id, description, number, version, (SELECT count(*) FROM case_action WHERE case_id = cases.id) FROM cases "
    "WHERE id > ? ORDER BY id"
)


@dataclass
class Told:
    """What the clerks asked and what they were answered.

    Attributes:
        keys: every key that was asked with, and the number that was answered, if any.
        versions: the version last answered of a case; `moving`: cases with an action that was not answered.
    """

    keys: dict[str, str | None] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    moving: set[str] = field(default_factory=set)


@dataclass
class Result:
    """What was seen."""

    rounds: int = 0
    answered: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    gaps: int = 0
    starts: list[float] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.lost and not self.doubled and not self.gaps


class Killing:
    """One home that lives through it."""

    def __init__(self, home: Path, where: tuple[float, float], seed: int) -> None:
        self.node = RunningNode(home)
        self.result = Result()
        self._where, self._chance = where, Random(seed)
        self._told = Told()
        self._wrong: list[AssertionError] = []
        self._headers: dict[str, dict[str, str]] = {}
        with closing(sqlite3.connect(f"file:{home / 'county.db'}?mode=ro", uri=True)) as driver:
            self._seen = int(driver.execute("SELECT coalesce(max(id), 0) FROM cases").fetchone()[0])

    def run(self, rounds: int, tell: Callable[[str], None] = lambda _: None) -> Result:
        """Live through so many kills."""
        self._start()
        for number in range(rounds):
            self._under_load()
            self._start()
            self._ask_again()
            self._look()
            self.result.rounds = number + 1
            if number % 50 == 49:
                tell(f"{number + 1} rounds, {self.result.answered} answered, {len(self.result.lost)} lost")
        self.node.stop()
        return self.result

    def _start(self) -> None:
        began = monotonic()
        self.node.start()
        self.result.starts.append(monotonic() - began)

    def _header(self, account: str) -> dict[str, str]:
        """Sessions outlive a node: nobody signs in again."""
        if account not in self._headers:
            token = self.node.client(account).headers["Authorization"]
            self._headers[account] = {"Authorization": token}
        return self._headers[account]

    def _under_load(self) -> None:
        for account in ("s1", *(account for account, _, _ in STEPS)):
            self._header(account)
        ending, first = threading.Event(), threading.Event()
        clerks = [threading.Thread(target=self._clerk, args=(ending, first)) for _ in range(CLERKS)]
        for clerk in clerks:
            clerk.start()
        assert first.wait(20), "nobody was answered"
        ending.wait(self._chance.uniform(*LOAD_SECONDS))
        self.node.stop(signal.SIGKILL)
        ending.set()
        for clerk in clerks:
            clerk.join()
        if self._wrong:
            raise self._wrong[0]

    def _clerk(self, ending: threading.Event, first: threading.Event) -> None:
        with httpx.Client(base_url=self.node.url, timeout=10) as client:
            while not ending.is_set():
                try:
                    number = self._report(client, str(uuid4()))
                    first.set()
                    for account, action, body in STEPS:
                        self._move(client, number, account, action, body)
                except httpx.TransportError:
                    return
                except AssertionError as error:
                    self._wrong.append(error)
                    return

    def _report(self, client: httpx.Client, key: str) -> str:
        self._told.keys.setdefault(key, None)
        lon, lat = self._where
        body = REPORT | {"description": key, "lon": lon, "lat": lat}
        headers = self._header("s1") | {"Idempotency-Key": key}
        answer = client.post("/api/v1/cases", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        number = str(answer.json()["number"])
        self._told.keys[key] = number
        self._told.versions[number] = max(self._told.versions.get(number, 0), answer.json()["version"])
        return number

    def _move(self, client: httpx.Client, number: str, account: str, action: str, body: dict[str, Any]) -> None:
        self._told.moving.add(number)
        headers = self._header(account) | {"If-Match": f'"{self._told.versions[number]}"'}
        answer = client.post(f"/api/v1/cases/{number}/actions/{action}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        self._told.versions[number] = answer.json()["version"]
        self._told.moving.discard(number)

    def _ask_again(self) -> None:
        """Whoever had no answer asks again under the same key, as a browser does."""
        with httpx.Client(base_url=self.node.url, timeout=10) as client:
            for key in [key for key, number in self._told.keys.items() if number is None]:
                self._report(client, key)

    def _look(self) -> None:
        """Compare what was answered since the last look with the database, and forget it."""
        told, self._told = self._told, Told()
        address = f"file:{self.node.home / 'county.db'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as driver:
            there: dict[str, list[tuple[str, int, int]]] = {}
            for identity, key, *row in driver.execute(_SINCE, (self._seen,)):
                self._seen = identity
                there.setdefault(key, []).append((row[0], row[1], row[2]))
            for key, number in told.keys.items():
                found = there.get(key, [])
                self.result.answered += 1
                if len(found) > 1:
                    self.result.doubled.append(key)
                if not found or found[0][0] != number or not _is_as_told(told, *found[0]):
                    self.result.lost.append(f"{key} {number} {found}")
            count, least, most = driver.execute("SELECT count(*), min(seq), max(seq) FROM change").fetchone()
            self.result.gaps += count != most - least + 1


def _is_as_told(told: Told, number: str, version: int, rows: int) -> bool:
    """The version is the one that was answered, or one later where an answer was cut off; so are the history rows."""
    answered = told.versions[number]
    return version == rows and answered <= version <= answered + (number in told.moving)
