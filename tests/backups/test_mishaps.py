"""The stick is full, is pulled, or the power goes in the middle of a backup; a snapshot is of newer software."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from appliance.errors import Broken, Conflict
from appliance.lock import hold
from appliance.privacy.deletions import note
from appliance.settings import load
from backups import restoring
from backups.deletion_lists import add_list
from backups.drilling import SCRATCH, last_drill
from backups.jobs import backup_drill
from backups.key import KEY
from backups.repository import Repository
from backups.snapshot import Manifest, repository_of
from tests.backups.test_backups import cases, county, pytestmark, wanmi
from tests.cases.desk import Desk
from tests.devices.waiting import until
from tests.faults.disks import Breaking, disk, needs_disks
from tests.nodes import RunningNode

__all__ = ["county", "pytestmark"]

LONG_LASTING = 120
"""Megabytes that restic writes in several packs, so that there is a middle of it."""


def heavy(home: Path, megabytes: int) -> None:
    """Evidence that no disk holds twice in less room."""
    for number in range(megabytes):
        (home / "evidence" / "ab" / f"photo-{number}").write_bytes(os.urandom(1 << 20))


@pytest.mark.long
@needs_disks
def test_a_full_stick_is_named_and_the_snapshots_on_it_stay_good(county: Path, tmp_path: Path) -> None:
    with disk(tmp_path / "small", 24) as stick:
        made = wanmi(county, "backup", "now", "--to", str(stick / "wanmi"), "--json")
        heavy(county, 30)
        assert "is full" in wanmi(county, "backup", "now", "--to", str(stick / "wanmi"), code=1)
        listed = wanmi(county, "backup", "list", "--to", str(stick / "wanmi"), "--json")["items"]
        assert [each["id"] for each in listed] == [made["id"]], "nothing half written is listed"
        new = tmp_path / "new"
        wanmi(county, "backup", "restore", made["id"], "--to", str(stick / "wanmi"), "--into", str(new))
        assert cases(new) == cases(county)
    assert not (county / "backups" / "copy").exists()


@pytest.mark.long
@needs_disks
def test_a_full_disk_of_the_new_home_is_not_told_as_a_full_stick(county: Path, tmp_path: Path) -> None:
    heavy(county, 30)
    made = wanmi(county, "backup", "now", "--json")
    with disk(tmp_path / "small", 12) as small:
        said = wanmi(county, "backup", "restore", made["id"], "--into", str(small / "new"), code=1)
        assert list(small.iterdir()) == []
    assert f"The disk of {small} is full" in said


def test_what_a_killed_restore_left_goes_and_what_a_running_one_builds_stays(tmp_path: Path) -> None:
    """Each is a whole county with its keys."""
    into, done = tmp_path / "new", subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True)
    into.mkdir()
    killed, running = (f".new.restoring-{process}" for process in (done.stdout.strip(), os.getppid()))
    for folder in (into, tmp_path):
        (folder / killed / "keys").mkdir(parents=True)
    (tmp_path / running).mkdir()
    restoring.refuse_full(into)
    assert restoring.building_place(into).parent == tmp_path
    assert [path.name for path in sorted(tmp_path.iterdir())] == [running, "new"]
    assert list(into.iterdir()) == []
    (into / running).mkdir()
    with pytest.raises(Conflict):
        restoring.refuse_full(into)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Breaking]:
    made = Breaking(tmp_path / "stick-of-glass", 500)
    yield made
    made.end()


def backing_up(home: Path, to: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "appliance", "backup", "now", "--to", str(to), "--home", str(home)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def living(group: int) -> list[str]:
    """The processes of a group that are still known to the machine."""
    done = subprocess.run(["ps", "-eo", "pgid="], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.split() if int(line) == group]


def is_writing(repository: Path, before: int) -> bool:
    return sum(1 for path in (repository / "data").rglob("*") if path.is_file()) > before


@pytest.mark.long
@needs_disks
def test_a_stick_that_is_pulled_while_writing_harms_neither_home_nor_snapshots(county: Path, stick: Breaking) -> None:
    to = stick.folder / "wanmi"
    made = wanmi(county, "backup", "now", "--to", str(to), "--json")
    heavy(county, LONG_LASTING)
    before = sum(1 for path in (to / "data").rglob("*") if path.is_file())
    process = backing_up(county, to)
    until(lambda: is_writing(to, before) or process.poll() is not None, "it writes")
    stick.break_()
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 1, said
    assert "Traceback" not in said
    assert "read-only" in said or "unplugged" in said, said
    stick.mend()
    listed = wanmi(county, "backup", "list", "--to", str(to), "--json")["items"]
    assert made["id"] in [each["id"] for each in listed]
    wanmi(county, "backup", "verify", made["id"], "--to", str(to))
    wanmi(county, "backup", "now", "--to", str(to))


@pytest.mark.long
def test_the_power_goes_while_a_snapshot_is_written_and_the_next_one_is_made(county: Path, tmp_path: Path) -> None:
    to = tmp_path / "stick" / "wanmi"
    made = wanmi(county, "backup", "now", "--json")
    heavy(county, LONG_LASTING)
    before = sum(1 for path in (to / "data").rglob("*") if path.is_file())
    process = backing_up(county, to)
    until(lambda: is_writing(to, before) or process.poll() is not None, "it writes")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    until(lambda: not living(process.pid), "the machine has forgotten them")
    listed = wanmi(county, "backup", "list", "--json")["items"]
    assert [each["id"] for each in listed] == [made["id"]], "what was half written is no snapshot"
    again = wanmi(county, "backup", "now", "--json")
    wanmi(county, "backup", "verify", again["id"])


def test_a_restore_never_falls_onto_a_running_home(county: Path) -> None:
    made = wanmi(county, "backup", "now", "--json")
    node = RunningNode(county).start()
    try:
        said = wanmi(county, "backup", "restore", made["id"], "--into", str(county), code=1)
        assert "A node runs on" in said
        assert node.client("z1").get("/health").status_code == 200
    finally:
        node.stop()


def test_a_snapshot_of_newer_software_is_refused_before_anything_is_written(
    county: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = wanmi(county, "backup", "now", "--json")
    decode = msgspec.json.decode

    def newer(content: bytes, **more: object) -> object:
        found = decode(content, **more)  # type: ignore[call-overload]  # the module's own function
        return msgspec.structs.replace(found, schema="9999") if isinstance(found, Manifest) else found

    monkeypatch.setattr(restoring.msgspec.json, "decode", newer)
    said = wanmi(county, "backup", "restore", made["id"], "--into", str(tmp_path / "new"), code=1)
    assert "newer software" in said
    assert not (tmp_path / "new").exists()


@pytest.mark.long
def test_somebody_uses_the_repository_and_list_and_drill_do_not_wait_for_it(county: Path) -> None:
    repository = repository_of(county, load(county))
    repository.ensure()
    note(county, 1, "phone", "13812344321")
    reading = subprocess.Popen(
        ["restic", "backup", "--stdin"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | {"RESTIC_REPOSITORY": repository.to, "RESTIC_PASSWORD_FILE": str(county / KEY)},
    )  # fmt: skip
    try:
        until(lambda: any((Path(repository.to) / "locks").iterdir()), "it has its lock")
        add_list(repository, county, "x")
        assert len(repository.lists()) == 1
        repository.add(county, ["wanmi.toml"], "x", (), ())
        (county / SCRATCH).write_bytes(b"what no drill can build in")
        desk = Desk(county)
        with pytest.raises(Broken, match="The drill failed"):
            backup_drill(desk.office)
        desk.close()
        told = last_drill(county)
        assert told is not None
        assert "broke off" in told.en, "whatever breaks it is noted"
        with hold(county / "backups", "drill"):
            assert "A drill runs on" in wanmi(county, "backup", "drill", code=1)
    finally:
        reading.kill()
        reading.communicate()


@pytest.mark.long
def test_many_look_at_one_repository_and_none_is_sent_away(county: Path, tmp_path: Path) -> None:
    """Each takes its lock away when it is done; to the others that looks like a file that is gone."""
    to = tmp_path / "stick" / "wanmi"
    made = wanmi(county, "backup", "now", "--to", str(to), "--json")
    repository = Repository(str(to), county / KEY, tmp_path / "cache")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: repository.snapshots(), range(16)))
    assert {each.id for kept in found for each in kept} == {made["id"]}
