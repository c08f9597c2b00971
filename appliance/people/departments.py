"""The tree of responsible units."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

_SUBTREE = text(
    "WITH RECURSIVE below(code) AS (SELECT code FROM department WHERE code = :code "
    "UNION SELECT d.code FROM department d JOIN below ON d.parent = below.code) SELECT code FROM below"
)
_LIST = text("SELECT code, name, parent, phone FROM department WHERE ended_at IS NULL ORDER BY code")


def list_departments(connection: Connection) -> list[dict[str, Any]]:
    """The units that are not ended, by code."""
    return [dict(row) for row in connection.execute(_LIST).mappings()]


def subtree(connection: Connection, code: str) -> frozenset[str]:
    """The codes of a unit and of all units below it."""
    return frozenset(connection.execute(_SUBTREE, {"code": code}).scalars()) | {code}
