"""Mistakes that were measured elsewhere and must not be ours: one story each."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.pool import QueuePool

from appliance.errors import BadHome
from appliance.records import engine
from appliance.records.store import Records
from tests.test_house import loaded_after


@pytest.fixture
def records(home: Path) -> Iterator[Records]:
    opened = Records.open(home)
    yield opened
    opened.close()


def test_a_python_without_loadable_extensions_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bare:
        """A connection of a Python that was built without loadable extensions."""

        def close(self) -> None: ...

    monkeypatch.setattr(engine.sqlite3, "connect", lambda *_, **__: Bare())
    refusal = engine.extension_refusal()
    assert refusal is not None
    assert "/usr/bin/python3" in refusal.en


def test_a_machine_without_spatialite_is_told_which_package(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lacking(sqlite3.Connection):
        def load_extension(self, name: str, /, *, entrypoint: str | None = None) -> None:
            raise sqlite3.OperationalError(f"{name}: cannot open shared object file")

    real = sqlite3.connect
    monkeypatch.setattr(engine.sqlite3, "connect", lambda *a, **k: real(*a, factory=Lacking, **k))
    with pytest.raises(BadHome, match="libsqlite3-mod-spatialite"):
        engine.connect_sqlite(home / "county.db", cache_kib=1000, read_only=True)


def test_read_then_write_does_not_fail_when_somebody_else_wrote_between(home: Path) -> None:
    """A deferred transaction would fail at once without asking the busy timeout; ours takes the lock first."""
    first, second = Records.open(home), Records.open(home)
    inside, go_on = threading.Event(), threading.Event()

    def slow(unit: object) -> None:
        inside.set()
        assert go_on.wait(10)

    try:
        one = threading.Thread(target=first.write, args=(slow,))
        one.start()
        assert inside.wait(10)
        done: list[int] = []

        def read_then_write(unit: object) -> None:
            unit.connection.execute(text("SELECT count(*) FROM cases")).scalar_one()  # type: ignore[attr-defined]  # Unit
            unit.changed("case", "1")  # type: ignore[attr-defined]  # Unit
            done.append(1)

        two = threading.Thread(target=second.write, args=(read_then_write,))
        two.start()
        go_on.set()
        one.join(20)
        two.join(20)
        assert done == [1]
    finally:
        first.close()
        second.close()


def test_connections_are_few_and_stay_open(records: Records) -> None:
    pool = records.readers.pool
    assert isinstance(pool, QueuePool)
    for _ in range(20):
        with records.read() as connection:
            connection.execute(text("SELECT 1"))
    assert pool.checkedin() == 1
    assert pool.size() == engine.READERS


def test_the_server_leaves_the_heavy_orm_plugin_out() -> None:
    assert "advanced_alchemy" not in loaded_after("import server.app")


def test_a_county_on_a_file_loads_no_driver_of_postgresql() -> None:
    assert "psycopg" not in loaded_after("import appliance.cases.office, server.app")


def test_a_geometry_never_travels_as_a_row(records: Records) -> None:
    """What leaves the records is JSON text or GeoJSON; no statement of ours selects a bare geometry of a case."""
    from appliance.cases.columns import COLUMNS
    from appliance.cases.walks import COLUMNS as LISTED

    assert "geom" not in COLUMNS
    assert "geom" not in LISTED
    with records.read() as connection:
        assert "geom" in {column["name"] for column in inspect(connection).get_columns("cases")}
