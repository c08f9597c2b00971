"""The walks over the cases: each is an index in the order of the page, with all filters checked inside SQL.

Which walk is taken decides how fast a list is; the rows are the same whichever it is (a test compares them). What the
walk does not hold already, `Query._conditions` adds for every filter there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, text

from appliance.cases.search import contains, mark, match_expression
from appliance.cases.sight import sees_all
from appliance.cases.tables import CALLBACK
from appliance.records.full_text import CASES, REPORTERS, FullText
from appliance.records.spatial import boxes, meets_view, within_box
from appliance.records.sql import Spelt

if TYPE_CHECKING:
    from appliance.cases.listing import CaseFilter
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

SMALL_BOX = 4_000
"""Up to so many cases in a box the R-tree is asked; more, and walking the order meets enough of them soon."""

BRANCHES_AT_MOST = 64
SEEN_AT_MOST = 5_000
LARGEST_CHUNK = 4_000
END = 2**62

COLUMNS = (
    "c.id, c.number, c.name, c.description, c.address, c.state, c.is_open, c.department, c.sub_unit, c.code, c.kind, "
    "c.lon, c.lat, c.due_at, c.clock_started_at, c.collector, c.registered_by, c.duty_grid, c.part, c.channel"
)
RUNNING = "SELECT s.case_id FROM supervision s WHERE s.cleared_at IS NULL"
_SOME = Spelt(
    lambda dialect: (
        f"SELECT count(*) FROM (SELECT 1 FROM {boxes(dialect, 'cases')} WHERE {meets_view(dialect)} "  # noqa: S608
        f"LIMIT {SMALL_BOX + 1}) AS counted"
    )
)
REOPENED = "SELECT h.case_id FROM case_action h WHERE h.action = 'reopen'"
EQUALITIES = ("state", "department", "code")
"""Columns for every mix of which there is an index that goes on with the key."""


class Query:
    """One question for a list: chooses the walk and gives the fitting rows, newest first."""

    def __init__(
        self, connection: Connection, office: Office, actor: Actor, wanted: CaseFilter, before: int | None
    ) -> None:
        self.connection = connection
        self.wanted = wanted
        self.actor = actor
        self.before = END if before is None else before
        self.second = (wanted.after or "").startswith("0")
        self.now = office.records.clock.now()
        self.dialect = connection.dialect.name
        states = wanted.states
        if not states and wanted.bbox is not None:
            states = tuple(sorted(office.workflow.open_states))
        self.open_only = (
            wanted.overdue
            or wanted.collector is not None
            or (bool(states) and set(states) <= office.workflow.open_states)
        )
        self.open_states = office.workflow.open_states
        self.all_open = set(states) == office.workflow.open_states
        self.values = {"state": states, "department": wanted.departments, "code": wanted.codes}

    def rows(self) -> Iterator[Any]:
        """The fitting rows."""
        found = self._walk()
        wanted = self.wanted.text
        return (row for row in found if _text_fits(wanted, row)) if wanted else found

    def _walk(self) -> Iterator[Any]:
        wanted = self.wanted
        if not sees_all(self.actor):
            return self._seen_walk()
        if wanted.awaiting_callback:
            return self._callback_walk()
        if wanted.waiting:
            return self._listed_walk("waiting")
        if wanted.phone:
            return self._search_walk(REPORTERS, f'"{wanted.phone}"', known=("phone",))
        if wanted.reopened:
            return self._listed_walk("reopened")
        if wanted.supervised:
            return self._listed_walk("supervised")
        if wanted.part is not None:
            return self._index_walk("c.part = :part", {"part": wanted.part})
        if wanted.collector is not None:
            return self._index_walk("c.collector = :collector AND c.is_open", {"collector": wanted.collector})
        if wanted.bbox is not None and not self.open_only and self._is_small_box():
            return self._box_walk()
        if wanted.text and (expression := match_expression(wanted.text, self._marks())) is not None:
            return self._search_walk(CASES, expression)
        if wanted.overdue or (wanted.bbox is not None and self.open_only):
            return self._open_walk()
        return self._order_walk()

    def _marks(self) -> list[str]:
        """Marks for filters with a single value; several values are left to the row."""
        marks = []
        for name, values in self.values.items():
            if len(values) == 1:
                marks.append(mark({"department": "dept"}.get(name, name), values[0]))
        if self.open_only and len(self.values["state"]) != 1:
            marks.append(mark("open", "1"))
        return marks

    def _conditions(self, known: Iterable[str] = ()) -> tuple[str, dict[str, Any]]:
        """SQL for the filters that the walk's index does not hold already; `+` keeps other indexes out of the plan."""
        wanted = self.wanted
        parts = ["c.id < :before"]
        values: dict[str, Any] = {}
        for name, allowed in self.values.items():
            if allowed and name not in known and not (name == "state" and self.all_open):
                names = [f"{name}{number}" for number in range(len(allowed))]
                parts.append(f"+c.{name} IN ({', '.join(':' + item for item in names)})")
                values |= dict(zip(names, allowed, strict=True))
        if self.open_only:
            parts.append("c.is_open")
        if wanted.overdue:
            parts.append("c.due_at < :now")
            values["now"] = self.now
        if wanted.bbox is not None:
            parts.append("c.lon BETWEEN :west AND :east AND c.lat BETWEEN :south AND :north")
            values |= self._box()
        for name in ("kind", "collector", "part"):
            if (value := getattr(wanted, name)) is not None:
                parts.append(f"+c.{name} = :only_{name}")
                values[f"only_{name}"] = value
        for name, (condition, more) in self._elsewhere().items():
            if getattr(wanted, name) and name not in known:
                parts.append(condition.format(key="+c.id"))
                values |= more
        return " AND ".join(parts), values

    def _elsewhere(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """The filters that another table answers by the case's key, and their values."""
        roles = {f"role{number}": f"|{role}|" for number, role in enumerate(sorted(self.actor.roles))}
        marks = [f"instr('|' || r.waiting_for || '|', :{name}) > 0" for name in roles] or ["1 = 0"]
        waiting = f"SELECT r.case_id FROM request r WHERE r.waiting_for IS NOT NULL AND ({' OR '.join(marks)})"  # noqa: S608
        phone = "SELECT 1 FROM reporter p WHERE p.id = {key} AND instr(p.phone, :phone) > 0"
        return {
            "waiting": (f"{{key}} IN ({waiting})", roles),
            "phone": (f"EXISTS ({phone})", {"phone": self.wanted.phone}),
            "reopened": (f"{{key}} IN ({REOPENED})", {}),
            "supervised": (f"{{key}} IN ({RUNNING})", {}),
            "awaiting_callback": (f"(c.channel = 'public' OR c.reachable) AND {CALLBACK}", {}),
        }

    def _chunks(self, statement: str, values: dict[str, Any]) -> Iterator[Any]:
        """Run a statement with `:before` and `:size` again and again, in growing chunks."""
        clause = text(statement)
        before, size = self.before, self.wanted.limit + 1
        while True:
            rows = self.connection.execute(clause, {**values, "before": before, "size": size}).all()
            yield from rows
            if len(rows) < size:
                return
            before, size = rows[-1].id, min(size * 4, LARGEST_CHUNK)

    def _index_walk(self, condition: str, known_values: dict[str, Any], known: tuple[str, ...] = ()) -> Iterator[Any]:
        """Walk the index that begins with the columns of `condition`."""
        conditions, values = self._conditions((*known_values, *known))
        return self._chunks(
            f"SELECT {COLUMNS} FROM cases c WHERE {condition} AND {conditions} "  # noqa: S608  # our own columns
            "ORDER BY c.id DESC LIMIT :size",
            {**values, **known_values},
        )

    def _listed_walk(self, name: str) -> Iterator[Any]:
        """Walk the keys that another table lists; there are few at a time."""
        condition, values = self._elsewhere()[name]
        return self._index_walk(condition.format(key="c.id"), values, (name,))

    def _callback_walk(self) -> Iterator[Any]:
        """Cases whose reporter waits for a call: public ones newest first, then the others that left a number."""
        groups = (("ix_cases_callback_public", "channel = 'public'"),
                  ("ix_cases_callback_other", "channel <> 'public' AND reachable"))  # fmt: skip
        for index, group in groups[1:] if self.second else groups:
            conditions, values = self._conditions(("awaiting_callback",))
            yield from self._chunks(
                f"SELECT {COLUMNS} FROM cases c INDEXED BY {index} WHERE {group} AND {CALLBACK} AND {conditions} "  # noqa: S608
                "ORDER BY c.id DESC LIMIT :size",
                values,
            )
            self.before = END

    def cursor(self, row: Any) -> str:
        """Where the page after this row begins; a zero in front stands for the second group of the call-back list."""
        return f"0{row.id}" if self.wanted.awaiting_callback and row.channel != "public" else str(row.id)

    def _order_walk(self) -> Iterator[Any]:
        """Merge one exact index walk for each combination of the equality filters."""
        columns = [(name, values) for name, values in self.values.items() if values]
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
        return walks[0] if len(walks) == 1 else merge(*walks, key=lambda row: -row.id)

    def _open_walk(self) -> Iterator[Any]:
        """Walk the covering index of the open cases."""
        conditions, values = self._conditions()
        return self._chunks(
            f"SELECT {COLUMNS} FROM cases c INDEXED BY ix_cases_open WHERE {conditions} "  # noqa: S608  # our own names
            "ORDER BY c.id DESC LIMIT :size",
            values,
        )

    def _search_walk(self, index: FullText, expression: str, known: tuple[str, ...] = ()) -> Iterator[Any]:
        """Walk what a full-text index finds."""
        conditions, values = self._conditions(known)
        source, key, matches = index.source(self.dialect), index.key(self.dialect), index.matches(self.dialect)
        return self._chunks(
            f"SELECT {COLUMNS} FROM {source} CROSS JOIN cases c ON c.id = {key} "  # noqa: S608  # our own names
            f"WHERE {matches} AND {key} < :before AND {conditions} ORDER BY {key} DESC LIMIT :size",
            {**values, "expression": index.expression(self.dialect, expression)},
        )

    def _is_small_box(self) -> bool:
        return int(self.connection.execute(_SOME.on(self.connection), self._box()).scalar_one()) <= SMALL_BOX

    def _box_walk(self) -> Iterator[Any]:
        """The few cases in a small box."""
        conditions, values = self._conditions()
        inside = within_box(self.dialect, "cases", "c")
        statement = f"SELECT {COLUMNS} FROM cases c WHERE {inside} AND {conditions} ORDER BY c.id DESC LIMIT :size"  # noqa: S608
        return self._chunks(statement, {**values, **self._box()})

    def _box(self) -> dict[str, float]:
        assert self.wanted.bbox is not None
        return dict(zip(("west", "south", "east", "north"), self.wanted.bbox, strict=True))

    def _seen_walk(self) -> Iterator[Any]:
        """What a department or a collector sees: a few thousand keys, then the filters on their rows."""
        ids = iter(seen_ids(self.connection, self.actor, self.open_states, self.before))
        conditions, values = self._conditions()
        statement = text(
            f"SELECT {COLUMNS} FROM cases c NOT INDEXED WHERE c.id IN :ids AND {conditions} "  # noqa: S608  # our own names
            "ORDER BY c.id DESC"
        ).bindparams(bindparam("ids", expanding=True))
        size = self.wanted.limit + 1
        while chunk := list(islice(ids, size)):
            yield from self.connection.execute(statement, {**values, "before": self.before, "ids": chunk})
            size = min(size * 4, LARGEST_CHUNK)


def seen_ids(connection: Connection, actor: Actor, open_states: Iterable[str], before: int = END) -> list[int]:
    """Keys of what a department or a collector may see, newest first: their open cases and the last of all."""
    found: set[int] = set()
    branches: list[tuple[str, str, Iterable[str]]] = []
    if "department" in actor.roles:
        branches.append(("department", "", actor.subtree))
        # one walk for each open state: the index of state and department goes on with the key
        branches += [("department", f" AND state = '{state}'", actor.subtree) for state in sorted(open_states)]
        branches.append(("sub_unit", " AND is_open", actor.subtree))
    if "collector" in actor.roles:
        branches.append(("collector", " AND is_open", [actor.account]))
        branches.append(("duty_grid", " AND is_open", actor.duty_grids))
        branches.append(("registered_by", " AND is_open", [actor.account]))
    for column, extra, values in branches:
        statement = text(
            f"SELECT id FROM cases WHERE {column} = :value{extra} AND id < :before "  # noqa: S608  # our own columns
            f"ORDER BY id DESC LIMIT {SEEN_AT_MOST}"
        )
        for value in values:
            found.update(connection.execute(statement, {"value": value, "before": before}).scalars())
    return sorted(found, reverse=True)


def _text_fits(wanted: str, row: Any) -> bool:
    if contains(wanted, f"{row.name} {row.description} {row.address} {row.part or ''} {row.number}"):
        return True
    return wanted.isdigit() and row.number.endswith(wanted)
