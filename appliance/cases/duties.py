"""The responsibility table (确权): class and area to the unit that answers for it; and the suggestion made from it.

The suggestion goes by the responsibility table, then the part's maintainer and owner, then what was dispatched before
for this class in this street.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from appliance.records.sql import Sql

_MEMORY = Sql(
    "SELECT department FROM dispatch_memory WHERE code = :code AND street = :street "
    "ORDER BY count DESC, department LIMIT 1"
)
_PART = text("SELECT maintainer_department, owner_department FROM part WHERE code = :code")
_REMEMBER = text(
    "INSERT INTO dispatch_memory (code, street, department, count) VALUES (:code, :street, :department, 1) "
    "ON CONFLICT (code, street, department) DO UPDATE SET count = dispatch_memory.count + 1"
)


@dataclass(frozen=True, slots=True)
class DutyRow:
    """One row: a class (or a class prefix, or `*`) and an area (grid code prefix, or `*`). Dates are YYYY-MM-DD."""

    code: str
    area: str
    department: str
    supervising_department: str | None
    basis: str
    starts_on: str | None
    ends_on: str | None

    def holds_on(self, day: str) -> bool:
        """Whether it is in force on a day."""
        return (self.starts_on is None or self.starts_on <= day) and (self.ends_on is None or day <= self.ends_on)


class DutyTable:
    """Look-up from the most exact row to the most general: longest class first, then longest area."""

    def __init__(self, rows: list[DutyRow]) -> None:
        self._rows: dict[tuple[str, str], list[DutyRow]] = {}
        for row in rows:
            self._rows.setdefault((row.code, row.area), []).append(row)

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._rows.values())

    def find(self, code: str, grid: str | None, day: str) -> DutyRow | None:
        """The row in force for a class in a unit grid, None when nobody is named."""
        if not self._rows:
            return None
        for class_key in _prefixes(code):
            for area_key in _prefixes(grid or ""):
                for row in self._rows.get((class_key, area_key), ()):
                    if row.holds_on(day):
                        return row
        return None


def read_duties(connection: Connection) -> DutyTable:
    """The whole table; it has thousands of rows at most."""
    rows = connection.execute(
        text("SELECT class, area, department, supervising_department, basis, starts_on, ends_on FROM duty ORDER BY id")
    )
    return DutyTable([DutyRow(*row) for row in rows])


def suggest(
    connection: Connection, duties: DutyTable, *, code: str, grid: str | None, part: str | None, day: str
) -> str | None:
    """The department that probably answers for a case, None when nothing points to one."""
    row = duties.find(code, grid, day)
    if row is not None:
        return row.department
    if part:
        owner = connection.execute(_PART, {"code": part}).one_or_none()
        if owner is not None and (owner[0] or owner[1]):
            return str(owner[0] or owner[1])
    if grid:
        remembered = _MEMORY.value(connection, {"code": code, "street": grid[:9]})
        return None if remembered is None else str(remembered)
    return None


def remember(connection: Connection, *, code: str, street: str | None, department: str) -> None:
    """Note a dispatch, for later suggestions."""
    if street:
        connection.execute(_REMEMBER, {"code": code, "street": street, "department": department})


def _prefixes(text: str) -> Iterator[str]:
    for length in range(len(text), 0, -1):
        yield text[:length]
    yield "*"
