"""What is true on PostGIS only: counties side by side, one writer among processes, a server that goes and comes."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from appliance.doctor import Finding
from appliance.errors import BadHome, Invalid
from appliance.places.checks import check_places
from appliance.records import checks
from appliance.records.feed import changes_after, last_seq
from appliance.records.postgis import plain
from appliance.records.store import Records, create_database, glance
from appliance.records.writer import Unit
from appliance.settings import load, save
from provisioning.home import make_home
from tests import homes, postgis
from tests.cases.desk import Desk

pytestmark = pytest.mark.postgis("its schemas, its locks, its server")


def county_in(folder: Path, code: str, url: str) -> Records:
    """A county made by the technician at a `database_url`, opened."""
    make_home(
        folder, county=code, name="", edition="2026", admin="admin", password="wanmi-demo-1",
        settings={"database_url": url},
    )  # fmt: skip
    return Records.open(folder)


def test_two_counties_stand_side_by_side_in_one_database(tmp_path: Path) -> None:
    first_url = homes.empty_database(schema="county_411081")
    first = county_in(tmp_path / "yuzhou", "411081", first_url)
    second = county_in(tmp_path / "changge", "411082", first_url.replace("county_411081", "county_411082"))
    try:
        for records, name in ((first, "禹州"), (second, "长葛"), (second, "长葛二")):
            records.write(lambda unit, name=name: add_department(unit, name))  # type: ignore[misc]  # the default argument binds the name
        for records, names in ((first, ["禹州"]), (second, ["长葛", "长葛二"])):
            with records.read() as connection:
                assert connection.execute(text("SELECT name FROM department ORDER BY name")).scalars().all() == names
                assert [row.seq for row in changes_after(connection, 0)] == list(range(1, len(names) + 1))
        with first.read() as connection:
            strangers = text(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE "
                "TABLE' AND table_name <> 'spatial_ref_sys'"
            )
            assert connection.execute(strangers).all() == []
            both = text("SELECT count(*) FROM (SELECT name FROM county_411081.department UNION ALL "
                        "SELECT name FROM county_411082.department) AS whole")  # fmt: skip
            assert connection.execute(both).scalar_one() == 3, "the prefecture sees the union"
    finally:
        first.close()
        second.close()


def add_department(unit: Unit, name: str) -> None:
    """A department and its row in the feed."""
    unit.connection.execute(text("INSERT INTO department (code, name) VALUES (:name, :name)"), {"name": name})
    unit.changed("department", name)


def test_a_county_that_was_never_made_is_not_made_by_opening(tmp_path: Path) -> None:
    url = homes.empty_database(schema="county_411081")
    county_in(tmp_path / "home", "411081", url).close()
    save(tmp_path / "home", {"county": "411081", "database_url": url.replace("411081", "411801")})
    with pytest.raises(BadHome, match="wanmi init"):
        Records.open(tmp_path / "home")
    with pytest.raises(BadHome, match="already"):
        create_database(tmp_path, load_with(tmp_path, url))


def load_with(folder: Path, url: str) -> Any:
    """Settings with this `database_url`."""
    save(folder, {"county": "411081", "database_url": url})
    return load(folder)


def test_a_server_that_cannot_hold_a_county_is_named(tmp_path: Path) -> None:
    """The sentence says what an administrator has to do."""
    plain_text = homes.empty_database(template="template0")
    by_language = homes.empty_database(template="template0", more="LOCALE_PROVIDER icu ICU_LOCALE 'zh'")
    hidden = homes.empty_database(schema="county_411081").replace("%2Cpublic", "")
    odd = homes.empty_database(schema="county-411081")
    nowhere = homes.empty_database().replace(str(postgis.cluster().folder), str(tmp_path))
    for url, said in (
        (plain_text, "CREATE EXTENSION postgis"),
        (by_language, "sort by code point"),
        (hidden, "must end in public"),
        (odd, "cannot be a schema"),
        (nowhere, "cannot be reached"),
    ):
        with pytest.raises(BadHome, match=said):
            create_database(tmp_path, load_with(tmp_path, url))


def test_rows_of_the_feed_become_visible_in_the_order_of_their_numbers(home: Path) -> None:
    """Two processes write; a reader that follows by cursor never meets a hole that is filled later."""
    ours, theirs = Records.open(home), Records.open(home)
    done = threading.Event()
    holes: list[tuple[int, int]] = []

    def follow() -> None:
        while not done.is_set():
            with ours.read() as connection:
                numbers = [row.seq for row in changes_after(connection, 0, 10_000)]
                last = last_seq(connection)
            if numbers != list(range(1, last + 1)):
                holes.append((len(numbers), last))

    try:
        reader = threading.Thread(target=follow)
        reader.start()
        with ThreadPoolExecutor(8) as pool:
            for _ in range(100):
                for records in (ours, theirs):
                    pool.submit(records.write, lambda unit: unit.changed("part", "1"))
        done.set()
        reader.join()
        with theirs.read() as connection:
            assert last_seq(connection) == 200
        assert holes == []
    finally:
        done.set()
        ours.close()
        theirs.close()


RUN = "from tests import postgis; print(postgis.cluster().folder, flush=True); input()"


def test_a_run_that_is_killed_leaves_no_cluster_behind() -> None:
    run = subprocess.Popen([sys.executable, "-c", RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    folder = Path(run.stdout.readline().strip())
    assert (folder / "data" / "postmaster.pid").exists()
    run.kill()
    run.communicate()  # its output ends when the guard has done its work
    assert not folder.exists()


INTRUDER = """
import sys
from pathlib import Path
from appliance.records.store import Records
def work(unit):
    unit.changed("part", "never")
    print("inside", flush=True)
    sys.stdin.read()
