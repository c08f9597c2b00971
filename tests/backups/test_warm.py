"""The disk of the box dies in the middle of a working day; the warm copy on the second disk has what was answered."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pyotp
import pytest
from msgspec import structs

from appliance.doctor import examine
from appliance.errors import BadHome, Broken, Conflict, NotFound, SecondFactorNeeded
from appliance.exchange.reading import feed_state
from appliance.lock import hold
from appliance.people.sessions import Sessions
from appliance.records.store import DATABASE, Records, glance
from appliance.settings import load
from backups.warm import following, log
from backups.warm.following import FRAMES_AT_MOST, Follower, follow
from backups.warm.place import BEFORE, Place, keep_state, state_in
from backups.warm.restoring import restore_warm
from tests import homes
from tests.backups.test_backups import cases, wanmi
from tests.cases.desk import Desk
from tests.devices.waiting import until

CHECKOUT = Path(__file__).resolve().parents[2]
IS_OPEN = all(path.stat().st_mode & 0o001 for path in (CHECKOUT, *CHECKOUT.parents))

pytestmark = pytest.mark.sqlite("it copies SQLite's log")


@pytest.fixture
def county(tmp_path: Path) -> Path:
    home = homes.copy_home(tmp_path / "home")
    file = home / "wanmi.toml"
    file.write_text(file.read_text() + f'\n[backup]\nwarm = "{tmp_path / "second"}"\nwarm_seconds = 0.2\n')
    return home


@pytest.fixture
def second(tmp_path: Path) -> Place:
    return Place(tmp_path / "second")


@pytest.fixture
def follower(county: Path) -> Iterator[Follower]:
    warm = Follower(county, load(county))
    warm.begin()
    yield warm
    warm.close()


def pages(database: Path, scratch: Path) -> bytes:
    """Every byte of a database with its log folded in, but the counters of its header; nobody writes to it now."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    for file in (database, database.with_name(f"{database.name}-wal")):
        if file.exists():
            shutil.copy(file, scratch / file.name)
    with closing(sqlite3.connect(scratch / database.name, isolation_level=None)) as driver:
        assert driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    content = (scratch / database.name).read_bytes()
    shutil.rmtree(scratch)
    return content[:24] + content[28:40] + content[44:92] + content[100:]


def is_equal(county: Path, second: Place) -> bool:
    scratch = county.parent / "looked-at"
    return pages(county / DATABASE, scratch) == pages(second.database, scratch)


def test_the_disk_dies_and_what_was_answered_is_on_the_second(
    county: Path, second: Place, follower: Follower, tmp_path: Path
) -> None:
    desk = Desk(county)
    answered = [desk.to_dispatched() for _ in range(3)]
    follower.look()
    answered.append(desk.to_closed())
    assert follower.look().behind == 0
    desk.close()
    follower.close()
    with glance(county) as connection:
        before = feed_state(connection).name
    shutil.rmtree(county)

    new = tmp_path / "new"
    told = wanmi(
        tmp_path / "nowhere", "backup", "restore", "warm", "--to", str(second.folder), "--into", str(new), "--json"
    )
    assert cases(new) == answered
    assert told["evidence_missing"] == 0
    assert (new / "wanmi.toml").exists()
    with glance(new) as connection:
        assert feed_state(connection).name != before, "no number means two things to a platform"
    assert wanmi(new, "audit", "verify") is not None


def test_whatever_is_written_and_however_often_the_log_begins_again_nothing_is_lost(
    county: Path, second: Place, follower: Follower
) -> None:
    """Commits of all sizes, checkpoints by others in between, and a log so long that it is made to begin again."""
    chance, restarts = Random(7), 0
    with closing(sqlite3.connect(county / DATABASE, isolation_level=None)) as office:
        office.execute("CREATE TABLE load (id INTEGER PRIMARY KEY, words BLOB)")
        for turn in range(60):
            for _ in range(chance.randrange(4)):
                office.execute("BEGIN")
                for _ in range(chance.randrange(1, 40)):
                    office.execute("INSERT INTO load (words) VALUES (randomblob(?))", (chance.randrange(20_000),))
                office.execute("DELETE FROM load WHERE id % 5 = ?", (chance.randrange(5),))
                office.execute(chance.choice(("COMMIT", "COMMIT", "ROLLBACK")))
            if chance.random() < 0.3:
                office.execute("PRAGMA busy_timeout = 0")
                office.execute(f"PRAGMA wal_checkpoint({chance.choice(('PASSIVE', 'RESTART', 'TRUNCATE'))})").fetchone()
            if turn == 40:
                office.execute("INSERT INTO load (words) VALUES (zeroblob(?))", (FRAMES_AT_MOST * 4096,))
            before = follower._header
            follower.look()
            restarts += before != follower._header
            if turn % 10 == 9:
                assert is_equal(county, second), f"after {turn} turns"
    assert restarts > 3, "the log began again several times"
    assert (county / f"{DATABASE}-wal").stat().st_size < 3 * FRAMES_AT_MOST * 4120


