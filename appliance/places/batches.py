"""Import batches: a number for each import, what it did to which record, and taking it back.

A batch that was cut off (the machine lost power, the process was killed) stays in state `applying`; `cut_off` finds it,
and it is taken back before the next import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from appliance.errors import Conflict, NotFound
from appliance.records.writer import Unit

IMPORTED = text(
    "SELECT count(*), count(*) FILTER (WHERE state = 'applied'), count(*) FILTER (WHERE state = 'undone') "
    "FROM import_batch"
)
"""Figures that change with every import and undo; what is kept in memory of places goes by them."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A row of `import_batch`; `at` in microseconds."""

    id: int
    kind: str
    file: str
    state: str
    at: int
    added: int
    updated: int


def start(unit: Unit, kind: str, file: str, sha256: str, actor: str, read: int) -> int:
    """Open a batch and return its number."""
    statement = text(
        "INSERT INTO import_batch (kind, file, sha256, actor, at, state, read, added, updated, refused) "
        "VALUES (:kind, :file, :sha256, :actor, :at, 'applying', :read, 0, 0, 0) RETURNING id"
    )
    values = {"kind": kind, "file": file, "sha256": sha256, "actor": actor, "at": unit.now, "read": read}
    return int(unit.connection.execute(statement, values).scalar_one())


def remember(unit: Unit, batch: int, changes: Sequence[tuple[str, str | None]]) -> None:
    """Note what the batch did: (key, former content as JSON text or None when it was added)."""
    if changes:
        write_many(
            unit.connection,
            "INSERT INTO import_change (batch, key, before) VALUES (?, ?, ?)",
            [(batch, key, before) for key, before in changes],
        )


def write_many(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement with `?` for each row, straight on the driver: an import spends most of its time here."""
    if connection.dialect.paramstyle != "qmark":
        statement = statement.replace("?", "%s")
    connection.exec_driver_sql(statement, list(rows))


def close(unit: Unit, batch: int, added: int, updated: int, refused: int) -> None:
    """The batch is complete."""
    unit.connection.execute(
        text(
            "UPDATE import_batch SET state = 'applied', added = :added, updated = :updated, refused = :refused "
            "WHERE id = :batch"
        ),
        {"batch": batch, "added": added, "updated": updated, "refused": refused},
    )


def find(connection: Connection, batch: int) -> Batch:
    """The batch of a number.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(
        text("SELECT id, kind, file, state, at, added, updated FROM import_batch WHERE id = :batch"), {"batch": batch}
    ).first()
    if row is None:
        raise NotFound(f"没有导入批次 {batch}。", f"There is no import batch {batch}.")
    return Batch(*row)


def cut_off(connection: Connection) -> list[Batch]:
    """Batches that were begun and never ended, newest first."""
    rows = connection.execute(
        text(
            "SELECT id, kind, file, state, at, added, updated FROM import_batch WHERE state = 'applying' "
            "ORDER BY id DESC"
        )
    )
    return [Batch(*row) for row in rows]


def check_undo(connection: Connection, batch: int) -> Batch:
    """The batch, if it can be taken back.

    Raises:
        NotFound: there is none.
        Conflict: it was undone before, or a newer batch changed the same records.
    """
    found = find(connection, batch)
    if found.state == "undone":
        raise Conflict(f"批次 {batch} 已经撤销过。", f"Batch {batch} was undone already.")
    newer = connection.execute(
        text(
            "SELECT b.id FROM import_batch b WHERE b.id > :batch AND b.kind = :kind AND b.state <> 'undone' "
            "AND EXISTS (SELECT 1 FROM import_change later JOIN import_change mine ON mine.key = later.key "
            "WHERE later.batch = b.id AND mine.batch = :batch) ORDER BY b.id DESC"
        ),
        {"batch": batch, "kind": found.kind},
    ).scalars()
    names = [str(number) for number in newer]
    if names:
        raise Conflict(
            f"批次 {'、'.join(names)} 又修改了同样的记录，请先撤销它们。",
            f"Batches {', '.join(names)} changed the same records later; undo those first.",
        )
    return found


def changes(connection: Connection, batch: int, limit: int) -> list[tuple[int, str, str | None]]:
    """Up to `limit` remembered changes (id, key, before) of a batch, newest first."""
    rows = connection.execute(
        text("SELECT id, key, before FROM import_change WHERE batch = :batch ORDER BY id DESC LIMIT :limit"),
        {"batch": batch, "limit": limit},
    )
    return [(row[0], row[1], row[2]) for row in rows]


def forget(unit: Unit, batch: int, ids: Sequence[int]) -> None:
    """These changes are taken back."""
    unit.connection.execute(text("DELETE FROM import_change WHERE id = :id"), [{"id": number} for number in ids])


def mark_undone(unit: Unit, batch: int) -> None:
    """The whole batch is taken back."""
    unit.connection.execute(
        text("UPDATE import_batch SET state = 'undone', undone_at = :now WHERE id = :batch"),
        {"batch": batch, "now": unit.now},
    )
