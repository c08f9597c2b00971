"""The statements of a period over a connection, on either database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.scoring.periods import Period
from appliance.scoring.statements import AT_ONCE, Pages, driver_pages, written


def values_of(period: Period, keys: Sequence[int] = ()) -> dict[str, Any]:
    """What the statements are asked with."""
    return {"start": period.start, "as_of": period.as_of, "keys": msgspec.json.encode(keys).decode()}


def pages_of(connection: Connection, values: dict[str, Any], schema: str = "") -> Pages:
    """Reads the statements of a period.

    Args:
        schema: where the tables stand, one of our own names; "" where the connection sees them by itself.
    """
    if connection.dialect.name == "sqlite":
        return driver_pages(connection.connection.driver_connection, values)

    def pages(statement: str) -> Iterator[list[Any]]:
        asked = written(statement, schema, is_sqlite=False)
        own = {name: value for name, value in values.items() if f":{name}" in asked}
        result = connection.execute(text(asked), own, execution_options={"yield_per": AT_ONCE})
        for partition in result.partitions():
            yield [tuple(row) for row in partition]

    return pages