def test_writers_at_full_speed_are_followed_and_nothing_is_lost(
    county: Path, second: Place, follower: Follower
) -> None:
    """Two writers commit as fast as they can while the copy is looked after without a pause."""
    ending = threading.Event()

    def write(name: str) -> None:
        with closing(sqlite3.connect(county / DATABASE, isolation_level=None, timeout=30)) as office:
            number = 0
            while not ending.is_set():
                number += 1
                office.execute("INSERT INTO load (who, number, words) VALUES (?, ?, randomblob(3000))", (name, number))

    with closing(sqlite3.connect(county / DATABASE, isolation_level=None)) as office:
        office.execute("CREATE TABLE load (id INTEGER PRIMARY KEY, who TEXT, number INTEGER, words BLOB)")
    writers = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    headers = set()
    for _ in range(25):
        follower.look()
        headers.add(follower._header)
    ending.set()
    for writer in writers:
        writer.join()
    follower.look()
    assert is_equal(county, second)


def test_it_goes_on_after_a_stop_and_begins_anew_when_the_log_is_another(county: Path, second: Place) -> None:
    with closing(sqlite3.connect(county / DATABASE, isolation_level=None)) as office:
        office.execute("CREATE TABLE load (words)")
        first = Follower(county, load(county))
        first.begin()
        first.look()
        office.execute("INSERT INTO load VALUES ('in a log of its own')")
        first.look()
        office.execute("INSERT INTO load VALUES ('after the last look, so that the log is not all folded back')")
        first.close()
        office.execute("INSERT INTO load VALUES ('while nobody followed')")
        inode = second.database.stat().st_ino
        again = Follower(county, load(county))
        again.begin()
        again.look()
        assert second.database.stat().st_ino == inode, "the same log: it goes on"
        again.close()
        office.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        office.execute("INSERT INTO load VALUES ('in another log')")
        third = Follower(county, load(county))
        third.begin()
        third.look()
        third.close()
        assert second.database.stat().st_ino != inode, "what was written in between cannot be known: all is copied"
        assert is_equal(county, second)


def test_evidence_and_keys_follow_and_what_was_deleted_goes(county: Path, second: Place, tmp_path: Path) -> None:
    desk = Desk(county)
    number = desk.to_closed()
    with desk.office.records.read() as connection:
        assert number
        names = connection.exec_driver_sql("SELECT count(*) FROM evidence").scalar_one()
    desk.close()
    kept = county / "evidence" / "ab" / ("ab" + "0" * 62)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(b"\xff\xd8 a pothole")
    name_in_rows(county, kept.name)
    (county / "keys" / "one").write_text("secret")
    (county / "keys" / "current").symlink_to("one")
    warm = Follower(county, load(county))
    warm.begin()
    assert warm.look().behind == 0
    assert (second.evidence / "ab" / kept.name).read_bytes() == kept.read_bytes()
    assert (second.files / "keys" / "one").stat().st_mode & 0o777 == 0o600
    (county / "keys" / "one").unlink()
    warm.look()
    assert not (second.files / "keys" / "one").exists()
    warm.close()
    kept.unlink()
    begun(county)
    assert (second.evidence / "ab" / kept.name).exists(), "a bad sector took it, and a case names it"
    assert restore_warm(second, tmp_path / "new")["evidence_missing"] == 0
    with closing(sqlite3.connect(county / DATABASE, isolation_level=None)) as office:
        office.execute("DELETE FROM evidence")
    begun(county)
    assert not (second.evidence / "ab" / kept.name).exists(), "nothing names it any more"
    assert (tmp_path / "new" / "keys" / "current").readlink() == Path("one"), "as links to the prefecture have them"
    assert names == 0


def name_in_rows(home: Path, sha256: str) -> None:
    """A photo that a row names."""
    with closing(sqlite3.connect(home / DATABASE, isolation_level=None)) as office:
        office.execute(
            "INSERT INTO evidence (sha256, type, bytes, stage, share, uploaded_by, uploaded_at) "
            "VALUES (?, 'jpeg', 14, 'report', 1, 'x', 1)", (sha256,),
        )  # fmt: skip


