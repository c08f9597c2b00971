"""Evidence of the cases that we sent down: once such a case is closed, the files that its record names are fetched.

A thread of its own fetches them, some files and some seconds a round, so that no file ever stands in the way of the
changes; one that is cut off goes on where it was. A county that is not called gets an order for each file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import Row, update

from appliance.cases.evidence import path_of
from appliance.clock import SECOND
from appliance.errors import WanmiError
from server.prefecture.counties import County, all_counties
from server.prefecture.county_port import CountyPort, Unreachable
from server.prefecture.down import ask_file, asked_files
from server.prefecture.evidence_store import (
    FIRST_PAUSE,
    WAITING,
    bytes_here,
    check_size,
    due_files,
    note_files,
    note_here,
    note_trouble,
    part_of,
    settle,
)
from server.prefecture.replicas import FETCHING, held
from server.prefecture.rounds import without_values
from server.prefecture.store import Platform
from server.prefecture.tables import EVIDENCE

LOOK_SECONDS = 1.0
SECONDS_AT_ONCE = 10.0
"""So long one county's files are fetched in a round, then it is the next county's turn."""

PATIENCE = 10.0
PIECE = 32 << 20
"""So many bytes are asked for in an order; what comes of it fits into one message."""


class EvidenceRounds:
    """The loop, in whatever thread calls `run`; `end` ends it from another one."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._ending = Event()
        self._noted: dict[str, int | None] = {}

    def run(self) -> None:
        """Fetch until `end` is called; what is under way ends at its next block."""
        while not self._ending.wait(LOOK_SECONDS):
            try:
                for county in self._counties():
                    self._attend(county)
            except Exception as error:  # the database is away, the disk is full; the next look tries again
                structlog.get_logger("wanmi").error("evidence", error=without_values(error))
                self._ending.wait(FIRST_PAUSE)

    def end(self) -> None:
        """End the loop soon."""
        self._ending.set()

    def _counties(self) -> list[County]:
        with self._platform.begin() as connection:
            return [county for county in all_counties(connection) if county.registered]

    def _attend(self, county: County) -> None:
        """Note what a pull brought, and fetch what is due."""
        if self._ending.is_set():
            return
        if self._noted.get(county.code) != county.pulled_at:
            _note(self._platform, county)
            self._noted[county.code] = county.pulled_at
        if county.pulled:
            fetch_files(self._platform, county, self._ending.is_set)
        else:
            ask_files(self._platform, county)


def fetch_once(platform: Platform, codes: Collection[str] | None) -> None:
    """Fetch what is due of all counties that are called (or those named), as much as one round takes."""
    with platform.begin() as connection:
        counties = [county for county in all_counties(connection) if county.pulled]
    for county in counties:
        if codes is None or county.code in codes:
            _note(platform, county)
            fetch_files(platform, county, lambda: False)


def ask_files(platform: Platform, county: County, *, note: bool = False) -> None:
    """Write an order for each file that is due and was not asked for yet, for a county that is not called.

    Args:
        note: look first which files there are.
    """
    if note:
        _note(platform, county)
    with platform.begin() as connection:
        asked, now = asked_files(connection, county.code), platform.clock.now()
        for row in due_files(connection, county.code, now):
            if path_of(platform.home, row.sha256).exists():
                note_here(connection, row, now)
            elif row.sha256 not in asked:
                there = bytes_here(platform.home, row.sha256)
                ask_file(platform, connection, county.code, row.sha256, there, PIECE)
                asked.add(row.sha256)


def fetch_files(platform: Platform, county: County, ending: Callable[[], bool]) -> int:
    """Fetch files of a county that are due, some of them; returns how many are here now that were not."""
    with platform.begin() as connection:
        rows = due_files(connection, county.code, platform.clock.now())
    if not rows:
        return 0
    with held(platform, county.code, FETCHING) as ours:
        return _fetch_some(platform, county, rows, ending) if ours else 0


def _note(platform: Platform, county: County) -> None:
    with platform.begin() as connection:
        note_files(connection, county.code, platform.clock.now())


def _fetch_some(platform: Platform, county: County, rows: list[Row[Any]], ending: Callable[[], bool]) -> int:
    assert county.address is not None
    ends, fetched = monotonic() + SECONDS_AT_ONCE, 0
    tls = platform.towards(county.code)
    with CountyPort(county.code, county.address, tls, min(PATIENCE, platform.settings.patience)) as port:
        for row in rows:
            try:
                if not _fetch(port, platform.home, row.sha256, lambda: ending() or monotonic() > ends):
                    return fetched  # what came of it stays, and it is due at once
            except WanmiError as error:
                with platform.begin() as connection:
                    note_trouble(connection, platform.home, row, error, platform.clock.now())
                if isinstance(error, Unreachable):
                    _postpone_all(platform, county.code)
                    return fetched
                continue
            with platform.begin() as connection:
                note_here(connection, row, platform.clock.now())
            fetched += 1
    return fetched


def _fetch(port: CountyPort, home: Path, sha256: str, ending: Callable[[], bool]) -> bool:
    """Bring a file here, going on with a part that is there; False when it was told to end before.

    Raises:
        Broken: the content is another one. TooLarge: over `BYTES_AT_MOST`. And what `CountyPort.evidence` raises.
    """
    if path_of(home, sha256).exists():
        return True
    part, there = part_of(home, sha256), bytes_here(home, sha256)
    part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with port.evidence(sha256, there) as (begins, blocks), part.open("r+b" if there else "wb") as file:
        file.truncate(begins)
        file.seek(begins)
        for block in blocks:
            file.write(block)
            check_size(file.tell())
            if ending():
                return False
    settle(home, sha256)
    return True


def _postpone_all(platform: Platform, code: str) -> None:
    """Nobody answers there, so none of the county's files is tried now."""
    now = platform.clock.now()
    waiting = (EVIDENCE.c.county == code, EVIDENCE.c.state == WAITING, EVIDENCE.c.next_at <= now)
    with platform.begin() as connection:
        connection.execute(update(EVIDENCE).where(*waiting).values(next_at=now + int(FIRST_PAUSE * SECOND)))
