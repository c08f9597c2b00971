"""What the records promise: an answer means on the disk, a feed without gaps, a chain that shows every edit."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, inspect, text

from appliance.cases.history import broken_row
from appliance.errors import BadHome, Broken
from appliance.records import checkpoints, schema
from appliance.records.acts import append_act, broken_act
from appliance.records.feed import changes_after, last_seq
from appliance.records.metadata import metadata
from appliance.records.spatial import POINT_SQL, boxes, check_registration, point_wkb
from appliance.records.store import Records, create_database, glance
from appliance.records.writer import Unit
from appliance.settings import load, save
from tests import homes
from tests.cases.desk import Desk


@pytest.fixture
def records(home: Path) -> Iterator[Records]:
    opened = Records.open(home)
    yield opened
    opened.close()


def test_threads_that_write_at_once_share_commits_and_get_numbers_without_gaps(records: Records) -> None:
    def work(unit: Unit) -> None:
        unit.changed("case", f"{threading.get_ident()}-{unit.now}")
        unit.changed("part", "1")

    with records.read() as connection:
        before = last_seq(connection)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: records.write(work), range(200)))
    with records.read() as connection:
        rows = changes_after(connection, before, 1000)
    assert [row.seq for row in rows] == list(range(before + 1, before + 401))
    assert records.writer.groups <= records.writer.units


def test_a_failing_unit_takes_back_only_itself(records: Records) -> None:
    def good(unit: Unit) -> None:
        append_act(unit, "x", "good", "1")
        unit.changed("case", "good")

    def bad(unit: Unit) -> None:
        append_act(unit, "x", "bad", "1")
        unit.changed("case", "bad")
        raise ValueError("no")

    gate = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        waiting = pool.submit(records.write, lambda unit: gate.wait(10))
        results = [pool.submit(records.write, work) for work in (good, bad)]
        gate.set()
        waiting.result()
        assert results[0].result() is None
        with pytest.raises(ValueError, match="no"):
            results[1].result()
    with records.read() as connection:
        acts = list(connection.execute(text("SELECT act FROM admin_act")).scalars())
        assert "good" in acts
        assert "bad" not in acts
        assert [row.id for row in changes_after(connection, 0)][-1] == "good"


def test_another_process_writes_between_and_the_numbers_go_on(records: Records, home: Path) -> None:
    other = Records.open(home)
    try:
        for number in range(20):
            (records if number % 2 else other).write(lambda unit: unit.changed("case", "1"))
        with records.read() as connection:
            assert [row.seq for row in changes_after(connection, 0)][-20:] == list(
                range(last_seq(connection) - 19, last_seq(connection) + 1)
            )
    finally:
        other.close()


def test_readers_cannot_write(records: Records) -> None:
    with pytest.raises(Exception, match=r"read-?only"), records.read() as connection:
        connection.execute(text("DELETE FROM feed"))


@pytest.mark.sqlite("its journal and its extension")
def test_every_connection_is_durable_and_has_its_extension(records: Records) -> None:
    def pragmas(unit: Unit) -> tuple[str, int, int, str]:
        values = [
            unit.connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        return (*values, unit.connection.execute(text("SELECT spatialite_version()")).scalar_one())  # type: ignore[return-value]  # values of PRAGMAs

    journal, synchronous, foreign_keys, version = records.write(pragmas)
    assert (journal, synchronous, foreign_keys) == ("wal", 2, 1)
    assert version.startswith("5")


def test_spatial_index_and_reference_system_are_really_there(records: Records) -> None:
    columns = schema.geometry_columns()
    assert ("cases", "geom") in columns
    with records.read() as connection:
        for table, column in columns:
            check_registration(connection, table, column)
            indexed = boxes(connection.dialect.name, table, column)
            assert connection.execute(text(f"SELECT count(*) FROM {indexed}")).scalar_one() >= 0


def test_a_missing_spatial_index_is_noticed(home: Path) -> None:
    lost = {"sqlite": "SELECT DisableSpatialIndex('cases', 'geom')", "postgresql": "DROP INDEX idx_cases_geom"}
    with homes.intruding(home) as raw:
        raw.execute(text(lost[raw.dialect.name]))
    records = Records.open(home)
    try:
        with records.read() as connection, pytest.raises(Broken):
            check_registration(connection, "cases", "geom")
    finally:
        records.close()


def test_the_r_tree_follows_the_cases(home: Path) -> None:
    desk = Desk(home)
    try:
        for column in range(5):
            desk.report(**{"lon": 113.4005 + column / 1000, "lat": 34.1005})
        desk.act("p1", desk.numbers()[0], "amend", reason="挪", lon=113.4105, lat=34.1005)
        with desk.office.records.read() as connection:
            indexed = boxes(connection.dialect.name, "cases")
            differing = connection.execute(
                text(
                    f"SELECT count(*) FROM cases c LEFT JOIN {indexed} ON i.pkid = c.id "
                    "WHERE i.pkid IS NULL OR abs(i.xmin - c.lon) > 1e-4 OR abs(ST_X(c.geom) - c.lon) > 1e-12"
                )
            ).scalar_one()
        assert differing == 0
    finally:
        desk.close()


def test_the_database_is_what_the_tables_say(home: Path) -> None:
    """Nobody may change a table without a migration."""
    with glance(home) as connection:
        ours = set(metadata().tables)

        def is_ours(thing: Any, name: str | None, kind: str, *_: Any) -> bool:
            if (name or "").endswith(("_words", "_triples")):
                return False  # full-text search, on SQLite in tables of its own
            return (name if kind == "table" else thing.table.name) in ours

        context = MigrationContext.configure(connection, opts={"include_object": is_ours, "compare_type": False})
        differences = [item for item in compare_metadata(context, metadata()) if "geom" not in str(item)]
    assert differences == []


def test_an_edited_or_deleted_history_row_is_named(home: Path) -> None:
    desk = Desk(home)
    for _ in range(3):
        desk.report()
    desk.close()
    with homes.intruding(home) as raw:
        rows = raw.execute(text("SELECT id, actor FROM case_action ORDER BY id")).all()

    def edit(statement: str, **values: Any) -> None:
        with homes.intruding(home) as raw:
            raw.execute(text(statement), values)

    def verdict() -> tuple[int, int | None]:
        records = Records.open(home)
        try:
            with records.read() as connection:
                return broken_row(connection)
        finally:
            records.close()

    assert verdict() == (3, None)
    edit("UPDATE case_action SET actor = 'somebody' WHERE id = :id", id=rows[1][0])
    assert verdict() == (1, rows[1][0])
    edit("UPDATE case_action SET actor = :actor WHERE id = :id", actor=rows[1][1], id=rows[1][0])
    edit("DELETE FROM case_action WHERE id = :id", id=rows[0][0])
    assert verdict() == (0, rows[1][0])


def test_blanked_free_text_does_not_break_the_chain_but_changed_text_does(home: Path) -> None:
    desk = Desk(home)
    number = desk.report()
    desk.act("s1", number, "note", note="张三住药城路18号")
    with homes.intruding(home) as raw:
        raw.execute(text("UPDATE case_action SET note = '李四' WHERE note IS NOT NULL"))
    with desk.office.records.read() as connection:
        assert broken_row(connection)[1] is not None
    with homes.intruding(home) as raw:
        raw.execute(text("UPDATE case_action SET note = NULL"))
    with desk.office.records.read() as connection:
        assert broken_row(connection) == (2, None)
        assert broken_act(connection)[1] is None
    desk.close()


def test_a_newer_database_is_left_alone(home: Path) -> None:
    with homes.intruding(home) as raw:
        raw.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BadHome, match="newer"):
        Records.open(home)


def test_a_home_without_a_database_or_with_wrong_settings_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadHome, match="wanmi init"):
        Records.open(tmp_path)
    save(tmp_path, {"county": "411081", "desk": {"yellow_at": 7}})
    with pytest.raises(BadHome, match=r"desk\.yellow_at"):
        load(tmp_path)


def test_a_database_is_made_once_and_its_files_are_private(tmp_path: Path) -> None:
    settings = homes.settle(tmp_path, {"county": "411081"})
    create_database(tmp_path, settings)
    with pytest.raises(BadHome, match="not overwritten"):
        create_database(tmp_path, settings)
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir() if path.is_file()} == {0}


def test_a_new_database_is_made_in_one_transaction(tmp_path: Path) -> None:
    making = homes.new_engine(tmp_path)
    commits: list[int] = []
    event.listen(making, "commit", lambda _: commits.append(1))
    schema.upgrade(making)
    making.dispose()
    assert commits == [1]


@pytest.mark.sqlite("FTS5 has a check of itself")
def test_fts_and_r_tree_agree_with_their_tables(home: Path) -> None:
    desk = Desk(home)
    number = desk.report(reporter_phone="13812341234")
    desk.act("s1", number, "amend", reason="写错", description="污水外溢")
    desk.office.records.write(
        lambda unit: (
            unit.connection.execute(text("INSERT INTO case_search (case_search) VALUES ('integrity-check')")) and None
        )
    )
    assert desk.numbers(text="外溢") == [number]
    assert desk.numbers(text="绕着走") == []
    desk.close()


def test_records_may_be_closed_twice_and_close_nothing_of_others(home: Path) -> None:
    opened = Records.open(home)
    opened.close()
    with (home / "wanmi.toml").open("rb") as other:
        opened.close()
        assert other.read(), "a number that was given away is not closed again"


def test_an_old_home_is_upgraded_when_it_is_opened_and_keeps_its_records(tmp_path: Path) -> None:
    making = homes.new_engine(tmp_path)
    schema.upgrade(making, "0001")
    with making.begin() as connection:
        connection.execute(text("INSERT INTO department (code, name) VALUES ('D01', '市政管理所')"))
        assert schema.current_revision(connection) == "0001"
    making.dispose()
    records = Records.open(tmp_path)
    try:
        with records.read() as connection:
            assert schema.current_revision(connection) == schema.head_revision() != "0001"
            assert connection.execute(text("SELECT name FROM department")).scalar_one() == "市政管理所"
            indexes = [index["name"] for index in inspect(connection).get_indexes("cases")]
        assert "ix_cases_registered_by" in indexes
    finally:
        records.close()


def test_old_cases_whose_reporter_left_a_number_are_called_back_after_the_upgrade(tmp_path: Path) -> None:
    making = homes.new_engine(tmp_path)
    schema.upgrade(making, "0002")
    with making.begin() as connection:
        columns = inspect(connection).get_columns("cases")
        needed = [column for column in columns if not column["nullable"] and column["name"] not in ("id", "geom")]
        plain = {column["name"]: column["type"].python_type() for column in needed}
        names = ", ".join(plain)
        values = ", ".join(f":{name}" for name in plain)
        for key, phone in ((1, "13800001111"), (2, None), (3, ""), (4, "no row")):
            row = plain | {"number": str(key), "id": key, "wkb": point_wkb(113.4, 34.1)}
            connection.execute(text(f"INSERT INTO cases (id, {names}, geom) VALUES (:id, {values}, {POINT_SQL})"), row)
            if phone != "no row":
                connection.execute(
                    text("INSERT INTO reporter (id, phone) VALUES (:id, :phone)"), {"id": key, "phone": phone}
                )
    making.dispose()
    records = Records.open(tmp_path)
    try:
        with records.read() as connection:
            found = connection.execute(text("SELECT id, reachable FROM cases ORDER BY id")).all()
        assert [tuple(row) for row in found] == [(1, 1), (2, 0), (3, 0), (4, 0)]
    finally:
        records.close()


@pytest.mark.sqlite("its write-ahead log")
def test_whoever_reads_for_long_holds_up_no_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warm copy hangs on its disk and reads on, and the log is longer than it should be."""
    monkeypatch.setattr(checkpoints, "FRAMES_AT_MOST", 10)
    file = tmp_path / "county.db"
    with ExitStack() as ending:
        reader, writer = (ending.enter_context(closing(sqlite3.connect(file, isolation_level=None))) for _ in "rw")
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE load (words BLOB)")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM load").fetchone()
        writer.execute("INSERT INTO load VALUES (zeroblob(100000))")
        ending.enter_context(closing(checkpoints.Checkpointer(file)))
        waits, end = [0.0], monotonic() + 2.5 * checkpoints.SECONDS
        while monotonic() < end:
            began = monotonic()
            writer.execute("INSERT INTO load VALUES (1)")
            waits.append(monotonic() - began)
    assert max(waits) < 1.0