def test_keys_that_a_dying_disk_loses_stay_in_the_copy(county: Path, second: Place) -> None:
    (county / "keys" / "backup.key").write_text("the key of the nightly backups")
    (county / "keys" / "link").write_text("of a prefecture")
    begun(county)
    (county / "keys" / "backup.key").write_text("made anew, since it was gone")
    (county / "deletions.jsonl").unlink(missing_ok=True)
    for _ in range(2):
        begun(county)
        assert (second.files / "keys" / "backup.key.before").read_text() == "the key of the nightly backups"
    shutil.rmtree(county / "keys")
    (county / "wanmi.toml").touch()
    begun(county)
    assert (second.files / "keys" / "link").exists()
    assert (second.files / "keys" / "backup.key").exists()


@pytest.mark.parametrize("note", ["whole", "lost"])
def test_a_disk_that_lied_in_a_power_cut_does_not_take_the_copy_with_it(
    county: Path, second: Place, tmp_path: Path, note: str
) -> None:
    """The home is some cases behind its copy, its own anchor as well; work goes on before anybody looks."""
    begun(county)
    before = tmp_path / "before"
    shutil.copytree(county, before)
    desk = Desk(county)
    answered = [desk.to_closed() for _ in range(2)]
    desk.close()
    begun(county)
    shutil.rmtree(county)
    before.rename(county)
    if note == "lost":
        (second.folder / "warm.json").write_bytes(b"")
    for _ in range(2):
        with pytest.raises(Conflict, match="warm copy has"):
            begun(county)
        desk = Desk(county)
        for _ in range(3):
            desk.to_closed()
        desk.close()
    assert next(each.result for each in examine(county) if each.check == "database.answered") == "failed"
    (second.folder / "warm.json").write_bytes(b"")
    restore_warm(second, tmp_path / "new")
    assert cases(tmp_path / "new") == answered
    begun(tmp_path / "new")  # it came from this copy, whatever became of the note


def test_a_warm_copy_that_is_set_later_begins_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unit runs since the box was switched on; the technician sets the second disk hours later."""
    home, ending, waits = homes.copy_home(tmp_path / "home"), threading.Event(), threading.Event()
    monkeypatch.setattr(following, "UNSET_SECONDS", 0.05)
    monkeypatch.setattr(following, "say", lambda words: waits.set())
    running = threading.Thread(target=follow, args=(home, ending))
    running.start()
    try:
        assert waits.wait(20), "it says that none is set"
        with (home / "wanmi.toml").open("a") as file:
            file.write(f'\n[backup]\nwarm = "{tmp_path / "second"}"\nwarm_seconds = 0.2\n')
        until(lambda: Place(tmp_path / "second").state, "it begins", seconds=30)
    finally:
        ending.set()
        running.join()


def test_trouble_is_told_and_it_follows_again_when_it_is_over(
    county: Path, second: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> str:
        return next(each.result for each in examine(county) if each.check == "backups.warm")

    assert found() == "failed", "nothing was copied yet"
    monkeypatch.setattr(following, "AGAIN_SECONDS", 0.1)
    second.folder.write_text("no folder")
    ending = threading.Event()
    running = threading.Thread(target=follow, args=(county, ending))
    running.start()
    try:
        until(lambda: (state := state_in(county / "backups")) and state.en, "the trouble is told")
        assert found() == "failed"
        second.folder.unlink()
        until(lambda: found() == "passed", "it follows again", seconds=30)
    finally:
        ending.set()
        running.join()
    state = state_in(county / "backups")
    assert state is not None
    keep_state(county / "backups", structs.replace(state, at=state.at - 60_000_000))
    assert found() == "failed", "a minute behind"


def test_a_target_that_hangs_stops_neither_the_office_nor_its_log(
    county: Path, second: Place, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other machine is away and its folder does not answer: here a pipe that nobody reads."""
    monkeypatch.setattr(following, "HUNG_SECONDS", 0.2)
    pipe = second.database.with_name(f"{DATABASE}-wal")
    went_wrong: list[Exception] = []

    def look() -> None:
        try:
            follower.look()
        except (Broken, OSError) as error:
            went_wrong.append(error)

    with closing(sqlite3.connect(county / DATABASE, isolation_level=None)) as office:
        office.execute("CREATE TABLE load (words)")
        follower.look()
        pipe.unlink()
        os.mkfifo(pipe)
        office.execute("INSERT INTO load VALUES ('a case')")
        hanging = threading.Thread(target=look)
        hanging.start()
        office.execute("PRAGMA busy_timeout = 0")
        truncate = "PRAGMA wal_checkpoint(TRUNCATE)"
        until(lambda: office.execute(truncate).fetchone()[0] == 0, "the home's log begins again")
        assert not went_wrong, "it hangs still"
        os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
        hanging.join()
        assert went_wrong
        follower.close()
        pipe.unlink()
        begun(county)
        assert is_equal(county, second)


