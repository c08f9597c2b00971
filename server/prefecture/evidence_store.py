"""Evidence of the cases that we sent down, as it lies here: what is wanted, parts of files, whole files, what is wrong.

Files lie in `evidence/` of the platform's home under their SHA-256, as in a county; a part has `.part` behind its name.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select, text, update

from appliance.cases.evidence import path_of
from appliance.clock import SECOND
from appliance.errors import Broken, Gone, TooLarge, WanmiError
from server.prefecture.county_port import Answer, CountyRefusal, retry_after, sentence_of
from server.prefecture.tables import EVIDENCE
from server.prefecture.views import live

WAITING, HERE, KEPT_BACK = "waiting", "here", "kept_back"
FILES_AT_ONCE = 20
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 6 * 3600.0
BYTES_AT_MOST = 1 << 30

_RANGE = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})")
_THERE = text("SELECT to_regclass(:table) IS NOT NULL")
_NOTE = (
    "INSERT INTO prefecture.evidence (county, number, sha256, stage, type, state, tries, next_at) "
    "SELECT s.county, c.number, e ->> 'sha256', min(e ->> 'stage'), min(e ->> 'type'), 'waiting', 0, :now "
    "FROM prefecture.sent s JOIN {schema}.cases c ON c.number = s.number AND c.state = 'closed' "
    "JOIN {schema}.case_record r ON r.id = c.id CROSS JOIN json_array_elements(r.masked::json -> 'evidence') e "
    "WHERE s.county = :county AND s.kind = 'case' AND s.state = 'done' AND (e ->> 'share')::boolean "
    "AND e ->> 'sha256' ~ '^[0-9a-f]{{64}}$' GROUP BY s.county, c.number, e ->> 'sha256' ON CONFLICT DO NOTHING"
)


def note_files(connection: Connection, code: str, now: int) -> None:
    """Write down which files the closed cases of a county have that we sent there."""
    if connection.execute(_THERE, {"table": f"{live(code)}.case_record"}).scalar_one():
        connection.execute(text(_NOTE.format(schema=live(code))), {"county": code, "now": now})


def files_of(connection: Connection, county: str, number: str | None) -> list[Row[Any]]:
    """The files of a case that we sent down and that is closed."""
    query = select(EVIDENCE).where(EVIDENCE.c.county == county, EVIDENCE.c.number == number).order_by(EVIDENCE.c.sha256)
    return list(connection.execute(query))


def due_files(connection: Connection, county: str, now: int) -> list[Row[Any]]:
    """Files of a county that wait and may be asked for now, some of them."""
    query = (
        select(EVIDENCE)
        .where(EVIDENCE.c.county == county, EVIDENCE.c.state == WAITING, EVIDENCE.c.next_at <= now)
        .order_by(EVIDENCE.c.next_at, EVIDENCE.c.number, EVIDENCE.c.sha256)
        .limit(FILES_AT_ONCE)
    )
    return list(connection.execute(query))


def note_here(connection: Connection, row: Row[Any], now: int) -> None:
    """A file is whole."""
    _change(connection, row, state=HERE, fetched_at=now, trouble=None)


def note_trouble(connection: Connection, home: Path, row: Row[Any], error: WanmiError, now: int) -> None:
    """A file that the county keeps to itself is not asked for again; the others wait, longer each time."""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(row.tries, 12))
    state = WAITING
    if isinstance(error, CountyRefusal):
        pause = max(pause, error.retry_after or 0.0)
        state = KEPT_BACK if error.status == 404 else WAITING
    if isinstance(error, Gone | TooLarge):
        state = KEPT_BACK
    if state == KEPT_BACK:
        part_of(home, row.sha256).unlink(missing_ok=True)
    next_at, trouble = now + int(pause * SECOND), f"{error.zh} {error.en}"[:500]
    _change(connection, row, state=state, tries=row.tries + 1, next_at=next_at, trouble=trouble)


def part_of(home: Path, sha256: str) -> Path:
    """Where a file lies until it is whole."""
    return path_of(home, sha256).with_suffix(".part")


def bytes_here(home: Path, sha256: str) -> int:
    """How many bytes of a file are here."""
    part = part_of(home, sha256)
    return part.stat().st_size if part.exists() else 0


def settle(home: Path, sha256: str) -> None:
    """Let a part that is whole take its place.

    Raises:
        Broken: the content is another one; it is thrown away.
    """
    part = part_of(home, sha256)
    with part.open("rb") as file:
        os.fsync(file.fileno())
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        part.unlink()
        raise Broken(f"文件的 SHA-256 不是 {sha256}。", f"The file's SHA-256 is not {sha256}.")
    part.rename(path_of(home, sha256))


def check_size(size: int) -> None:
    """Refuse a file that is larger than any that a case has.

    Raises:
        TooLarge: it is.
    """
    if size > BYTES_AT_MOST:
        raise TooLarge(f"文件超过 {BYTES_AT_MOST >> 20} MB。", f"The file is over {BYTES_AT_MOST >> 20} MB.")


def take_piece(connection: Connection, home: Path, county: str, sha256: str, answer: Answer, now: int) -> None:
    """Take in what a county brought to an order for a file: a piece, or all of it; what is left is asked for anew."""
    this = (EVIDENCE.c.county == county, EVIDENCE.c.sha256 == sha256, EVIDENCE.c.state == WAITING)
    rows = list(connection.execute(select(EVIDENCE).where(*this)))
    try:
        whole = path_of(home, sha256).exists() or _put_piece(home, sha256, answer)
    except WanmiError as error:
        for row in rows:
            note_trouble(connection, home, row, error, now)
        return
    for row in rows if whole else ():
        note_here(connection, row, now)


def _put_piece(home: Path, sha256: str, answer: Answer) -> bool:
    """Write a piece behind what is here; whether the file is whole now."""
    there = bytes_here(home, sha256)
    if not answer.good and not (answer.status == 416 and there):
        raise CountyRefusal(answer.status, sentence_of(answer), retry_after(answer.headers))
    told = {name.lower(): value for name, value in answer.headers.items()}.get("content-range", "")
    found = _RANGE.fullmatch(told) if answer.status == 206 else None
    begins, size = (int(found[1]), int(found[3])) if found else (0, len(answer.body))
    if answer.good:
        if begins != there and begins:
            return False  # it is not the one that is wanted next
        check_size(size)
        part = part_of(home, sha256)
        part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with part.open("r+b" if there else "wb") as file:
            file.truncate(begins)
            file.seek(begins)
            file.write(answer.body)
        if begins + len(answer.body) < size:
            return False
    settle(home, sha256)
    return True


def _change(connection: Connection, row: Row[Any], **values: Any) -> None:
    this = (EVIDENCE.c.county == row.county, EVIDENCE.c.number == row.number, EVIDENCE.c.sha256 == row.sha256)
    connection.execute(update(EVIDENCE).where(*this).values(**values))
