"""What goes down to counties: cases, supervisions, withdrawals, decisions. Each is written down before it is tried.

A county that is reached is sent it at once; one that is not gets it when it is reached again, or fetches it as an order
(outbound mode). All that change something carry an Idempotency-Key, so trying twice does it once.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, Row, and_, case, delete, exists, func, insert, or_, select, text, update

from appliance.clock import SECOND
from appliance.errors import Invalid, NotFound
from server.prefecture.counties import County, the_county
from server.prefecture.county_port import (
    RETRIED,
    ROOT,
    Answer,
    CountyPort,
    Unreachable,
    Unreadable,
    plain,
    retry_after,
    sentence_of,
)  # fmt: skip
from server.prefecture.evidence_store import take_piece
from server.prefecture.returns import keep_return
from server.prefecture.settings import CLIENT
from server.prefecture.store import Platform
from server.prefecture.tables import SENT

WAITING, DONE, FAILED = "waiting", "done", "failed"
RETURN, DAILY, EVIDENCE, PICTURE = "return", "daily", "evidence", "picture"
HANDED_OUT_AGAIN = 60 * SECOND
HANDED_OUT_BYTES = 8 << 20
"""Orders of so many bytes are handed out at once, and always one."""

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0
JSON = "application/json"
KEPT_BYTES = 64_000
"""So much of a county's answer is kept."""

REPORTS = 5
"""So many of the last orders for one report are looked at."""

_RETURNS, _DAILY, _FILES = "reports/monthly/", "reports/daily/", "evidence/"

_WITHOUT_BODY = [column for column in SENT.c if column.name != "body"]
_NEEDED = SENT.alias("needed")
_FREE = or_(SENT.c.needs.is_(None), exists().where(and_(_NEEDED.c.id == SENT.c.needs, _NEEDED.c.state == DONE)))
"""What nothing else must be done before."""

_IN_TURN = (SENT.c.kind == PICTURE, SENT.c.made_at, SENT.c.id)
"""Files that come up wait until all is sent that goes down."""

KEPT_BODY = case((SENT.c.kind == EVIDENCE, None), else_=SENT.c.body)
"""What was said to a county is kept for ever; a picture only until it is there, or will never be."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that goes with a case, and what it shows."""

    content: bytes
    stage: str = "report"
    type: str = "image/jpeg"


def send_case(platform: Platform, code: str, case: dict[str, Any], evidence: Sequence[Evidence] = ()) -> str:
    """Write down a case for a county, its files before it; the id of what was written.

    Args:
        case: the body of `POST cases`; without `upper` it gets a number of ours.

    Raises:
        NotFound: no such county. Invalid: it is no object.
    """
    if not isinstance(case, dict):
        raise Invalid("案件文件须是一个 JSON 对象。", "The case must be a JSON object.")
    body = {**case, "evidence": list(case.get("evidence", []))}
    body.setdefault("upper", {"number": f"P{uuid4().hex[:12].upper()}", "reply_required": True})
    with platform.begin() as connection:
        the_county(connection, code)
        last: str | None = None
        for file in evidence:
            digest = sha256(file.content).hexdigest()
            body["evidence"].append({"sha256": digest, "stage": file.stage})
            last = _write(
                platform, connection, code, EVIDENCE, "PUT", f"evidence/{digest}", file.content, needs=last,
                type_=file.type,
            )  # fmt: skip
        return _write(platform, connection, code, "case", "POST", "cases", msgspec.json.encode(body), needs=last)


def supervise(platform: Platform, code: str, number: str, note: str, due_at: str | None, by: str | None) -> str:
    """Write down a supervision of a county's case."""
    body = {"note": note, **({"due_at": due_at} if due_at else {}), **({"by": by} if by else {})}
    return _on_case(platform, code, "supervision", number, "supervisions", body)


def withdraw(platform: Platform, code: str, number: str, reason: str) -> str:
    """Write down that a case sent down is taken back."""
    return _on_case(platform, code, "withdrawal", number, "withdraw", {"reason": reason})


