"""Evidence of the cases that we sent down: once such a case is closed, the files that its record names are fetched.

They lie in `evidence/` of the platform's home under their SHA-256, as in a county. A thread of its own fetches them,
some files and some seconds a round, so that no file ever stands in the way of the changes; one that is cut off goes on
where it was.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import Connection, Row, select, text, update

from appliance.cases.evidence import path_of
from appliance.clock import SECOND
from appliance.errors import Broken, Gone, TooLarge, WanmiError
from server.prefecture.counties import County, all_counties
from server.prefecture.county_port import CountyPort, CountyRefusal, Unreachable
from server.prefecture.replicas import FETCHING, held
from server.prefecture.rounds import without_values
from server.prefecture.store import Platform
from server.prefecture.tables import EVIDENCE
from server.prefecture.views import live

WAITING, HERE, KEPT_BACK = "waiting", "here", "kept_back"
LOOK_SECONDS = 1.0
FILES_AT_ONCE, SECONDS_AT_ONCE = 20, 10.0
"""So much of one county's files a round, then it is the next county's turn."""

PATIENCE = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 6 * 3600.0
BYTES_AT_MOST = 1 << 30
BLOCK = 1 << 20

_THERE = text("SELECT to_regclass(:table) IS NOT NULL")
_NOTE = (
    "INSERT INTO prefecture.evidence (county, number, sha256, stage, type, state, tries, next_at) "
    "SELECT s.county, c.number, e ->> 'sha256', min(e ->> 'stage'), min(e ->> 'type'), 'waiting', 0, :now "
    "FROM prefecture.sent s JOIN {schema}.cases c ON c.number = s.number AND c.state = 'closed' "
    "JOIN {schema}.case_record r ON r.id = c.id CROSS JOIN json_array_elements(r.masked::json -> 'evidence') e "
    "WHERE s.county = :county AND s.kind = 'case' AND s.state = 'done' AND (e ->> 'share')::boolean "
    "AND e ->> 'sha256' ~ '^[0-9a-f]{{64}}$' GROUP BY s.county, c.number, e ->> 'sha256' ON CONFLICT DO NOTHING"
)


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
            return [county for county in all_counties(connection) if county.pulled]

    def _attend(self, county: County) -> None:
        """Note what a pull brought, and fetch what is due."""
        if self._ending.is_set():
            return
        if self._noted.get(county.code) != county.pulled_at:
            note_files(self._platform, county.code)
            self._noted[county.code] = county.pulled_at
        fetch_files(self._platform, county, self._ending.is_set)


@contextmanager
def fetching(platform: Platform) -> Iterator[None]:
    """Fetch in a thread of its own for as long as the block lasts."""
    rounds = EvidenceRounds(platform)
    thread = Thread(target=rounds.run, name="wanmi-evidence")
    thread.start()
    try:
        yield
    finally:
        rounds.end()
        thread.join()


def fetch_once(platform: Platform, codes: Collection[str] | None) -> None:
    """Fetch what is due of all counties that are called (or those named), as much as one round takes."""
    with platform.begin() as connection:
        counties = [county for county in all_counties(connection) if county.pulled]
    for county in counties:
        if codes is None or county.code in codes:
            note_files(platform, county.code)
            fetch_files(platform, county, lambda: False)


def note_files(platform: Platform, code: str) -> None:
    """Write down which files the closed cases of a county have that we sent there."""
    with platform.begin() as connection:
        if connection.execute(_THERE, {"table": f"{live(code)}.case_record"}).scalar_one():
            note = text(_NOTE.format(schema=live(code)))
            connection.execute(note, {"county": code, "now": platform.clock.now()})


def fetch_files(platform: Platform, county: County, ending: Callable[[], bool]) -> int:
    """Fetch files of a county that are due, some of them; returns how many are here now that were not."""
    with platform.begin() as connection:
        rows = _due(connection, county.code, platform.clock.now())
    if not rows:
        return 0
    with held(platform, county.code, FETCHING) as ours:
        return _fetch_some(platform, county, rows, ending) if ours else 0


def files_of(connection: Connection, county: str, number: str | None) -> list[Row[Any]]:
    """The files of a case that we sent down and that is closed."""
    query = select(EVIDENCE).where(EVIDENCE.c.county == county, EVIDENCE.c.number == number).order_by(EVIDENCE.c.sha256)
    return list(connection.execute(query))


def _fetch_some(platform: Platform, county: County, rows: list[Row[Any]], ending: Callable[[], bool]) -> int:
    assert county.address is not None
    ends, fetched = monotonic() + SECONDS_AT_ONCE, 0
    tls = platform.keys.context(county.code)
    with CountyPort(county.code, county.address, tls, min(PATIENCE, platform.settings.patience)) as port:
        for row in rows:
            try:
                if not _fetch(port, platform.home, row.sha256, lambda: ending() or monotonic() > ends):
                    return fetched  # what came of it stays, and it is due at once
            except WanmiError as error:
                if _note_trouble(platform, row, error) == KEPT_BACK:
                    path_of(platform.home, row.sha256).with_suffix(".part").unlink(missing_ok=True)
                if isinstance(error, Unreachable):
                    _postpone_all(platform, county.code)
                    return fetched
                continue
            _change(platform, row, state=HERE, fetched_at=platform.clock.now(), trouble=None)
            fetched += 1
    return fetched


def _fetch(port: CountyPort, home: Path, sha256: str, ending: Callable[[], bool]) -> bool:
    """Bring a file here, going on with a part that is there; False when it was told to end before.

    Raises:
        Broken: the content is another one. TooLarge: over `BYTES_AT_MOST`. And what `CountyPort.evidence` raises.
    """
    target = path_of(home, sha256)
    if target.exists():
        return True
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_suffix(".part")
    there = part.stat().st_size if part.exists() else 0
    with port.evidence(sha256, there) as (begins, blocks), part.open("r+b" if there else "wb") as file:
        file.truncate(begins)
        file.seek(begins)
        for block in blocks:
            file.write(block)
            if file.tell() > BYTES_AT_MOST:
                raise TooLarge(f"文件超过 {BYTES_AT_MOST >> 20} MB。", f"The file is over {BYTES_AT_MOST >> 20} MB.")
            if ending():
                return False
        file.flush()
        os.fsync(file.fileno())
    if _digest(part) != sha256:
        part.unlink()
        raise Broken(f"文件的 SHA-256 不是 {sha256}。", f"The file's SHA-256 is not {sha256}.")
    part.rename(target)
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note_trouble(platform: Platform, row: Row[Any], error: WanmiError) -> str:
    """A file that the county keeps to itself is not asked for again; the others wait, longer each time. Its state."""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(row.tries, 12))
    state = WAITING
    if isinstance(error, CountyRefusal):
        pause = max(pause, error.retry_after or 0.0)
        state = KEPT_BACK if error.status == 404 else WAITING
    if isinstance(error, Gone | TooLarge):
        state = KEPT_BACK
    next_at = platform.clock.now() + int(pause * SECOND)
    _change(platform, row, state=state, tries=row.tries + 1, next_at=next_at, trouble=f"{error.zh} {error.en}"[:500])
    return state


def _postpone_all(platform: Platform, code: str) -> None:
    """Nobody answers there, so none of the county's files is tried now."""
    now = platform.clock.now()
    waiting = (EVIDENCE.c.county == code, EVIDENCE.c.state == WAITING, EVIDENCE.c.next_at <= now)
    with platform.begin() as connection:
        connection.execute(update(EVIDENCE).where(*waiting).values(next_at=now + int(FIRST_PAUSE * SECOND)))


def _change(platform: Platform, row: Row[Any], **values: Any) -> None:
    with platform.begin() as connection:
        this = (EVIDENCE.c.county == row.county, EVIDENCE.c.number == row.number, EVIDENCE.c.sha256 == row.sha256)
        connection.execute(update(EVIDENCE).where(*this).values(**values))


def _due(connection: Connection, county: str, now: int) -> list[Row[Any]]:
    query = (
        select(EVIDENCE)
        .where(EVIDENCE.c.county == county, EVIDENCE.c.state == WAITING, EVIDENCE.c.next_at <= now)
        .order_by(EVIDENCE.c.next_at, EVIDENCE.c.number, EVIDENCE.c.sha256)
        .limit(FILES_AT_ONCE)
    )
    return list(connection.execute(query))