def test_a_target_that_hangs_while_the_log_begins_again_lets_the_office_write(
    county: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "LOCK_SECONDS", 0.2)
    holder = log.Holder(county / DATABASE)
    with closing(sqlite3.connect(county / DATABASE, isolation_level=None)) as office:

        def hangs() -> None:
            office.execute("PRAGMA busy_timeout = 30000")
            office.execute("CREATE TABLE load (words)")

        with pytest.raises(Broken, match="did not answer"):
            holder.restart(hangs)
        assert office.execute("SELECT count(*) FROM load").fetchone() == (0,), "the office wrote while the target hung"
    holder.close()


def test_a_copy_that_is_damaged_or_still_followed_or_not_there_is_refused_and_nothing_appears(
    county: Path, second: Place, follower: Follower, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    follower.look()
    with pytest.raises(BadHome, match="still follows"):
        restore_warm(second, new)
    follower.close()
    with pytest.raises(NotFound):
        restore_warm(Place(tmp_path / "elsewhere"), new)
    content = bytearray(second.database.read_bytes())
    for place in range(len(content) // 2, len(content), 4096):
        content[place : place + 200] = bytes(200)
    second.database.write_bytes(content)
    with pytest.raises(Broken):
        restore_warm(second, new)
    assert not new.exists()
    assert not list(tmp_path.glob(".new*"))


def test_a_file_that_cannot_be_copied_back_is_named(
    county: Path, second: Place, follower: Follower, tmp_path: Path
) -> None:
    follower.look()
    follower.close()
    photo = second.evidence / "ab" / f"ab{'0' * 62}"
    photo.parent.mkdir(parents=True, exist_ok=True)
    photo.symlink_to("nowhere")
    with pytest.raises(Conflict, match=f"{photo}.*No such file"):
        restore_warm(second, tmp_path / "new")
    assert not list(tmp_path.glob("*new*"))


def test_two_homes_do_not_follow_to_one_folder_and_none_into_itself(
    county: Path, tmp_path: Path, follower: Follower
) -> None:
    other = homes.copy_home(tmp_path / "other")
    (other / "wanmi.toml").write_text((county / "wanmi.toml").read_text())
    with pytest.raises(BadHome, match="warm copy runs"):
        Follower(other, load(other))
    text = (other / "wanmi.toml").read_text().replace(str(tmp_path / "second"), str(other / "inside"))
    (other / "wanmi.toml").write_text(text)
    with pytest.raises(BadHome, match="inside"):
        Follower(other, load(other))
    (other / "backups").mkdir(exist_ok=True)
    with hold(other / "backups", "warm", "热备", "warm copy"), pytest.raises(BadHome):
        follow(other, threading.Event())


def test_the_power_goes_while_a_new_copy_takes_the_place_of_the_old(
    county: Path, second: Place, follower: Follower, tmp_path: Path
) -> None:
    """Between two names there is no folder `database`; a note that was not on the disk yet is empty."""
    follower.look()
    follower.close()
    second.database.parent.rename(second.folder / BEFORE)
    (second.folder / "database.new").mkdir()
    (second.folder / "warm.json").write_bytes(b"")
    told = restore_warm(second, tmp_path / "new")
    assert told["at"] > "2026"
    assert cases(tmp_path / "new") == cases(county)

    again = Follower(county, load(county))
    again.begin()
    again.look()
    again.close()
    assert is_equal(county, second)


def test_a_disk_that_loses_its_folders_takes_nothing_from_the_copy(county: Path, second: Place) -> None:
    kept = county / "evidence" / "ab" / ("ab" + "0" * 62)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(b"\xff\xd8 a pothole")
    name_in_rows(county, kept.name)
    copied = second.evidence / "ab" / kept.name
    copied.parent.mkdir(parents=True)
    shutil.copy(kept, copied)
    shutil.rmtree(county / "evidence")
    warm = Follower(county, load(county))
    warm.begin()
    warm.close()
    assert copied.read_bytes() == b"\xff\xd8 a pothole"


def test_a_home_that_is_put_in_the_place_of_another_is_copied_anew(
    county: Path, second: Place, follower: Follower, tmp_path: Path
) -> None:
    """The technician moves the ill home away and restores one there; nobody told the follower."""
    follower.look()
    settings = (county / "wanmi.toml").read_text()
    county.rename(tmp_path / "ill")
    with pytest.raises(OSError, match="No such file"):
        follower.look()
    homes.copy_home(county)
    (county / "wanmi.toml").write_text(settings)
    with closing(sqlite3.connect(county / DATABASE, isolation_level=None)) as office:
        office.execute("CREATE TABLE load (words)")
        office.execute("INSERT INTO load VALUES ('in the new home')")
        with pytest.raises(Broken, match="another database"):
            follower.look()
        follower.close()
        again = Follower(county, load(county))
        again.begin()
        again.look()
        again.close()
        assert is_equal(county, second)


def test_a_snapshot_that_is_restored_does_not_take_the_fresher_warm_copy_away(
    county: Path, second: Place, follower: Follower, tmp_path: Path
) -> None:
    """The technician takes the stick, and thinks of the second disk an hour later."""
    wanmi(county, "backup", "now", "--to", str(tmp_path / "stick"))
    desk = Desk(county)
    answered = [desk.to_closed()]
    desk.close()
    follower.look()
    follower.close()
    settings = (county / "wanmi.toml").read_text()
    key = ["--key", str(county / "keys" / "backup.key")]
    wanmi(county, "backup", "restore", "latest", "--to", str(tmp_path / "stick"), *key, "--into", str(tmp_path / "new"))
    county.rename(tmp_path / "dead")
    (tmp_path / "new").rename(county)
    (county / "wanmi.toml").write_text(settings)

    with pytest.raises(Conflict, match="of another home up to"):
        begun(county)
    county.rename(tmp_path / "not that one")
    restore_warm(second, county)
    assert cases(county) == answered
    begun(county)
    begun(county)
    assert is_equal(county, second), "it was made of this copy, so nothing is lost by following it"

    second.folder.rename(tmp_path / "put aside")
    begun(tmp_path / "not that one")
    assert cases(county) == answered
    assert is_equal(tmp_path / "not that one", second)


@pytest.mark.long
def test_who_signs_in_with_a_telephone_does_so_after_the_box_died(county: Path, second: Place, tmp_path: Path) -> None:
    """The key of the second factors is no part of the database; it comes with the snapshot and with the warm copy."""
    given = wanmi(county, "users", "second-factor", "s1", "on", "--json")
    telephone = pyotp.parse_uri(given["uri"])
    begun(county)
    wanmi(county, "backup", "now", "--to", str(tmp_path / "stick"))
    wanmi(county, "backup", "restore", "latest", "--to", str(tmp_path / "stick"), "--into", str(tmp_path / "snapshot"))
    restore_warm(second, tmp_path / "warm")
    for home in ("snapshot", "warm"):
        records = Records.open(tmp_path / home)
        try:
            signed_in = Sessions(records).sign_in("s1", homes.PASSWORD, telephone.at(records.clock.now() // 1_000_000))
            assert signed_in.actor.account == "s1", home
            with pytest.raises(SecondFactorNeeded):
                Sessions(records).sign_in("s1", homes.PASSWORD)
        finally:
            records.close()


def begun(home: Path) -> None:
    """It follows a home once more."""
    (home / "backups").mkdir(exist_ok=True)
    warm = Follower(home, load(home))
    try:
        warm.begin()
        warm.look()
    finally:
        warm.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="root makes the folder of an installed box")
@pytest.mark.skipif(not IS_OPEN, reason="the checkout lies where another account may not read")
def test_the_account_of_an_installed_box_restores_into_its_folder(
    county: Path, second: Place, follower: Follower
) -> None:
    """`/var/lib` is root's, `/var/lib/wanmi` is there, empty, and the node's; a restore before was cut off."""
    follower.look()
    follower.close()
    account = pwd.getpwnam("nobody")
    with TemporaryDirectory() as machine:
        home, copy = Path(machine) / "wanmi", Path(machine) / "second"
        Path(machine).chmod(0o755)
        left = home / ".wanmi.restoring-1"
        left.mkdir(parents=True)
        os.utime(left, (0, 0))  # the power went; another process has its number now
        shutil.copytree(second.folder, copy)
        for path in (home, *home.iterdir(), copy, *copy.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)
        os.seteuid(account.pw_uid)
        try:
            restore_warm(Place(copy), home)
        finally:
            os.seteuid(0)
        assert cases(home) == cases(county)
        assert not list(home.glob(".wanmi*"))
        assert {path.owner() for path in home.rglob("*")} == {"nobody"}