def decide(platform: Platform, code: str, number: str, request: int, approve: bool, note: str) -> str:
    """Write down the answer to a request on a case sent down."""
    path = f"requests/{request}/decision"
    return _on_case(platform, code, "decision", number, path, {"approve": approve, "note": note})


def offer(platform: Platform, code: str, kind: str, title: str, files: dict[str, str]) -> str:
    """Write down an offer: a code pack, a calendar or a pack of indicators that the county's technician may apply."""
    body = {"kind": kind, "title": title, "files": files}
    with platform.begin() as connection:
        the_county(connection, code)
        return _write(platform, connection, code, "offer", "POST", "offers", msgspec.json.encode(body))


def ask_return(platform: Platform, code: str, period: str) -> None:
    """Write down that a county which calls by itself is asked for its monthly return, unless it is asked already."""
    _ask_report(platform, code, RETURN, f"{_RETURNS}{period}")


def ask_daily(platform: Platform, code: str, day: str) -> None:
    """The same for its report of a day."""
    _ask_report(platform, code, DAILY, f"{_DAILY}{day}")


def asked_return(connection: Connection, code: str, period: str) -> Row[Any] | None:
    """The last order for a county's return of a month, None where there was none."""
    return _asked(connection, code, RETURN, f"{_RETURNS}{period}")


def asked_daily(connection: Connection, code: str, day: str) -> list[Row[Any]]:
    """The orders for a county's report of a day, the last one first."""
    return _all_asked(connection, code, DAILY, f"{_DAILY}{day}")


def _ask_report(platform: Platform, code: str, kind: str, path: str) -> None:
    with platform.begin() as connection:
        the_county(connection, code)
        last = _asked(connection, code, kind, path)
        if last is None or last.state != WAITING:
            _write(platform, connection, code, kind, "GET", path, None)


def _asked(connection: Connection, code: str, kind: str, path: str) -> Row[Any] | None:
    return next(iter(_all_asked(connection, code, kind, path)), None)


def _all_asked(connection: Connection, code: str, kind: str, path: str) -> list[Row[Any]]:
    columns = [SENT.c.state, SENT.c.status, SENT.c.answer]
    mine = (SENT.c.county == code, SENT.c.kind == kind, SENT.c.path == f"{ROOT}{path}")
    return list(connection.execute(select(*columns).where(*mine).order_by(SENT.c.made_at.desc()).limit(REPORTS)))


def ask_file(platform: Platform, connection: Connection, code: str, sha256: str, there: int, size: int) -> None:
    """Write down that a county which is not called is asked for an evidence file.

    Args:
        there: how many bytes of it are here. size: how many more it shall bring at most.
    """
    wanted = {"Range": f"bytes={there}-{there + size - 1}"}
    _write(platform, connection, code, PICTURE, "GET", f"{_FILES}{sha256}", None, more=wanted)


def asked_files(connection: Connection, code: str) -> set[str]:
    """The evidence files that a county is asked for, by SHA-256."""
    query = select(SENT.c.path).where(SENT.c.county == code, SENT.c.state == WAITING, SENT.c.kind == PICTURE)
    return {path.rpartition("/")[2] for path in connection.execute(query).scalars()}


def try_now(platform: Platform, code: str) -> None:
    """Try what waits for a county, if it is one that we call."""
    with platform.begin() as connection:
        county = the_county(connection, code)
    if county.pulled:
        send_waiting(platform, county, lambda: False)


def send_waiting(platform: Platform, county: County, ending: Callable[[], bool]) -> None:
    """Send a county what waits for it and is due.

    Raises:
        Unreachable: nobody answers; it waits on.
    """
    with platform.begin() as connection:
        if not some_due(connection, county.code, platform.clock.now()):
            return
    assert county.address is not None
    tls = platform.towards(county.code)
    with CountyPort(county.code, county.address, tls, platform.settings.patience) as port:
        while not ending():
            with platform.begin() as connection:
                row = _next(connection, county.code, platform.clock.now())
            if row is None:
                return
            try:
                answer = port.ask(row.method, row.path, row.headers, row.body)
            except Unreachable:  # the county's own back-off says when it is tried again
                with platform.begin() as connection:
                    connection.execute(update(SENT).where(SENT.c.id == row.id).values(tries=row.tries + 1))
                raise
            finish(platform, county.code, row.id, answer)


