"""The queries of the public standards stay fast in a large county: none of them walks a large table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from appliance.cases.common import commonest_classes
from appliance.cases.office import Office
from appliance.equipment import commands
from appliance.messages import outbox, writing
from appliance.people.accounts import actor_of
from server.ogc.collections import COLLECTIONS
from server.ogc.features import Features, Question
from server.open311 import requests
from tests.messages.outgoing import Outgoing

pytestmark = pytest.mark.sqlite("its query plans")

DAY = 86_400 * 1_000_000


@pytest.fixture
def office(home: Path) -> Iterator[Office]:
    opened = Office.open(home)
    yield opened
    opened.close()


def plans(office: Office, work: Any) -> list[str]:
    """The plans of all statements which some reading runs."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(office.records.readers, "before_cursor_execute", note)
    try:
        with office.records.read() as connection:
            work(connection)
    finally:
        event.remove(office.records.readers, "before_cursor_execute", note)
    found = []
    with office.records.read() as connection:
        for statement, parameters in seen:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found += [str(row.detail) for row in rows]
    return found


def walks(found: list[str], *, counting: bool = False) -> list[str]:
    """The plans that walk a large table; a count may walk an index."""
    large = ("cases", "part", "case_action", "change", "c", "a", "f")
    return [
        plan
        for plan in found
        if plan.startswith("SCAN ") and plan.split()[1] in large and not (counting and "COVERING INDEX" in plan)
    ]


@pytest.mark.parametrize("query", [{}, {"status": "open"}, {"service_code": "part-01002"}, {"page": "3"}])
def test_the_open311_list_goes_by_the_time_of_the_report(office: Office, query: dict[str, str]) -> None:
    found = plans(office, lambda connection: requests.listed(connection, office, query))
    assert any("ix_cases_reported_at" in plan for plan in found), found
    assert walks(found) == []


def test_open311_updates_go_by_the_feed(office: Office) -> None:
    assert walks(plans(office, lambda connection: requests.updates(connection, office, None, None))) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"box": (113.4, 34.1, 113.41, 34.11)},
        {"interval": (DAY, None)},
        {"filters": {"department": "D01"}},
    ],
)
def test_ogc_pages_of_cases_and_parts_use_an_index(office: Office, fields: dict[str, Any]) -> None:
    for name in ("cases", "parts"):
        with office.records.read() as connection:
            question = Question(COLLECTIONS[name], actor_of(connection, "k1"), limit=100, **fields)
        found = plans(office, lambda connection, asked=question: Features().page(connection, asked))
        assert walks(found, counting=True) == [], found


def test_every_filter_of_a_large_collection_has_an_index(office: Office) -> None:
    for name in ("cases", "parts", "places"):
        for column in COLLECTIONS[name].filters:
            with office.records.read() as connection:
                question = Question(COLLECTIONS[name], actor_of(connection, "k1"), filters={column: "x"})
            found = plans(office, lambda connection, asked=question: Features().page(connection, asked))
            assert not any(plan.startswith("SCAN ") and "idx_" not in plan for plan in found), (name, column, found)


def test_the_commonest_classes_walk_only_the_last_months(office: Office) -> None:
    found = plans(office, lambda connection: commonest_classes(connection, office))
    assert any("ix_cases_reported_at" in plan for plan in found)
    assert not walks(found)


def test_the_look_of_every_second_goes_by_indexes_only(home: Path) -> None:
    """What is to be told to departments, what an agent is to send, which commands lapsed; and the count for metrics."""
    out = Outgoing(home)
    try:
        out.tell()
        now = out.now
        looks = (
            lambda connection: writing.something_to_tell(connection, out.office, now + DAY),
            lambda connection: outbox.waiting_messages(connection, now),
            lambda connection: outbox.counts(connection, now),
            lambda connection: commands.some_lapsed(connection, now),
            lambda connection: commands.waiting_commands(connection, now),
        )
        for look in looks:
            found = plans(out.office, look)
            assert found
            assert [plan for plan in found if plan.startswith("SCAN ") and "INDEX" not in plan] == [], found
        told = plans(out.office, looks[0])
        assert any("ix_cases_due_at (due_at>? AND due_at<?)" in plan for plan in told), told
    finally:
        out.close()


def test_telling_departments_walks_no_large_table(home: Path) -> None:
    """A dispatch, a supervision and a case that became overdue, written as in the node."""
    out = Outgoing(home)
    try:
        out.tell()
        number = out.desk.to_dispatched()
        out.desk.act("b1", number, "supervise", note="督")
        out.go_to(out.now + DAY)
        seen: list[tuple[str, Any]] = []

        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            seen.append((statement, parameters))

        event.listen(out.office.records._writing, "before_cursor_execute", note)
        assert out.tell() == 3
        found = []
        with out.office.records.read() as connection:
            for statement, parameters in seen:
                if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
                    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                    found += [str(row.detail) for row in rows]
        assert any("ix_case_action_case" in plan for plan in found)
        assert [plan for plan in found if plan.startswith("SCAN ")] == [], found
    finally:
        out.close()
