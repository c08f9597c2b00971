"""The full-text indexes of cases and reporters, written when a group of units ends.

FTS5 writes a segment at every savepoint that follows a change of it; at the end of the group it writes one for all.
PostgreSQL searches the columns themselves.
"""

from __future__ import annotations

from appliance.records.sql import Sql
from appliance.records.writer import Unit

_ADD_CASE = Sql("INSERT INTO case_search (rowid, search) VALUES (:id, :search)")
_CHANGE_CASE = Sql("UPDATE case_record SET search = :search WHERE id = :id")
_ADD_REPORTER = Sql("INSERT INTO reporter_search (rowid, phone) VALUES (:id, :phone)")


def index_new_case(unit: Unit, case_id: int, search: str) -> None:
    """A case that was added with these tokens."""
    if unit.connection.dialect.name == "sqlite":
        unit.at_end(_ADD_CASE, {"id": case_id, "search": search})


def index_changed_case(unit: Unit, case_id: int, search: str) -> None:
    """A case that has these tokens now; a trigger takes the old ones out of the index."""
    unit.at_end(_CHANGE_CASE, {"id": case_id, "search": search})


def index_reporter(unit: Unit, case_id: int, phone: str | None) -> None:
    """A reporter's telephone number."""
    if phone and unit.connection.dialect.name == "sqlite":
        unit.at_end(_ADD_REPORTER, {"id": case_id, "phone": phone})
