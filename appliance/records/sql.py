"""Statements of the hot path: straight to the SQLite driver, through SQLAlchemy everywhere else.

Building a SQLAlchemy result costs several times what a small SQLite statement costs. SQLite and SQLAlchemy write named
parameters alike (`:name`), so one text serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, TextClause, text


class Sql:
    """One statement, written once.

    Args:
        statement: SQL with `:name` parameters.
    """

    __slots__ = ("_clause", "_statement")

    def __init__(self, statement: str) -> None:
        self._statement = statement
        self._clause = text(statement)

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Execute without a result."""
        if connection.dialect.name == "sqlite":
            _driver(connection).execute(self._statement, values)
        else:
            connection.execute(self._clause, dict(values))

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute for each row."""
        if connection.dialect.name == "sqlite":
            _driver(connection).executemany(self._statement, rows)
        else:
            connection.execute(self._clause, [dict(row) for row in rows])

    def row(self, connection: Connection, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row, or None."""
        if connection.dialect.name == "sqlite":
            found: tuple[Any, ...] | None = _driver(connection).execute(self._statement, values).fetchone()
            return found
        first = connection.execute(self._clause, dict(values)).first()
        return None if first is None else tuple(first)

    def value(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first column of the first row, None when there is no row."""
        found = self.row(connection, values)
        return None if found is None else found[0]


class Spelt:
    """A statement that the two databases spell differently.

    Args:
        spell: gives the statement for SQLAlchemy's name of the dialect.
    """

    __slots__ = ("_clauses",)

    def __init__(self, spell: Callable[[str], str]) -> None:
        self._clauses = {dialect: text(spell(dialect)) for dialect in ("sqlite", "postgresql")}

    def on(self, connection: Connection) -> TextClause:
        """The statement for this connection."""
        return self._clauses[connection.dialect.name]


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
