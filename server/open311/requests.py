"""Service requests: what a citizen sees of a case. A reporter's name, phone and mail never come back out.

Only cases of public channels are listed, and free text only of those that came in through this door: what somebody told
on the telephone stays inside. The protocol knows open and closed; the finer state, and the reason of a rejection or of
waiting, stand in `status_notes` and in the updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, text

from appliance.cases.office import Office
from appliance.clock import DAY, micros, rfc3339
from appliance.records.feed import FeedRow, changes_after, last_seq
from server.open311.answer import Open311Error
from server.open311.posting import ACCOUNT

MOST = 1000
SPAN_DAYS = 90
NUMBER_DIGITS = 9
COLUMNS = (
    "c.id, c.number, c.kind, c.code, c.name, c.state, c.is_open, c.description, c.address, c.lon, c.lat, c.department, "
    "c.reported_at, c.due_at, c.part, c.registered_by"
)
TELLING = ("reject", "suspend", "void", "answer")
"""Actions whose note the reporter may read."""

REASONED = frozenset(("rejected", "suspended", "void", "answered"))
_ONE = text(f"SELECT {COLUMNS} FROM cases c WHERE c.number IN :numbers AND c.channel = 'public'").bindparams(  # noqa: S608
    bindparam("numbers", expanding=True)
)
_TOKEN = text("SELECT number FROM cases WHERE query_code = :token")
_TOUCHED = text("SELECT case_id, max(at) FROM case_action WHERE case_id IN :ids GROUP BY case_id").bindparams(
    bindparam("ids", expanding=True)
)
_REASONS = text(
    "SELECT case_id, note FROM case_action WHERE case_id IN :ids AND action IN :telling ORDER BY case_id, seq"
).bindparams(bindparam("ids", expanding=True), bindparam("telling", expanding=True))
_FEED_FIRST = text("SELECT first FROM feed WHERE id = 1")
_FEED_AT = text("SELECT at FROM change WHERE seq = :seq")
_MOVES = text(
    "SELECT a.id, c.number, a.seq, a.at, a.to_state, a.action, a.note FROM cases c "
    "JOIN case_action a ON a.case_id = c.id WHERE c.number IN :numbers AND c.channel = 'public'"
).bindparams(bindparam("numbers", expanding=True))


def by_numbers(connection: Connection, office: Office, numbers: list[str]) -> list[dict[str, Any]]:
    """The requests with these ids."""
    return _views(connection, office, connection.execute(_ONE, {"numbers": numbers[:MOST]}).all())


def by_token(connection: Connection, token: str) -> str:
    """The request id of a token.

    Raises:
        Open311Error: 404.
    """
    number = connection.execute(_TOKEN, {"token": token.strip().upper()}).scalar_one_or_none()
    if number is None:
        raise Open311Error(404, f"token {token} was not found")
    return str(number)


def listed(connection: Connection, office: Office, wanted: dict[str, str]) -> list[dict[str, Any]]:
    """The request list, newest first.

    Args:
        wanted: query parameters; empty ones count as absent.

    Raises:
        Open311Error: 400, a wrong date, status or page.
    """
    start, end = period(wanted.get("start_date"), wanted.get("end_date"), office.records.clock.now())
    conditions = ["c.channel = 'public'", "c.reported_at >= :start", "c.reported_at <= :end"]
    values: dict[str, Any] = {"start": start, "end": end}
    if services := _list(wanted.get("service_code")):
        conditions.append("(c.kind || '-' || c.code) IN :services")
        values["services"] = services
    statuses = set(_list(wanted.get("status")))
    if statuses - {"open", "closed"}:
        raise Open311Error(400, "status must be open or closed")
    if len(statuses) == 1:
        conditions.append("c.is_open" if statuses == {"open"} else "NOT c.is_open")
    size = min(_number(wanted, "page_size", MOST), MOST)
    values |= {"size": size, "skip": (_number(wanted, "page", 1) - 1) * size}
    statement = text(
        f"SELECT {COLUMNS} FROM cases c WHERE {' AND '.join(conditions)} "  # noqa: S608  # fixed conditions
        "ORDER BY c.reported_at DESC, c.id DESC LIMIT :size OFFSET :skip"
    )
    if services:
        statement = statement.bindparams(bindparam("services", expanding=True))
    return _views(connection, office, connection.execute(statement, values).all())


def updates(connection: Connection, office: Office, start: str | None, end: str | None) -> list[dict[str, Any]]:
    """The updates of public requests in a period (an extension that FixMyStreet made common).

    Raises:
        Open311Error: 400, only one of the dates, or a wrong one.
    """
    if bool(start) != bool(end):
        raise Open311Error(400, "give both start_date and end_date, or neither")
    now = office.records.clock.now()
    since, until = period(start or None, end or None, now)
    after, last = _before(connection, since), _before(connection, until + 1)
    found: list[dict[str, Any]] = []
    while after < last and len(found) < MOST:
        page = [row for row in changes_after(connection, after, MOST, ("case_action",)) if row.seq <= last]
        if not page:
            break
        after = page[-1].seq
        found += _moves(connection, office, page)
    return found[:MOST]


def _moves(connection: Connection, office: Office, changes: list[FeedRow]) -> list[dict[str, Any]]:
    """The updates behind changes of history rows, in their order; a row that was only told again is none."""
    numbers = sorted({change.id.rpartition("/")[0] for change in changes})
    rows = {f"{row.number}/{row.seq}": row for row in connection.execute(_MOVES, {"numbers": numbers})}
    found = [(change, rows[change.id]) for change in changes if change.id in rows]
    return [_update(office, row) for change, row in found if row.at >= change.at]


def _update(office: Office, row: Any) -> dict[str, Any]:
    state = office.workflow.states[row.to_state]
    return {
        "update_id": str(row.id), "service_request_id": row.number, "status": "open" if state.is_open else "closed",
        "updated_datetime": rfc3339(row.at), "media_url": "",
        "description": _told(state.chinese, row.note if row.action in TELLING else None),
    }  # fmt: skip


def _before(connection: Connection, at: int) -> int:
    """The last number of the feed before a moment; the feed is in the order of time."""
    low, high = int(connection.execute(_FEED_FIRST).scalar_one()), last_seq(connection) + 1
    while low < high:
        middle = (low + high) // 2
        moment = connection.execute(_FEED_AT, {"seq": middle}).scalar_one_or_none()
        if moment is not None and moment >= at:
            high = middle
        else:
            low = middle + 1
    return low - 1


def period(start: str | None, end: str | None, now: int) -> tuple[int, int]:
    """The asked period in microseconds; the last 90 days by default, never a longer span.

    Raises:
        Open311Error: 400, not a date, in the wrong order, or over 90 days.
    """
    until = now if not end else _date("end_date", end)
    since = until - SPAN_DAYS * DAY if not start else _date("start_date", start)
    if start and not end:
        until = min(now, since + SPAN_DAYS * DAY)
    if since > until:
        raise Open311Error(400, "start_date is after end_date")
    if until - since > SPAN_DAYS * DAY:
        raise Open311Error(400, f"the dates may span at most {SPAN_DAYS} days")
    return since, until


def _views(connection: Connection, office: Office, rows: Sequence[Any]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    touched = dict(connection.execute(_TOUCHED, {"ids": ids}).tuples().all())
    waiting = [row.id for row in rows if row.state in REASONED]
    values = {"ids": waiting, "telling": list(TELLING)}
    reasons = dict(connection.execute(_REASONS, values).tuples().all()) if waiting else {}
    return [_view(office, row, touched.get(row.id, row.reported_at), reasons.get(row.id)) for row in rows]


def _view(office: Office, row: Any, touched: int, reason: str | None) -> dict[str, Any]:
    here = (row.registered_by or "").startswith(ACCOUNT)
    return {
        "service_request_id": row.number, "status": "open" if row.is_open else "closed",
        "status_notes": _told(office.workflow.states[row.state].chinese, reason), "service_name": row.name,
        "service_code": f"{row.kind}-{row.code}", "description": row.description if here else "",
        "agency_responsible": office.departments.get(row.department or "", ""), "service_notice": "",
        "requested_datetime": rfc3339(row.reported_at), "updated_datetime": rfc3339(touched),
        "expected_datetime": rfc3339(row.due_at), "address": row.address if here else "", "address_id": row.part or "",
        "zipcode": "", "lat": row.lat, "long": row.lon, "media_url": "",
    }  # fmt: skip


def _told(state: str, reason: str | None) -> str:
    return f"{state}: {reason}" if reason else state


def _date(name: str, written: str) -> int:
    try:
        found = datetime.fromisoformat(written.strip().replace(" ", "+"))
    except ValueError:
        raise Open311Error(400, f"{name} must be an ISO 8601 date with a zone, got {written}") from None
    return micros(found if found.tzinfo else found.replace(tzinfo=UTC))


def _list(text_: str | None) -> list[str]:
    return [part.strip() for part in (text_ or "").split(",") if part.strip()]


def _number(wanted: dict[str, str], name: str, default: int) -> int:
    written = wanted.get(name) or str(default)
    if not (written.isascii() and written.isdigit()) or len(written) > NUMBER_DIGITS or int(written) < 1:
        raise Open311Error(400, f"{name} must be a whole number from 1, of at most {NUMBER_DIGITS} digits")
    return int(written)
