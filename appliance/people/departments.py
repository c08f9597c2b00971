"""The tree of responsible units."""

from __future__ import annotations

from sqlalchemy import Connection, text

_SUBTREE = text(
    "WITH RECURSIVE below(code) AS (SELECT code FROM department WHERE code = :code "
    "UNION SELECT d.code FROM department d JOIN below ON d.parent = below.code) SELECT code FROM below"
)


def subtree(connection: Connection, code: str) -> frozenset[str]:
    """The codes of a unit and of all units below it."""
    return frozenset(connection.execute(_SUBTREE, {"code": code}).scalars()) | {code}
