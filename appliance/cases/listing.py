"""Lists of cases, newest first, in keyset pages; the same speed at 15,000 and at 1,500,000 cases.

A list is answered by one of four walks (`appliance/cases/walks.py`):

- search: a full-text index, whose marks of state, class and department do the filtering;
- small box: the R-tree, when few enough cases lie in the box;
- open: a covering index of the open cases, for overdue ones and for maps;
- order: the index that has exactly the equality filters and then the case's key.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, bindparam, text

from appliance.cases import history as history_rows
from appliance.cases import record
from appliance.cases.sight import require_sight, sees_all, sees_reporter
from appliance.cases.walks import COLUMNS, Query
from appliance.errors import FieldError, Forbidden, Invalid, NotFound
from appliance.records.sql import Sql

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

PAGE = 100
PAGE_AT_MOST = 1000
CURSOR_DIGITS = 18
"""So many digits fit into a key of the database."""


class CaseFilter(msgspec.Struct, kw_only=True):
    """What a list is asked for. `bbox` is west, south, east, north (EPSG:4490), `after` the cursor of the last page.

    `waiting` asks for cases with a request that waits for one of this person's roles; `awaiting_callback` for handled
    ones whose reporter was not called back yet, public ones first; `reopened` for those handled anew after closing;
    `supervised` for those with a supervision that runs; `collector` for the open ones of this collector. All that is
    asked for must fit.
    """

    states: tuple[str, ...] = ()
    overdue: bool = False
    departments: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    kind: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    text: str = ""
    phone: str = ""
    collector: str | None = None
    part: str | None = None
    waiting: bool = False
    awaiting_callback: bool = False
    reopened: bool = False
    supervised: bool = False
    after: str | None = None
    limit: int = PAGE


class Page(msgspec.Struct):
    """A page of records as JSON texts, and the cursor of the next page (None on the last one)."""

    items: list[bytes]
    next: str | None


def list_cases(connection: Connection, office: Office, actor: Actor, wanted: CaseFilter) -> Page:
    """One page of the cases that this person may see and that fit the filter.

    Raises:
        Invalid: an unknown state, a wrong cursor, box or limit. Forbidden: search by phone without the role.
    """
    _check(office, actor, wanted)
    query = Query(connection, office, actor, wanted, _cursor(wanted.after))
    rows = list(islice(query.rows(), wanted.limit + 1))
    more = len(rows) > wanted.limit
    rows = rows[: wanted.limit]
    items = _records(connection, office, actor, rows)
    return Page(items, query.cursor(rows[-1]) if more else None)


def find_case(connection: Connection, office: Office, actor: Actor, number: str) -> bytes:
    """The record of one case as JSON.

    Raises:
        NotFound: no such case. Forbidden: outside this person's sight.
    """
    row = connection.execute(_ONE, {"number": number}).one_or_none()
    if row is None:
        raise NotFound(f"没有案件 {number}。", f"There is no case {number}.")
    require_sight(actor, dict(row._mapping))
    return _records(connection, office, actor, [row])[0]


def history(connection: Connection, office: Office, actor: Actor, number: str) -> list[dict[str, Any]]:
    """The history rows of a case in order.

    Raises:
        NotFound, Forbidden.
    """
    row = connection.execute(_ONE, {"number": number}).one_or_none()
    if row is None:
        raise NotFound(f"没有案件 {number}。", f"There is no case {number}.")
    require_sight(actor, dict(row._mapping))
    return history_rows.rows(connection, row.id)


def record_of(connection: Connection, office: Office, actor: Actor, case: dict[str, Any]) -> bytes:
    """The record of a case whose row is at hand, as the answer to an action."""
    masked = _MASKED.value(connection, {"id": case["id"]})
    reporter = None
    if sees_reporter(actor):
        found = _REPORTER.row(connection, {"id": case["id"]})
        reporter = None if found is None else {"name": found[0], "phone": found[1]}
    return record.finished(
        masked, now=office.records.clock.now(), started=case["clock_started_at"], due_at=case["due_at"],
        yellow_at=office.settings.desk.yellow_at, reporter=reporter,
    )  # fmt: skip


_ONE = text(f"SELECT {COLUMNS} FROM cases c WHERE c.number = :number")  # noqa: S608  # our own columns
_MASKED = Sql("SELECT masked FROM case_record WHERE id = :id")
_REPORTER = Sql("SELECT name, phone FROM reporter WHERE id = :id")
_MASKED_MANY = text("SELECT id, masked FROM case_record WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
_REPORTER_MANY = text("SELECT id, name, phone FROM reporter WHERE id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)


def _records(connection: Connection, office: Office, actor: Actor, rows: Sequence[Any]) -> list[bytes]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    masked: dict[int, str] = {row.id: row.masked for row in connection.execute(_MASKED_MANY, {"ids": ids})}
    reporters: dict[int, Any] = {}
    if sees_reporter(actor):
        reporters = {row.id: row._mapping for row in connection.execute(_REPORTER_MANY, {"ids": ids})}
    now, yellow_at = office.records.clock.now(), office.settings.desk.yellow_at
    return [
        record.finished(
            masked[row.id], now=now, started=row.clock_started_at, due_at=row.due_at, yellow_at=yellow_at,
            reporter=reporters.get(row.id),
        )
        for row in rows
    ]  # fmt: skip


def _cursor(after: str | None) -> int | None:
    if after is None:
        return None
    if not after.isascii() or not after.isdigit() or len(after) > CURSOR_DIGITS:
        raise Invalid(
            f"翻页位置 {after[:40]!r} 无效;请用上一页的 next。",
            f"The cursor {after[:40]!r} is not one of ours; use `next` of the page before.",
            fields=(FieldError("after", "无效", "not valid"),),
        )
    return int(after)


def _check(office: Office, actor: Actor, wanted: CaseFilter) -> None:
    unknown = [state for state in wanted.states if state not in office.workflow.states]
    if unknown:
        known = tuple(office.workflow.states)
        raise Invalid(
            f"没有状态 {'、'.join(unknown)};可用: {'、'.join(known)}。",
            f"No state {', '.join(unknown)}; known: {', '.join(known)}.",
            fields=(FieldError("state", "未知状态", "unknown state", known),),
        )
    if not 1 <= wanted.limit <= PAGE_AT_MOST:
        raise Invalid(
            f"limit 须在 1 到 {PAGE_AT_MOST} 之间。",
            f"limit must be between 1 and {PAGE_AT_MOST}.",
            fields=(FieldError("limit", "超出范围", "out of range"),),
        )
    if (wanted.awaiting_callback or wanted.reopened) and not sees_all(actor):
        raise Forbidden(
            "回访和重新处置的清单不对部门和采集员开放。",
            "The lists of call-backs and of reopened cases are not for departments and collectors.",
        )
    if wanted.phone and not sees_reporter(actor):
        raise Forbidden(
            "按电话查询只限受理员、值班长、派遣员。", "Search by phone is for acceptor, shift leader, dispatcher."
        )
    if wanted.phone and not (wanted.phone.isascii() and wanted.phone.isdigit() and len(wanted.phone) >= 3):
        raise Invalid(
            "电话查询至少三位数字。",
            "A search by phone needs at least three digits.",
            fields=(FieldError("phone", "至少三位数字", "at least three digits"),),
        )
