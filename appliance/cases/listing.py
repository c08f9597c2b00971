"""Lists of cases, newest first, in keyset pages; the same speed at 15,000 and at 1,500,000 cases.

A list is answered by one of four walks, chosen in `list_cases`:

- text: the full-text index, whose marks of state, class and department do the filtering;
- small box: the R-tree, when few enough cases lie in the box;
- overdue: the index of due times of open cases;
- order: the index that has exactly the equality filters and then the case's key.

What the walk's index does not know is checked on the row while the page fills.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, bindparam, text

from appliance.cases import history as history_rows
from appliance.cases import record
from appliance.cases.search import contains, mark, match_expression
from appliance.cases.sight import require_sight, sees_all, sees_reporter
from appliance.errors import FieldError, Forbidden, Invalid, NotFound
from appliance.records.spatial import within_box
from appliance.records.sql import Sql

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

PAGE = 100
PAGE_AT_MOST = 1000
SMALL_BOX = 12_000
"""Up to so many cases in a box the R-tree is asked; more, and every hundredth case or so lies inside the box anyway."""

CHUNK = 400
BRANCHES_AT_MOST = 64


class CaseFilter(msgspec.Struct, kw_only=True):
    """What a list is asked for. `bbox` is west, south, east, north (EPSG:4490), `after` the cursor of the last page."""

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
    after: str | None = None
    limit: int = PAGE


class Page(msgspec.Struct):
    """A page of records as JSON texts, and the cursor of the next page (None on the last one)."""

    items: list[bytes]
    next: str | None


COLUMNS = (
    "c.id, c.number, c.name, c.description, c.address, c.state, c.is_open, c.department, c.sub_unit, c.code, c.kind, "
    "c.lon, c.lat, c.due_at, c.clock_started_at, c.collector, c.registered_by, c.duty_grid, c.part"
)


def list_cases(connection: Connection, office: Office, actor: Actor, wanted: CaseFilter) -> Page:
    """One page of the cases that this person may see and that fit the filter.

    Raises:
        Invalid: an unknown state, a wrong cursor, box or limit. Forbidden: search by phone without the role.
    """
    query = _Query(connection, office, actor, wanted)
    rows = list(islice(query.rows(), wanted.limit + 1))
    more = len(rows) > wanted.limit
    rows = rows[: wanted.limit]
    items = _records(connection, office, actor, rows)
    return Page(items, str(rows[-1].id) if more else None)


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
_BY_IDS = text(f"SELECT {COLUMNS} FROM cases c WHERE c.id IN :ids ORDER BY c.id DESC").bindparams(  # noqa: S608
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


class _Query:
    """One list question: chooses the walk, then filters what the walk's index could not."""

    def __init__(self, connection: Connection, office: Office, actor: Actor, wanted: CaseFilter) -> None:
        self.connection = connection
        self.wanted = wanted
        self.now = office.records.clock.now()
        self.dialect = connection.dialect.name
        _check(office, actor, wanted)
        self.before = _cursor(wanted.after)
        self.states = wanted.states
        if not self.states and (wanted.bbox is not None):
            self.states = tuple(sorted(office.workflow.open_states))
        self.open_only = bool(self.states) and set(self.states) <= office.workflow.open_states
        self.departments = wanted.departments
        self.actor = actor
        self.limited = not sees_all(actor)

    def rows(self) -> Iterator[Any]:
        """The fitting rows, newest first."""
        return (row for row in self._walk() if self._fits(row))

    def _walk(self) -> Iterator[Any]:
        wanted = self.wanted
        if wanted.phone:
            return self._by_ids(self._phone_ids())
        if self.limited:
            return self._by_ids(iter(_seen_ids(self.connection, self.actor, self.before)))
        if wanted.part is not None:
            return self._index_walk("c.part = :part", {"part": wanted.part})
        if wanted.collector is not None:
            return self._index_walk("c.collector = :collector AND c.is_open", {"collector": wanted.collector})
        if wanted.bbox is not None:
            inside = self._box_ids()
            if inside is not None:
                return self._by_ids(iter(inside))
        if wanted.text and (expression := match_expression(wanted.text, self._marks())) is not None:
            return self._by_ids(self._text_ids(expression))
        if wanted.overdue:
            return self._by_ids(iter(self._overdue_ids()))
        return self._order_walk()

    def _marks(self) -> list[str]:
        """Marks for filters with a single value; several values are left to the row check."""
        wanted, marks = self.wanted, []
        if len(self.states) == 1:
            marks.append(mark("state", self.states[0]))
        elif self.open_only or wanted.overdue:
            marks.append(mark("open", "1"))
        if len(self.departments) == 1:
            marks.append(mark("dept", self.departments[0]))
        if len(wanted.codes) == 1:
            marks.append(mark("code", wanted.codes[0]))
        return marks

    def _fits(self, row: Any) -> bool:
        wanted = self.wanted
        if (self.before is not None and row.id >= self.before) or (self.states and row.state not in self.states):
            return False
        if self.departments and row.department not in self.departments:
            return False
        if (wanted.codes and row.code not in wanted.codes) or (wanted.kind and row.kind != wanted.kind):
            return False
        if wanted.overdue and not (row.is_open and row.due_at is not None and row.due_at < self.now):
            return False
        if wanted.bbox is not None:
            west, south, east, north = wanted.bbox
            if not (west <= row.lon <= east and south <= row.lat <= north):
                return False
        if wanted.text and not _text_fits(wanted.text, row):
            return False
        return wanted.collector in (None, row.collector) and wanted.part in (None, row.part)

    def _by_ids(self, ids: Iterator[int]) -> Iterator[Any]:
        """Rows of keys that come newest first, fetched in growing chunks so that a page needs few of them."""
        size = self.wanted.limit + 1
        while chunk := list(islice(ids, size)):
            yield from self.connection.execute(_BY_IDS, {"ids": chunk}).all()
            size = min(size * 2, CHUNK * 4)

    def _index_walk(self, condition: str, values: dict[str, Any]) -> Iterator[Any]:
        """Walk the index that begins with the columns of `condition`, newest first, in chunks."""
        before, size = self.before, self.wanted.limit + 1
        statement = text(
            f"SELECT {COLUMNS} FROM cases c WHERE {condition} AND c.id < :before ORDER BY c.id DESC LIMIT :size"  # noqa: S608
        )
        while True:
            bound = before if before is not None else 2**62
            rows = self.connection.execute(statement, {**values, "before": bound, "size": size}).all()
            yield from rows
            if len(rows) < size:
                return
            before, size = rows[-1].id, min(size * 2, CHUNK * 8)

    def _order_walk(self) -> Iterator[Any]:
        """Merge one exact index walk for each combination of the equality filters."""
        wanted = self.wanted
        columns = [
            (name, values)
            for name, values in (("state", self.states), ("department", self.departments), ("code", wanted.codes))
            if values
        ]
        if not columns:
            return self._index_walk("1 = 1", {})
        combinations = list(product(*(values for _, values in columns)))
        if len(combinations) > BRANCHES_AT_MOST:
            name, values = min(columns, key=lambda column: len(column[1]))
            columns, combinations = [(name, values)], [(value,) for value in values]
        condition = " AND ".join(f"c.{name} = :{name}" for name, _ in columns)
        walks = [
            self._index_walk(condition, {name: value for (name, _), value in zip(columns, combination, strict=True)})
            for combination in combinations
        ]
        return _merge(walks)

    def _text_ids(self, expression: str) -> Iterator[int]:
        statement = text(
            "SELECT rowid FROM case_search WHERE case_search MATCH :expression AND rowid < :before "
            "ORDER BY rowid DESC LIMIT :size"
        )
        before, size = self.before if self.before is not None else 2**62, self.wanted.limit + 1
        while True:
            found = self.connection.execute(statement, {"expression": expression, "before": before, "size": size})
            ids = list(found.scalars())
            yield from ids
            if len(ids) < size:
                return
            before, size = ids[-1], min(size * 4, 20_000)

    def _phone_ids(self) -> Iterator[int]:
        statement = text(
            "SELECT rowid FROM reporter_search WHERE reporter_search MATCH :phone AND rowid < :before "
            "ORDER BY rowid DESC LIMIT 20000"
        )
        before = self.before if self.before is not None else 2**62
        phrase = f'"{self.wanted.phone}"'
        return iter(list(self.connection.execute(statement, {"phone": phrase, "before": before}).scalars()))

    def _overdue_ids(self) -> list[int]:
        statement = text(
            "SELECT id FROM cases INDEXED BY ix_cases_due_at "
            "WHERE is_open AND due_at IS NOT NULL AND due_at < :now AND id < :before"
        )
        before = self.before if self.before is not None else 2**62
        return sorted(self.connection.execute(statement, {"now": self.now, "before": before}).scalars(), reverse=True)

    def _box_ids(self) -> list[int] | None:
        """Keys in the box newest first, None when there are too many and the order is the better way."""
        assert self.wanted.bbox is not None
        names = ("west", "south", "east", "north")
        values: dict[str, Any] = dict(zip(names, self.wanted.bbox, strict=True))
        if self.open_only:
            statement = text(
                "SELECT id FROM cases INDEXED BY ix_cases_open WHERE is_open AND lon BETWEEN :west AND :east "
                "AND lat BETWEEN :south AND :north ORDER BY id DESC"
            )
            return list(self.connection.execute(statement, values).scalars())
        inside = within_box(self.dialect, "cases")
        index = text(
            inside.removeprefix("cases.id IN (").removesuffix(")") + " LIMIT :most"
            if self.dialect == "sqlite"
            else f"SELECT id FROM cases WHERE {inside} LIMIT :most"  # noqa: S608
        )
        ids = list(self.connection.execute(index, {**values, "most": SMALL_BOX + 1}).scalars())
        return None if len(ids) > SMALL_BOX else sorted(ids, reverse=True)