def some_due(connection: Connection, code: str, now: int) -> bool:
    """Whether something waits for a county and may be tried now."""
    due = select(SENT.c.id).where(SENT.c.county == code, SENT.c.state == WAITING, SENT.c.next_at <= now, _FREE)
    return connection.execute(due.limit(1)).first() is not None


def finish(platform: Platform, code: str, id_: str, answer: Answer) -> None:
    """Note what a county answered; what may succeed later waits on.

    Raises:
        NotFound: nothing of this id was written down for this county.
    """
    with platform.begin() as connection:
        query = select(*_WITHOUT_BODY).where(SENT.c.id == id_, SENT.c.county == code).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"没有指令 {id_[:40]}。", f"There is no order {id_[:40]}.")
        if row.state != WAITING:
            return
        if answer.status in RETRIED:
            _postpone(platform, connection, row, answer)
            return
        if row.kind == PICTURE:  # how the file stands is told with the evidence
            sha256 = row.path.rpartition("/")[2]
            take_piece(connection, platform.home, code, sha256, answer, platform.clock.now())
            connection.execute(delete(SENT).where(SENT.c.id == id_))
            return
        if answer.good and row.kind == RETURN:
            answer = _kept_return(connection, code, row.path, answer, platform.clock.now())
        told = (
            plain(answer.body[:KEPT_BYTES].decode(errors="replace"), KEPT_BYTES) if answer.good else sentence_of(answer)
        )
        values: dict[str, Any] = {"state": DONE if answer.good else FAILED, "status": answer.status, "answer": told}
        if answer.good and row.kind == "case":
            values["number"] = _number_in(answer.body)
        now = platform.clock.now()
        if row.kind == EVIDENCE:
            values["body"] = None
        connection.execute(update(SENT).where(SENT.c.id == id_).values(done_at=now, tries=SENT.c.tries + 1, **values))
        if not answer.good:
            _fail_what_needs(connection, id_, now, told)


def hand_out(platform: Platform, code: str, at_most: int = 20) -> list[dict[str, Any]]:
    """The orders that a county fetches (docs/exchange.md); each is handed out again if no answer comes for a minute."""
    now = platform.clock.now()
    with platform.begin() as connection:
        free = or_(SENT.c.handed_out_at.is_(None), SENT.c.handed_out_at <= now - HANDED_OUT_AGAIN)
        query = (
            select(SENT.c.id, func.coalesce(func.octet_length(SENT.c.body), 0).label("bytes"))
            .where(SENT.c.county == code, SENT.c.state == WAITING, _FREE, free, SENT.c.next_at <= now)
            .order_by(*_IN_TURN)
            .limit(at_most)
            .with_for_update(skip_locked=True)
        )
        chosen = _first_bytes(connection.execute(query).all(), HANDED_OUT_BYTES)
        ordered = select(SENT).where(SENT.c.id.in_(chosen)).order_by(*_IN_TURN)
        rows = connection.execute(ordered).all()
        connection.execute(update(SENT).where(SENT.c.id.in_(chosen)).values(handed_out_at=now))
    return [
        {
            "id": row.id, "method": row.method, "path": row.path, "headers": {"Wanmi-Client": CLIENT, **row.headers},
            "body": None if row.body is None else base64.b64encode(row.body).decode(),
        }
        for row in rows
    ]  # fmt: skip


def _first_bytes(found: Sequence[Row[Any]], at_most: int) -> list[str]:
    """The ids of the first ones, as many as fit, and one whatever its size."""
    ids, size = [], 0
    for row in found:
        size += row.bytes
        if ids and size > at_most:
            break
        ids.append(row.id)
    return ids


