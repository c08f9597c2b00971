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
        self._connection.execute(
            "CREATE TABLE change (id INTEGER PRIMARY KEY, place INTEGER, operation TEXT, record BLOB)"
        )
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
        rows = [(place(record), operation, msgspec.msgpack.encode(record)) for operation, record in changes]
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO change (place, operation, record) VALUES (?, ?, ?)", rows)
        self._connection.execute("COMMIT")
        self.count += len(rows)

    def sort(self) -> None:
        """Put neighbours together, so that a slice touches few pages of the indexes; the rest stays in its order."""
        if self._connection.execute("SELECT 1 FROM change WHERE place <> 0 LIMIT 1").fetchone():
            self._connection.execute("CREATE TABLE sorted (id INTEGER PRIMARY KEY, operation TEXT, record BLOB)")
            self._connection.execute(
                "INSERT INTO sorted (operation, record) SELECT operation, record FROM change ORDER BY place, id"
            )
            self._connection.execute("DROP TABLE change")
            self._connection.execute("ALTER TABLE sorted RENAME TO change")

    def read(self, size: int, after: int) -> list[Change]:
        """Up to `size` changes after position `after`, in order."""
        rows = self._connection.execute(
            "SELECT operation, record FROM change WHERE id > ? ORDER BY id LIMIT ?", (after, size)
        )
        return [(operation, msgspec.msgpack.decode(record)) for operation, record in rows]


def place(record: dict[str, Any]) -> int:
    """Where a part or place is on a Z-shaped curve over the globe, 0 for records that are no places.

    Cases have a position too, but keep the order of the file: their row numbers are the order of reporting.
    """
    if "geometry" not in record or "lon" not in record or "lat" not in record:
        return 0
    east, north = int((record["lon"] + 180) * 20_000), int((record["lat"] + 90) * 20_000)
    return spread(east) | spread(north) << 1


def spread(value: int) -> int:
    """The bits of a number below 2**23, each followed by a 0."""
    value = (value | value << 16) & 0x0000FFFF0000FFFF
    value = (value | value << 8) & 0x00FF00FF00FF00FF
    value = (value | value << 4) & 0x0F0F0F0F0F0F0F0F
    value = (value | value << 2) & 0x3333333333333333
    return (value | value << 1) & 0x5555555555555555


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