def _seen_ids(connection: Connection, actor: Actor, before: int | None) -> list[int]:
    """Keys of what a department or a collector may see, newest first: their open cases and the last closed ones."""
    bound = before if before is not None else 2**62
    found: set[int] = set()
    branches: list[tuple[str, str, Iterable[str]]] = []
    if "department" in actor.roles:
        branches.append(("department", "", actor.subtree))
        branches.append(("sub_unit", " AND is_open", actor.subtree))
    if "collector" in actor.roles:
        branches.append(("collector", " AND is_open", [actor.account]))
        branches.append(("duty_grid", " AND is_open", actor.duty_grids))
        branches.append(("registered_by", " AND is_open", [actor.account]))
    for column, extra, values in branches:
        statement = text(
            f"SELECT id FROM cases WHERE {column} = :value{extra} AND id < :before ORDER BY id DESC LIMIT 5000"  # noqa: S608
        )
        for value in values:
            found.update(connection.execute(statement, {"value": value, "before": bound}).scalars())
    return sorted(found, reverse=True)


def _merge(walks: list[Iterator[Any]]) -> Iterator[Any]:
    from heapq import merge

    return walks[0] if len(walks) == 1 else merge(*walks, key=lambda row: -row.id)


def _text_fits(wanted: str, row: Any) -> bool:
    if contains(wanted, f"{row.name} {row.description} {row.address} {row.part or ''} {row.number}"):
        return True
    return wanted.isdigit() and row.number.endswith(wanted)


def _cursor(after: str | None) -> int | None:
    if after is None:
        return None
    if not after.isascii() or not after.isdigit():
        raise Invalid(
            f"翻页位置 {after!r} 无效;请用上一页的 next。",
            f"The cursor {after!r} is not one of ours; use `next` of the page before.",
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
