"""What the platform keeps of carried files: a county's numbers, and in which file an order went down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from server.prefecture.tables import FILE_LINK, FILE_ORDER


@dataclass(frozen=True, slots=True)
class FileLink:
    """A county's row."""

    county: str
    link: str = ""
    up_number: int = 0
    up_sha256: str = ""
    wants_snapshot: bool = False
    down_number: int = 0
    down_sha256: str = ""
    down_receipted: int = 0
    told: str = ""
    up_created: int = 0


def link_of(connection: Connection, county: str) -> FileLink:
    """A county's row, a fresh one before its first file."""
    row = connection.execute(select(FILE_LINK).where(FILE_LINK.c.county == county)).one_or_none()
    return FileLink(county) if row is None else FileLink(*row)


def change_link(connection: Connection, county: str, **values: Any) -> None:
    """Write some columns of a county."""
    changed = connection.execute(update(FILE_LINK).where(FILE_LINK.c.county == county).values(**values))
    if not changed.rowcount:
        connection.execute(insert(FILE_LINK).values(county=county, **values))


def note_order(connection: Connection, county: str, id_: str, number: int) -> None:
    """An order goes down in this file."""
    connection.execute(insert(FILE_ORDER).values(id=id_, county=county, number=number))


def forget_order(connection: Connection, id_: str) -> None:
    """An order is done, or is to go down again."""
    connection.execute(delete(FILE_ORDER).where(FILE_ORDER.c.id == id_))


def forget_orders(connection: Connection, county: str) -> None:
    """All orders of a county that wait are to go down again; they carry their key, so none is carried out twice."""
    connection.execute(delete(FILE_ORDER).where(FILE_ORDER.c.county == county))
