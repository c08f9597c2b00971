"""Lighter triggers for tables that imports fill by the hundred thousand.

SpatiaLite keeps an R-tree and the times of the last change by triggers that look names up at every row; together they
cost twice what the row itself does. The R-tree is kept as exactly by a plain insert, and nobody reads the times.
"""

from __future__ import annotations

from sqlalchemy import Connection


def lighten(connection: Connection, table: str, column: str = "geom", key: str = "id") -> None:
    """Replace the triggers of a geometry column; does nothing where SpatiaLite made none.

    Args:
        table, column, key: names of our own tables, never from input.
    """
    index = f"idx_{table}_{column}"
    there = connection.exec_driver_sql(
        "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = ?", (f"gii_{table}_{column}",)
    ).first()
    if there is None:
        return
    for prefix in ("tmi", "tmu", "tmd", "gii", "giu"):
        connection.exec_driver_sql(f'DROP TRIGGER IF EXISTS "{prefix}_{table}_{column}"')
    box = ", ".join(f"{corner}(NEW.{column})" for corner in ("MbrMinX", "MbrMaxX", "MbrMinY", "MbrMaxY"))
    put = f"INSERT INTO {index} SELECT NEW.{key}, {box} WHERE NEW.{column} IS NOT NULL"
    connection.exec_driver_sql(f'CREATE TRIGGER "gii_{table}_{column}" AFTER INSERT ON {table} BEGIN {put}; END')
    connection.exec_driver_sql(
        f'CREATE TRIGGER "giu_{table}_{column}" AFTER UPDATE OF {column} ON {table} '  # noqa: S608  # our own tables
        f"BEGIN DELETE FROM {index} WHERE pkid = OLD.{key}; {put}; END"
    )
