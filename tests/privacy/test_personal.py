"""A citizen asks what the county holds of her, and wants it gone; the county forgets others by its own rule."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import text

from appliance.backup_settings import Backup
from appliance.cases import calls
from appliance.cases.history import audit_chains
from appliance.errors import Broken, Invalid
from appliance.lock import hold
from appliance.privacy.columns import PERSONS, columns_of, decisions
from appliance.privacy.copies import BEFORE_UPGRADE, STAGE
from appliance.privacy.deletions import LIST, note
from appliance.privacy.retention import anonymise_reporters
from appliance.privacy.sought import sought
from appliance.records.metadata import metadata
from appliance.records.store import glance
from appliance.settings import load
from backups.deletion_lists import add_list, listed_in_old
from backups.pieces import split
from backups.repository import Repository
from backups.snapshot import copy_database
from backups.warm.evidence import copy_file
from backups.warm.following import Follower
from backups.warm.place import Place
from backups.warm.restoring import restore_warm
from provisioning.acceptance.columns import holds_text
from tests import homes
from tests.backups.test_backups import wanmi
from tests.cases.desk import Desk

PHONE, NAME = "13812344321", "张三丰"
OTHER = "13987654321"
WORDS = f"{NAME}说井盖破了,请打 138 1234 4321,或者问邻居 {OTHER}"


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    opened = Desk(homes.copy_home(tmp_path / "home"))
    yield opened
    opened.close()


def everything(home: Path) -> str:
    """Every text of every table, as somebody with the file would read it."""
    with glance(home) as connection:
        return "\n".join(
            str(row)
            for table in metadata().sorted_tables
            for row in connection.execute(
                table.select().with_only_columns(*table.primary_key.columns, *filter(holds_text, table.columns))
            )
        )


def chains_hold(home: Path) -> bool:
    with glance(home) as connection:
        return all(broken is None for _, broken in audit_chains(connection).values())


def test_she_reads_what_is_held_and_has_it_deleted(desk: Desk, tmp_path: Path) -> None:
    home = desk.office.records.home
    number = desk.report(reporter_name=NAME, reporter_phone=PHONE, description=WORDS)
    desk.act("s1", number, "accept", reason=f"已回电 {PHONE}")
    other = desk.report(reporter_name="李四", reporter_phone=OTHER, description="路灯不亮")
    desk.office.records.write(lambda unit: calls.ring(unit, desk.office, f"+86{PHONE}", "s1", "/recordings/1.amr"))
    counts = wanmi(home, "personal", "find", "--phone", "138-1234-4321", "--json")
    assert (counts["cases"], counts["calls"], counts["numbers"]) == (1, 1, [number])
    assert wanmi(home, "personal", "find", "--name", NAME, "--json")["numbers"] == [number]

    file = tmp_path / "export.json"
    wanmi(home, "personal", "export", str(file), "--phone", PHONE)
    told = json.loads(file.read_text())
    assert file.stat().st_mode & 0o077 == 0
    assert (told["cases"][0]["number"], told["cases"][0]["phone"]) == (number, PHONE)
    assert told["calls"][0]["recording"] == "/recordings/1.amr"
    assert "李四" not in file.read_text()

    wanmi(home, "personal", "delete", "--phone", PHONE, "--yes", "--json")
    left = everything(home)
    assert PHONE not in left
    assert "138 1234 4321" not in left
    assert NAME not in left
    assert "138****4321" not in left
    assert OTHER in left, "the neighbour is somebody else"
    assert chains_hold(home)
    assert desk.case(number)["description"] == f"***说井盖破了,请打 ***,或者问邻居 {OTHER}"
    assert desk.case(number)["reporter"] == {"name": None, "phone": None}
    assert desk.case(other, "s1")["reporter"]["phone"] == OTHER
    assert desk.numbers("s1", phone="4321") == [other], "neither is she found by her number"
    with glance(home) as connection:
        act = connection.execute(text("SELECT detail FROM admin_act WHERE act = 'personal.delete'")).scalar_one()
    assert json.loads(act) == {"cases": 1, "calls": 1, "texts": counts["texts"], "accounts": 0}
    assert PHONE not in (home / LIST).read_text()
    assert (home / LIST).stat().st_mode & 0o077 == 0
    assert wanmi(home, "personal", "find", "--phone", PHONE, "--json")["cases"] == 0


def test_papers_that_name_her_and_recordings_are_listed_and_left(desk: Desk) -> None:
    home = desk.office.records.home
    desk.report(reporter_name=NAME, reporter_phone=PHONE)
    desk.office.records.write(lambda unit: calls.ring(unit, desk.office, PHONE, "s1", "/recordings/1.amr"))
    papers = home / "papers"
    papers.mkdir(exist_ok=True)
    for name, content in {
        "bulletin-2026-09.html": "<p>来电 <b>138 1234 4321</b></p>", "bulletin-2026-09.pdf": "%PDF",
        "letter.html": f"<p>{NAME}&nbsp;同志</p>", "bulletin-2026-10.html": f"<p>邻居 {OTHER}</p>",
        "bulletin-2026-10.pdf": "%PDF", "scan.pdf": "%PDF",
    }.items():  # fmt: skip
        (papers / name).write_text(content, encoding="utf-8")
    book = Workbook()
    book.active.append(["来电", PHONE])
    book.save(papers / "own.xlsx")
    torn = bytearray((papers / "own.xlsx").read_bytes())
    with zipfile.ZipFile(papers / "own.xlsx") as whole:
        (start, name), *_ = ((each.header_offset, each.filename) for each in whole.infolist())
    torn[start + 30 + len(name) : start + 34 + len(name)] = b"\xff" * 4
    (papers / "torn.xlsx").write_bytes(torn)
    hers = [f"papers/{name}" for name in ("bulletin-2026-09.html", "bulletin-2026-09.pdf", "letter.html", "own.xlsx")]
    for told in (
        wanmi(home, "personal", "find", "--phone", PHONE, "--json"),
        wanmi(home, "personal", "delete", "--phone", PHONE, "--yes", "--json"),
    ):
        assert told["papers"] == hers
        assert told["papers_unread"] == ["papers/scan.pdf", "papers/torn.xlsx"]
        assert told["recordings"] == ["/recordings/1.amr"]
    assert all((home / paper).exists() for paper in hers), "listed only"


def test_nothing_is_deleted_while_a_backup_copies(desk: Desk) -> None:
    """It would be made of pieces that are taken away under it."""
    home = desk.office.records.home
    desk.report(reporter_name=NAME, reporter_phone=PHONE)
    (home / "backups").mkdir(exist_ok=True)
    with hold(home / "backups", "backup"):
        assert "under way" in wanmi(home, "personal", "delete", "--phone", PHONE, "--yes", code=1)
    assert not (home / LIST).exists()
    assert wanmi(home, "personal", "delete", "--phone", PHONE, "--yes", "--json")["cases"] == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root acts as another account")
def test_a_list_of_deletions_that_may_not_be_read_is_not_written_over() -> None:
    with TemporaryDirectory() as folder:
        home, nobody = Path(folder), pwd.getpwnam("nobody").pw_uid
        (home / LIST).parent.mkdir()
        note(home, 1, "phone", PHONE)
        before = (home / LIST).read_bytes()
        for path in (home, (home / LIST).parent, *home.glob("backups/*.lock")):
            os.chown(path, nobody, -1)
        os.seteuid(nobody)
        try:
            with pytest.raises(PermissionError):
                note(home, 2, "phone", OTHER)
            assert listed_in_old(home) == set(), "a restore goes by the list in the backup"
        finally:
            os.seteuid(0)
        assert (home / LIST).read_bytes() == before


def test_a_damaged_list_of_the_old_home_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / LIST).parent.mkdir()
    (tmp_path / LIST).write_bytes(b"\0\0\0\n")
    with pytest.raises(Broken, match=f"{tmp_path / LIST}.*move it away"):
        listed_in_old(tmp_path)


def test_one_case_alone_is_forgotten(desk: Desk) -> None:
    home = desk.office.records.home
    first, second = (desk.report(reporter_name=NAME, reporter_phone=PHONE) for _ in range(2))
    wanmi(home, "personal", "delete", "--case", first, "--yes", "--json")
    assert desk.case(first, "s1")["reporter"] == {"name": None, "phone": None}
    assert desk.case(second, "s1")["reporter"]["phone"] == PHONE


def test_an_account_is_ended_before_it_is_forgotten(desk: Desk) -> None:
    home = desk.office.records.home
    assert "end it first" in wanmi(home, "personal", "delete", "--account", "l2", "--yes", code=1)
    assert not (home / LIST).exists(), "or the next restore would end it"
    wanmi(home, "users", "deactivate", "l2")
    assert wanmi(home, "personal", "delete", "--account", "l2", "--yes", "--json")["accounts"] == 1
    with glance(home) as connection:
        left = connection.execute(text("SELECT phone, password FROM account WHERE account = 'l2'")).one()
    assert tuple(left) == (None, None)


def test_too_little_means_nobody() -> None:
    with pytest.raises(Invalid, match="too short"):
        sought("phone", "138")


def test_reporters_are_forgotten_when_the_county_says(desk: Desk) -> None:
    old = desk.to_closed(reporter_name=NAME, reporter_phone=PHONE, description=WORDS)
    desk.clock.advance(days=400)
    young = desk.to_closed(reporter_name="李四", reporter_phone=OTHER)
    still_open = desk.report(reporter_name="王五", reporter_phone="13700001111")
    assert anonymise_reporters(desk.office) == {"anonymised": 0}, "two years are not over"
    desk.clock.advance(days=340)
    assert anonymise_reporters(desk.office) == {"anonymised": 1}
    assert anonymise_reporters(desk.office) == {"anonymised": 0}, "once is enough"
    assert desk.case(old, "s1")["reporter"] == {"name": None, "phone": None}
    assert "138" not in desk.case(old)["description"]
    assert desk.case(young, "s1")["reporter"]["phone"] == OTHER
    assert desk.case(still_open, "s1")["reporter"]["name"] == "王五"
    assert chains_hold(desk.office.records.home)
    voided = desk.report("s1", reporter_name=NAME, reporter_phone=PHONE)
    desk.act("s1", voided, "accept", reason="已回电")
    desk.decide("z1", voided, desk.ask("p1", voided, "void", "重复"), True)
    desk.clock.advance(days=729)
    anonymise_reporters(desk.office)
    assert desk.case(voided, "s1")["reporter"]["phone"] == PHONE, "its term runs from when it was voided"
    desk.clock.advance(days=2)
    assert anonymise_reporters(desk.office) == {"anonymised": 1}, "it was never closed, and is over"
    desk.office.settings.privacy.keep_reporters_days = 0
    desk.clock.advance(days=4000)
    assert anonymise_reporters(desk.office) == {"anonymised": 0}, "0 keeps them"


@pytest.mark.sqlite("it copies the SQLite file")
@pytest.mark.parametrize("by_rule", [True, False], ids=["by rule", "on request"])
def test_no_copy_of_the_database_in_the_home_keeps_her(desk: Desk, by_rule: bool) -> None:
    """An upgrade keeps the whole database as it was, in the clear."""
    home = desk.office.records.home
    desk.to_closed(reporter_name=NAME, reporter_phone=PHONE, description=WORDS)
    copy_database(home / "county.db", home / BEFORE_UPGRADE)
    if by_rule:
        desk.clock.advance(days=800)
        anonymise_reporters(desk.office)
    else:
        split(home / BEFORE_UPGRADE, home / STAGE / "pieces", [])  # those of the last snapshot
        wanmi(home, "personal", "delete", "--phone", PHONE, "--yes", "--json")
    holding = [file.name for file in home.rglob("*") if file.is_file() and PHONE.encode() in file.read_bytes()]
    assert [name for name in holding if not name.startswith("county.db")] == []


@dataclass(frozen=True)
class Backed:
    """A county that was backed up onto a stick, and forgot a citizen after that."""

    home: Path
    stick: Path
    key: Path
    snapshot: str
    number: str
    other: str


@pytest.fixture(scope="module")
def backed(tmp_path_factory: pytest.TempPathFactory) -> Backed:
    folder = tmp_path_factory.mktemp("backed")
    home, stick, key = homes.copy_home(folder / "home"), folder / "stick", folder / "key"
    desk = Desk(home)
    number = desk.to_closed(reporter_name=NAME, reporter_phone=PHONE, description=WORDS)
    other = desk.report(reporter_name="李四", reporter_phone=OTHER)
    desk.close()
    made = wanmi(home, "backup", "now", "--to", str(stick), "--json")
    wanmi(home, "personal", "delete", "--phone", PHONE, "--yes", "--json")
    shutil.copy(home / "keys" / "backup.key", key)
    return Backed(home, stick, key, made["id"], number, other)


@pytest.mark.skipif(shutil.which("restic") is None, reason="restic is not installed")
@pytest.mark.sqlite("it copies the SQLite file")
@pytest.mark.parametrize(
    "home_is_left",
    [pytest.param(True, marks=pytest.mark.long), False],
    ids=["from the old home", "from the repository"],
)
def test_an_old_snapshot_brings_nobody_back(backed: Backed, tmp_path: Path, home_is_left: bool) -> None:
    home, stick = backed.home, shutil.copytree(backed.stick, tmp_path / "stick")
    if not home_is_left:
        repository = Repository(str(stick), backed.key, tmp_path / "cache")
        add_list(repository, home, homes.COUNTY)  # as the next night's backup does
        listed = wanmi(home, "backup", "list", "--to", str(stick), "--json")["items"]
        assert [each["id"] for each in listed] == [backed.snapshot], "the list is no snapshot of a home"
        home = tmp_path / "lost"
    new, from_stick = tmp_path / "new", ("--to", str(stick), "--key", str(backed.key))
    wanmi(home, "backup", "restore", backed.snapshot, "--into", str(new), *from_stick, "--json")
    left = everything(new)
    assert PHONE not in left
    assert NAME not in left
    assert backed.number in left
    assert OTHER in left
    assert backed.other in left
    assert chains_hold(new)
    assert (new / LIST).exists(), "the next restore deletes again, too"


@pytest.mark.sqlite("it copies SQLite's log")
@pytest.mark.parametrize("home_is_left", [True, False], ids=["from the old home", "from its own list"])
def test_a_warm_copy_that_stood_still_brings_nobody_back(desk: Desk, tmp_path: Path, home_is_left: bool) -> None:
    """The second disk was pulled before she was deleted, or the power went between the list and the deletion."""
    home = desk.office.records.home
    number = desk.to_closed(reporter_name=NAME, reporter_phone=PHONE, description=WORDS)
    warm = Place(tmp_path / "second")
    follower = Follower(home, load(home).model_copy(update={"backup": Backup(warm=str(warm.folder))}))
    follower.begin()
    follower.look()
    follower.close()
    wanmi(home, "personal", "delete", "--phone", PHONE, "--yes", "--json")
    if not home_is_left:
        copy_file(home / LIST, warm.files / LIST)
    new = tmp_path / "new"
    restore_warm(warm, new, old_home=home if home_is_left else None)
    left = everything(new)
    assert PHONE not in left
    assert NAME not in left
    assert number in left
    assert chains_hold(new)


def test_the_table_decides_on_every_text() -> None:
    """Whoever adds a column says whose personal data stands in it."""
    there = {f"{table.name}.{each.name}" for table in metadata().sorted_tables for each in table.columns}
    assert decisions().keys() <= there
    assert {decided.person for decided in decisions().values()} == PERSONS
    assert ("reporter", "phone") in columns_of("reporter")
