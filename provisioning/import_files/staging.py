"""The staging file of an import: checked records wait here until the whole file is known to be right."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

Change = tuple[str, dict[str, Any]]


class Staging:
    """A private SQLite file in `folder`; it is removed when it is closed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "staging.db"
        self.path.unlink(missing_ok=True)
        self._connection = sqlite3.connect(self.path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("CREATE TABLE change (id INTEGER PRIMARY KEY, operation TEXT, record BLOB)")
        self.path.chmod(0o600)
        self.count = 0

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self.path.unlink(missing_ok=True)

    def put(self, changes: Iterable[Change]) -> None:
        """Add changes at the end."""
        rows = [(operation, msgspec.msgpack.encode(record)) for operation, record in changes]
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO change (operation, record) VALUES (?, ?)", rows)
        self._connection.execute("COMMIT")
        self.count += len(rows)

    def read(self, size: int, after: int) -> list[Change]:
        """Up to `size` changes after position `after`, in order."""
        rows = self._connection.execute(
            "SELECT operation, record FROM change WHERE id > ? ORDER BY id LIMIT ?", (after, size)
        )
        return [(operation, msgspec.msgpack.decode(record)) for operation, record in rows]


def chunks(rows: Iterable[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """Rows in lists of `size`."""
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
