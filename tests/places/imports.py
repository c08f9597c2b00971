"""Short words for import stories: a county without anything, and one import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

from appliance.records.store import Records, create_database
from provisioning.import_files.pipeline import Options, Result, run_import
from tests import homes


def bare_home(folder: Path, county: str = "411081", edition: str = "2026") -> Path:
    """A county with a database and nothing in it."""
    folder.mkdir(parents=True, exist_ok=True)
    create_database(folder, homes.settle(folder, {"county": county, "edition": edition}))
    return folder


@contextmanager
def opened(home: Path) -> Iterator[Records]:
    records = Records.open(home)
    try:
        yield records
    finally:
        records.close()


def imported(records: Records, kind: str, path: Path, **options: Any) -> Result:
    """Import a file and return what it did."""
    return run_import(records, kind, path, Options(**options))[0]


def counts(result: Result) -> tuple[int, int, int, int]:
    """Read, added, updated, refused."""
    return result.read, result.added, result.updated, result.refused


def scalar(records: Records, statement: str) -> Any:
    with records.read() as connection:
        return connection.execute(text(statement)).scalar_one()


def column(records: Records, statement: str) -> list[Any]:
    with records.read() as connection:
        return list(connection.execute(text(statement)).scalars())