def listed(connection: Connection, code: str | None, at_most: int = 200) -> list[Row[Any]]:
    """What was sent down, newest first, without bodies; orders for files are told with the evidence."""
    query = (
        select(*_WITHOUT_BODY).where(SENT.c.kind != PICTURE).order_by(SENT.c.made_at.desc(), SENT.c.id).limit(at_most)
    )
    return list(connection.execute(query if code is None else query.where(SENT.c.county == code)))


def find_sent(connection: Connection, id_: str) -> Row[Any]:
    """What was written down under an id, without its body."""
    return connection.execute(select(*_WITHOUT_BODY).where(SENT.c.id == id_)).one()


def _on_case(platform: Platform, code: str, kind: str, number: str, path: str, body: dict[str, Any]) -> str:
    with platform.begin() as connection:
        the_county(connection, code)
        whole = f"cases/{quote(number, safe='')}/{path}"
        return _write(platform, connection, code, kind, "POST", whole, msgspec.json.encode(body), number=number)


def _write(
    platform: Platform, connection: Connection, code: str, kind: str, method: str, path: str, body: bytes | None, *,
    number: str | None = None, needs: str | None = None, type_: str = JSON, more: dict[str, str] | None = None,
) -> str:  # fmt: skip
    id_, now = uuid4().hex, platform.clock.now()
    headers = {"Content-Type": type_, "Idempotency-Key": id_, **(more or {})}
    connection.execute(
        insert(SENT).values(
            id=id_, county=code, kind=kind, number=number, method=method, path=f"{ROOT}{path}", headers=headers,
            body=body, needs=needs, state=WAITING, made_at=now, next_at=now,
        )
    )  # fmt: skip
    return id_


def _next(connection: Connection, code: str, now: int) -> Row[Any] | None:
    query = (
        select(SENT)
        .where(SENT.c.county == code, SENT.c.state == WAITING, SENT.c.next_at <= now, _FREE)
        .order_by(*_IN_TURN)
        .limit(1)
    )
    return connection.execute(query).one_or_none()


def _postpone(platform: Platform, connection: Connection, row: Row[Any], answer: Answer) -> None:
    pause = max(retry_after(answer.headers) or 0.0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(row.tries, 12)))
    connection.execute(
        update(SENT)
        .where(SENT.c.id == row.id)
        .values(
            tries=row.tries + 1, next_at=platform.clock.now() + int(pause * SECOND), handed_out_at=None,
            status=answer.status, answer=sentence_of(answer),
        )
    )  # fmt: skip


def _fail_what_needs(connection: Connection, id_: str, now: int, why: str) -> None:
    """What needs a thing that failed cannot be done either."""
    failed = [id_]
    while failed:
        query = (
            update(SENT)
            .where(SENT.c.needs.in_(failed), SENT.c.state == WAITING)
            .values(state=FAILED, done_at=now, answer=why, body=KEPT_BODY)
            .returning(SENT.c.id)
        )
        failed = list(connection.execute(query).scalars())


def _kept_return(connection: Connection, code: str, path: str, answer: Answer, now: int) -> Answer:
    """Keep a return that a county brought; an answer that is none counts as refused."""
    try:
        keep_return(connection, code, path.rpartition("/")[2], answer.body, now)
    except Unreadable as error:
        return Answer(422, {}, f"{error.zh} {error.en}".encode())
    return answer


def _number_in(body: bytes) -> str | None:
    try:
        return str(msgspec.json.decode(body)["number"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return None


def case_state(connection: Connection, code: str, number: str | None) -> str | None:
    """How far a case is in its county's replica, None where it is not there (yet)."""
    table = f"county_{code}.cases"
    there = text("SELECT to_regclass(:table) IS NOT NULL")
    if number is None or not connection.execute(there, {"table": table}).scalar_one():
        return None
    found = text(f"SELECT state FROM {table} WHERE number = :number")  # noqa: S608  # a code of a county of ours
    state: str | None = connection.execute(found, {"number": number}).scalar_one_or_none()
    return state
