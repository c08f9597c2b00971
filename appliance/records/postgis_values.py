"""Values as they come from PostgreSQL: as SQLite gives them, whichever statement asks."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.adapt import Loader
from psycopg.types.string import TextLoader


class Number(Loader):
    """A sum of whole numbers is whole, an average is not."""

    def load(self, data: Any) -> int | float:
        """A `numeric` as a plain number."""
        written = bytes(data).decode()
        return int(written) if written.lstrip("-").isdigit() else float(written)


def register(connection: Connection[Any]) -> None:
    """Let JSON come as text and numbers as int or float on this connection."""
    connection.adapters.register_loader("json", TextLoader)
    connection.adapters.register_loader("numeric", Number)
