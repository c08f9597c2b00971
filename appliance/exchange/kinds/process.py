"""What happened on cases, in the feed: history rows, requests, supervisions. From them every indicator is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, text

from appliance.cases import history
from appliance.cases.step import request_view, supervision_view
from appliance.errors import Invalid
from appliance.exchange.kinds.base import Kind, Line, Page, Record, Sight, by_keys, chunks, encode, json_value
from appliance.exchange.moments import micros_of

CASES_AT_ONCE = 250
LARGEST = 2**62

_PLACES = "c.grid, c.community, c.street"
_ACTIONS = (
    "SELECT a.number, a.seq, a.action, a.actor, a.actor_name, a.role, a.on_behalf_of, a.at, a.from_state, a.to_state, "  # noqa: S608
    f"a.clock_started, a.clock_stopped, a.due_at, a.detail, a.note, {_PLACES} "
    "FROM cases c JOIN case_action a ON a.case_id = c.id"
)
_ACTIONS_OF = by_keys(f"{_ACTIONS} WHERE c.number IN :keys")
_ACTIONS_BETWEEN = text(
    f"{_ACTIONS} WHERE c.number >= :first AND c.number <= :last AND (c.number > :first OR a.seq > :seq) "
    "ORDER BY c.number, a.seq"
)
_NUMBERS = text("SELECT number FROM cases WHERE number > :first ORDER BY number LIMIT :limit")
_CASE_IDS = by_keys("SELECT number, id FROM cases WHERE number IN :keys")
_PUT_ACTION = text(
    "INSERT INTO case_action (case_id, seq, number, action, actor, actor_name, role, on_behalf_of, at, from_state, "
    "to_state, clock_started, clock_stopped, due_at, detail, note, previous, hash) VALUES (:case_id, :seq, :number, "
    ":action, :actor, :actor_name, :role, :on_behalf_of, :at, :from_state, :to_state, :clock_started, :clock_stopped, "
    ":due_at, :detail, :note, '', '') ON CONFLICT (case_id, seq) DO UPDATE SET "
    "detail = excluded.detail, note = excluded.note"
)
_DELETE_ACTION = text("DELETE FROM case_action WHERE number = :number AND seq = :seq")


class ActionKind(Kind):
    """History rows, `number/seq`, in the order of the numbers. Appended and never edited; a note may be blanked."""

    name = "case_action"
    scope = "cases.read"

    def records(self, connection: Connection, ids: Sequence[str], sight: Sight) -> dict[str, bytes]:
        numbers = list(dict.fromkeys(_action_key(id_)[0] for id_ in ids))
        found: dict[str, bytes] = {}
        for keys in chunks(numbers):
            found.update(_action_lines(connection.execute(_ACTIONS_OF, {"keys": keys}).all(), sight))
        return {id_: found[id_] for id_ in ids if id_ in found}

    def page(self, connection: Connection, after: str | None, limit: int, sight: Sight) -> Page:
        """The rows of some hundred cases; `limit` is the measure, a case is never cut in two."""
        first, seq = _action_key(after) if after else ("", 0)
        cases = min(CASES_AT_ONCE, max(1, limit // 8))
        numbers = connection.execute(_NUMBERS, {"first": first, "limit": cases + 1}).scalars().all()
        last = numbers[min(cases, len(numbers)) - 1] if numbers else first
        rows = connection.execute(_ACTIONS_BETWEEN, {"first": first, "last": last, "seq": seq}).all()
        return Page(_action_lines(rows, sight), f"{last}/{LARGEST}" if len(numbers) > cases else None)

    def put(self, connection: Connection, records: Sequence[Record]) -> None:
        """Write rows; one whose case is not there is passed over: it comes again after the case."""
        ids = case_ids(connection, records)
        rows = [_action_bound(record, ids[record["number"]]) for record in records if record["number"] in ids]
        if rows:
            connection.execute(_PUT_ACTION, rows)

    def delete(self, connection: Connection, ids: Sequence[str]) -> None:
        if ids:
            keys = [_action_key(id_) for id_ in ids]
            connection.execute(_DELETE_ACTION, [{"number": number, "seq": seq} for number, seq in keys])


class CasePaperKind(Kind):
    """Requests or supervisions: rows with a number of their own that hang on a case."""

    scope = "cases.read"

    def __init__(
        self, name: str, columns: tuple[str, ...], moments: frozenset[str], view: Callable[[Record], Record]
    ) -> None:
        self.name = name  # type: ignore[misc]  # one class serves two types
        self._columns, self._moments, self._view = columns, moments, view
        listed = ", ".join(f"p.{column}" for column in columns)
        read = f"SELECT p.id, p.number, {listed}, {_PLACES} FROM {name} p JOIN cases c ON c.id = p.case_id"  # noqa: S608
        self._by_keys = by_keys(f"{read} WHERE p.id IN :keys")
        self._page = text(f"{read} WHERE p.id > :after ORDER BY p.id LIMIT :limit")
        names = ("id", "case_id", "number", *columns)
        changes = ", ".join(f"{column} = excluded.{column}" for column in names[1:])
        self._put = text(
            f"INSERT INTO {name} ({', '.join(names)}) VALUES ({', '.join(':' + column for column in names)}) "  # noqa: S608
            f"ON CONFLICT (id) DO UPDATE SET {changes}"
        )
        self._delete = text(f"DELETE FROM {name} WHERE id = :id")  # noqa: S608  # our own tables

    def records(self, connection: Connection, ids: Sequence[str], sight: Sight) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for keys in chunks([_number(id_) for id_ in ids]):
            found.update(self._lines(connection.execute(self._by_keys, {"keys": keys}).all(), sight))
        return found

    def page(self, connection: Connection, after: str | None, limit: int, sight: Sight) -> Page:
        values = {"after": _number(after) if after else 0, "limit": limit}
        rows = connection.execute(self._page, values).all()
        return Page(self._lines(rows, sight), str(rows[-1].id) if len(rows) == limit else None)

    def put(self, connection: Connection, records: Sequence[Record]) -> None:
        """Write rows; one whose case is not there is passed over: it comes again after the case."""
        ids = case_ids(connection, records)
        rows = [self._bound(record, ids[record["number"]]) for record in records if record["number"] in ids]
        if rows:
            connection.execute(self._put, rows)

    def delete(self, connection: Connection, ids: Sequence[str]) -> None:
        if ids:
            connection.execute(self._delete, [{"id": _number(id_)} for id_ in ids])

    def _lines(self, rows: Sequence[Any], sight: Sight) -> list[Line]:
        lines = []
        for row in rows:
            if sight.areas and not sight.holds(row.grid, row.community, row.street):
                continue
            told: Record = {"number": row.number, **self._view(dict(row._mapping))}
            if "decisions" in self._columns:
                told["decisions"] = json_value(row.decisions)
            lines.append((str(row.id), encode(told)))
        return lines

    def _bound(self, record: Record, case_id: int) -> Record:
        values: Record = {"id": record["id"], "case_id": case_id, "number": record["number"]}
        for column in self._columns:
            told = record["by" if column == "supervisor" else column]
            values[column] = micros_of(told) if column in self._moments else told
        if "decisions" in values:
            values["decisions"] = encode(values["decisions"]).decode()
        return values


REQUEST = CasePaperKind(
    "request",
    ("kind", "reason", "until", "asked_by", "asked_at", "in_time", "waiting_for", "approved", "decided_at",
     "decisions"),
    frozenset(("until", "asked_at", "decided_at")),
    request_view,
)  # fmt: skip
SUPERVISION = CasePaperKind(
    "supervision",
    ("supervisor", "role", "note", "at", "due_at", "answered_at", "cleared_at"),
    frozenset(("at", "due_at", "answered_at", "cleared_at")),
    supervision_view,
)


def case_ids(connection: Connection, records: Sequence[Record]) -> dict[str, int]:
    """The keys of the cases on which records hang, by number; those that are not there are left out."""
    ids: dict[str, int] = {}
    for keys in chunks(list(dict.fromkeys(record["number"] for record in records))):
        ids.update((row.number, row.id) for row in connection.execute(_CASE_IDS, {"keys": keys}))
    return ids


def _action_lines(rows: Sequence[Any], sight: Sight) -> list[Line]:
    return [
        (f"{row.number}/{row.seq}", encode({"number": row.number, **history.shown(row)}))
        for row in rows
        if not sight.areas or sight.holds(row.grid, row.community, row.street)
    ]


def _action_bound(record: Record, case_id: int) -> Record:
    values = {column: record[member] for member, column in history.MEMBERS.items()}
    detail = {name: value for name, value in record.items() if name != "number" and name not in history.MEMBERS}
    return values | {
        "case_id": case_id, "number": record["number"], "at": micros_of(record["at"]),
        "due_at": micros_of(record["due_at"]), "detail": encode(detail).decode() if detail else None,
    }  # fmt: skip


def _action_key(id_: str) -> tuple[str, int]:
    number, slash, seq = id_.rpartition("/")
    if not slash:
        raise _no_key(id_)
    return number, _number(seq)


def _number(id_: str) -> int:
    if not (id_.isascii() and id_.isdigit() and len(id_) < 20 and int(id_) <= LARGEST):
        raise _no_key(id_)
    return int(id_)


def _no_key(id_: str) -> Invalid:
    return Invalid(f"“{id_[:40]}”不是这种记录的编号。", f"'{id_[:40]}' is no id of this type.")