Records.open(Path(sys.argv[1])).write(work)
"""


def test_a_process_that_dies_inside_its_transaction_leaves_no_lock_and_no_number(home: Path) -> None:
    records = Records.open(home)
    dying = subprocess.Popen(
        [sys.executable, "-c", INTRUDER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert dying.stdout is not None
        assert dying.stdout.readline() == "inside\n"
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(records.write, lambda unit: unit.changed("part", "1"))
            dying.kill()
            waiting.result(20)
        with records.read() as connection:
            assert [(row.seq, row.id) for row in changes_after(connection, 0)] == [(1, "1")]
    finally:
        dying.kill()
        dying.communicate()
        records.close()


def test_the_node_goes_on_when_the_server_was_restarted(home: Path) -> None:
    desk = Desk(home)
    try:
        before = desk.report()
        postgis.cluster().stop()
        with pytest.raises(OperationalError):
            desk.report()
        postgis.cluster().start()
        with pytest.raises(OperationalError):
            desk.office.records.write(lambda unit: None)  # whoever comes first learns that the old connection is gone
        after = desk.report()
        assert desk.numbers() == [after, before]
    finally:
        desk.close()


def test_an_empty_character_is_refused_in_a_sentence(home: Path) -> None:
    desk = Desk(home)
    try:
        with pytest.raises(Invalid, match="NUL"):
            desk.report(description="井盖\0破了")
        assert len(desk.numbers()) == 0
        desk.report()
    finally:
        desk.close()


def test_the_doctor_finds_a_county_on_postgis_well(home: Path) -> None:
    found = {finding.check: finding.result for finding in whole_look(home)}
    assert found["database.integrity"] == "skipped"
    assert {result for check, result in found.items() if check.startswith(("database.", "feed.", "audit."))} == {
        "passed", "skipped",
    }  # fmt: skip
    assert found["places.index"] == "passed"
    with homes.intruding(home) as connection:
        connection.execute(text("DROP INDEX idx_cases_geom"))
    assert {finding.check: finding.result for finding in whole_look(home)}["database.spatial"] == "failed"


def whole_look(home: Path) -> list[Finding]:
    """What the doctor says of the database and of the places."""
    return [*checks.check_database(home), *check_places(home)]


def test_every_list_can_go_by_an_index(home: Path) -> None:
    """Small tables are read whole, and rightly so; with that forbidden, no list is left without an index."""
    desk = Desk(home)
    seen: dict[str, Any] = {}
    event.listen(
        desk.office.records.readers, "before_cursor_execute",
        lambda _c, _cursor, statement, values, *_: seen.update({plain(statement): values}),
    )  # fmt: skip
    mixes: list[dict[str, Any]] = [
        {}, {"text": "井盖"}, {"text": "12"}, {"phone": "1381"}, {"overdue": True}, {"part": "1"}, {"collector": "l1"},
        {"states": ("dispatched",)}, {"departments": ("D01",), "codes": ("01002",)}, {"awaiting_callback": True},
        {"bbox": (113.4, 34.1, 113.5, 34.2)}, {"supervised": True}, {"reopened": True}, {"waiting": True},
    ]  # fmt: skip
    try:
        for mix in mixes:
            desk.numbers("s1", **mix)
        for account in ("d1", "l1"):
            desk.numbers(account)
    finally:
        desk.close()
    whole = []
    with glance(home) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        for statement, values in seen.items():
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars())
            if any(f"Seq Scan on {table}" in plan for table in ("cases", "case_record", "reporter")):
                whole.append((statement, plan))
    assert whole == []
