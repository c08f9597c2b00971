"""The technician installs the box: every file in its place, units shut tight, an upgrade that fails is taken back.

A scratch folder is the machine; systemd's own tools look at the units in it.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.doctor import examine
from appliance.errors import Broken, Conflict, Invalid, NotFound, WanmiError
from appliance.lock import hold
from appliance.records.store import Records
from provisioning.system import releases, services
from provisioning.system.box import Box
from provisioning.system.commands import system
from provisioning.system.laying import compare, lay
from provisioning.system.services import health_address, wait_for_answer
from provisioning.system.tables import DATA, files, units
from provisioning.system.upgrading import SNAPSHOT
from tests import homes
from tests.faults.disks import disk, needs_disks

needs_systemd = pytest.mark.skipif(
    not (shutil.which("systemd-analyze") and shutil.which("systemd-sysusers")), reason="systemd's tools are not here"
)
needs_accounts = pytest.mark.skipif(
    not shutil.which("systemd-sysusers"), reason="accounts of another file tree are made by systemd-sysusers"
)
SERVICES = [file.source.name for file in files() if file.source.suffix == ".service"]
EXPOSURE = 3.0
"""The highest exposure of a unit that systemd-analyze may find, of 10."""


def called(*arguments: str, code: int = 0) -> Result:
    """What install.sh calls; a refusal is raised."""
    done = CliRunner().invoke(system, list(arguments), standalone_mode=False)
    if isinstance(done.exception, WanmiError):
        raise done.exception
    assert done.exit_code == code, f"{done.exception!r}\n{done.output}"
    return done


def built(box: Box, name: str, doctor: str = "") -> None:
    """A release whose commands are this checkout's; `doctor` is a line of shell that comes before its doctor."""
    folder = box.releases / name / ".venv" / "bin"
    folder.mkdir(parents=True)
    for tool, real in (("python", f"{sys.executable}"), ("wanmi", f"{sys.executable} -m appliance")):
        guard = f'[ "$1" != doctor ] || {{ {doctor}; }}\n' if doctor and tool == "wanmi" else ""
        (folder / tool).write_text(f'#!/bin/sh\n{guard}PYTHONPATH={Path.cwd()} exec {real} "$@"\n', encoding="utf-8")
        (folder / tool).chmod(0o755)


def furnished(box: Box) -> None:
    """The release is installed, and the home is one of a county."""
    called("install", "0.1.0-old", "--root", str(box.root))
    shutil.rmtree(box.home)
    homes.copy_home(box.home)
    lay(box)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A machine with nothing on it but a release that was built."""
    root = Box(tmp_path / "root")
    root.at("/etc").mkdir(parents=True)
    built(root, "0.1.0-old")
    return root


@needs_accounts
def test_a_second_install_changes_nothing_and_what_the_technician_wrote_stays(box: Box) -> None:
    first = called("install", "0.1.0-old", "--root", str(box.root))
    assert "/etc/systemd/system/wanmi.service" in first.stderr
    assert releases.running(box) == "0.1.0-old"
    environment = box.at("/etc/wanmi/environment")
    environment.write_text("WANMI_LISTEN_PORT=9000\n", encoding="utf-8")

    again = called("install", "0.1.0-old", "--root", str(box.root))
    assert "nothing changed" in again.stderr
    assert environment.read_text(encoding="utf-8") == "WANMI_LISTEN_PORT=9000\n"
    assert health_address(box) == "http://127.0.0.1:9000/health"
    assert called("check", "--root", str(box.root)).stdout.count("yours") == 1


@needs_accounts
def test_check_says_what_differs_and_what_is_missing_and_the_install_mends_it(box: Box) -> None:
    called("install", "0.1.0-old", "--root", str(box.root))
    box.at("/etc/systemd/system/wanmi.service").write_text("[Service]\n", encoding="utf-8")
    box.at("/usr/local/bin/wanmi").unlink()

    told = json.loads(called("check", "--json", "--root", str(box.root), code=1).stdout)
    ill = {item["what"]: item["state"] for item in told["items"] if item["state"] not in ("good", "yours")}
    assert ill == {"/etc/systemd/system/wanmi.service": "differs", "/usr/local/bin/wanmi": "missing"}
    called("install", "0.1.0-old", "--root", str(box.root))
    assert all(found.is_well for found in compare(box))


@needs_accounts
def test_check_sees_a_folder_that_others_can_read_or_that_is_somebody_else_s(box: Box) -> None:
    called("install", "0.1.0-old", "--root", str(box.root))
    box.home.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(box.at("/var/lib/wanmi-seat"), 12345, 12345)
    ill = {found.what for found in compare(box) if not found.is_well}
    assert ill == {"/var/lib/wanmi"} | ({"/var/lib/wanmi-seat"} if os.geteuid() == 0 else set())
    called("install", "0.1.0-old", "--root", str(box.root))
    assert all(found.is_well for found in compare(box))


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with systemd: what its tools were asked is in the file; `states` beside it is what they say."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("systemctl", "udevadm"):
        (tools / tool).write_text(
            f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ "$1" != is-active ] || cat {tmp_path}/states\n'
        )
        (tools / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(Box, "has_systemd", True)
    return tmp_path / "asked"


def test_the_screen_is_left_to_who_installs_until_there_is_a_home_and_given_back_at_the_end(
    box: Box, asked: Path
) -> None:
    def restarted() -> str:
        return next(line for line in asked.read_text().splitlines() if line.startswith("restart"))

    services.enable(box)
    assert "wanmi.service" in restarted()
    assert "wanmi-console" not in restarted()
    asked.unlink()
    box.home.mkdir(parents=True)
    (box.home / "wanmi.toml").touch()
    services.enable(box)
    assert "wanmi-console" in restarted()
    services.disable(box)
    assert asked.read_text().splitlines()[-1].endswith("start --no-block getty@tty1")


@needs_accounts
def test_check_is_not_well_where_a_unit_with_a_home_does_not_run(box: Box, asked: Path) -> None:
    states = asked.with_name("states")
    states.write_text("inactive\n" * len(units()))
    called("install", "0.1.0-old", "--root", str(box.root))
    called("check", "--root", str(box.root))  # they wait for a home
    (box.home / "wanmi.toml").touch()
    assert "wanmi-agent.service" in called("check", "--root", str(box.root), code=1).stderr
    states.write_text("active\n" * (len(units()) - 1) + "inactive\n")  # the technician took tty1 for a shell
    called("check", "--root", str(box.root))
    states.write_text("active\n" * (len(units()) - 1) + "failed\n")
    assert "wanmi-console.service" in called("check", "--root", str(box.root), code=1).stderr


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="root becomes another account")
def test_the_command_of_the_box_may_open_serial_ports(tmp_path: Path) -> None:
    """What stands in its place here tells its groups; nobody stands for the account, which only a box has."""
    script = (
        (DATA / "wanmi")
        .read_text(encoding="utf-8")
        .replace("=wanmi ", "=nobody ")
        .replace("regid=nobody", "regid=nogroup")
    )
    (tmp_path / "wanmi").write_text(
        script.replace("/opt/wanmi/current/.venv/bin/wanmi", "/usr/bin/id"), encoding="utf-8"
    )
    done = subprocess.run(["sh", tmp_path / "wanmi", "-Gn"], capture_output=True, text=True, check=False)
    assert sorted(done.stdout.split()) == ["dialout", "nogroup"], done.stderr


@needs_accounts
def test_the_home_belongs_to_the_node_and_the_seat_has_the_console_for_a_shell(box: Box) -> None:
    lay(box)
    accounts = {line.split(":")[0]: line.split(":") for line in box.at("/etc/passwd").read_text().splitlines()}
    assert accounts["seat"][6] == "/usr/local/lib/wanmi/seat"
    assert accounts["wanmi"][5:] == ["/var/lib/wanmi", "/usr/sbin/nologin"]
    assert box.home.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        assert box.home.stat().st_uid == int(accounts["wanmi"][2])
        assert box.at("/etc/wanmi/environment").stat().st_gid == int(accounts["wanmi"][3])


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units(box: Box) -> None:
    lay(box)
    releases.switch(box, "0.1.0-old")
    paths = [str(box.at(f"/etc/systemd/system/{unit.name}")) for unit in units()]
    # what the units start and wait for stands on any machine with systemd; here it is borrowed from this one
    shutil.copytree("/usr/lib/systemd/system", box.at("/usr/lib/systemd/system"), symlinks=True)
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={box.root}", "--man=no", *[Path(path).name for path in paths]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "wanmi" in line]
    assert (ours, done.returncode) == ([], 0), done.stderr


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_is_shut_tight(box: Box, unit: str) -> None:
    lay(box)
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}", f"--root={box.root}",
         unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.splitlines()[-1:] or done.stderr


def test_only_the_agent_the_screen_and_who_asks_the_disks_may_open_devices() -> None:
    opens = {name for name in SERVICES if "DeviceAllow" in (DATA / name).read_text(encoding="utf-8")}
    assert opens == {"wanmi-agent.service", "wanmi-console.service", "wanmi-disk.service"}
    assert all("DevicePolicy=closed" in (DATA / name).read_text(encoding="utf-8") for name in SERVICES)


def test_what_only_root_hears_of_a_disk_is_noted_for_the_doctor(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool, says in (
        ("lsblk", "printf '/dev/sda disk\\n/dev/sda1 part\\n/dev/sdb disk\\n'"),
        ("smartctl", """[ "$3" = /dev/sda ] || exit 2; echo '{"smart_status": {"passed": false}}'; exit 8"""),
    ):
        (tools / tool).write_text(f"#!/bin/sh\n{says}\n")
        (tools / tool).chmod(0o755)
    script = (DATA / "disk-health").read_text().replace("/run/wanmi-disk", str(tmp_path))
    path = f"{tools}:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", script], check=True, env={"PATH": path})
    assert json.loads((tmp_path / "health.json").read_text()) == {
        "/dev/sda": {"smart_status": {"passed": False}}, "/dev/sdb": None,
    }  # fmt: skip
    (tools / "smartctl").write_text("#!/bin/sh\necho only to root >&2\nexit 2\n")
    monkeypatch.setenv("PATH", path)
    monkeypatch.setattr("appliance.machine.disk.NOTED", tmp_path / "health.json")
    monkeypatch.setattr("appliance.machine.checks.device_of", lambda _: "/dev/sda")
    assert [each.result for each in examine(home) if each.check == "machine.disk"] == ["failed"]


def test_every_file_of_the_table_is_there_and_none_is_forgotten() -> None:
    from provisioning.system.accounts import SOURCE
    from provisioning.system.seats import PROFILES

    named = {file.source for file in files()} | {DATA / name for name in PROFILES} | {SOURCE}
    assert named == {path for path in DATA.iterdir() if path.suffix != ".csv"}


@needs_accounts
@pytest.mark.sqlite("the copy of the file is put back")
def test_an_upgrade_that_damages_the_county_is_taken_back_whole(box: Box) -> None:
    furnished(box)
    database = box.home / "county.db"
    lose = f"import sqlite3; c = sqlite3.connect('{database}'); c.execute('DELETE FROM area'); c.commit()"
    built(box, "0.2.0-bad", doctor=f'{sys.executable} -c "{lose}"; echo broken >&2; exit 1')

    with pytest.raises(Conflict, match=r"0\.1\.0-old runs again, the data is as it was.*broken"):
        called("upgrade", "0.2.0-bad", "--root", str(box.root))
    assert releases.running(box) == "0.1.0-old"
    assert all(found.is_well for found in compare(box))
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM area").fetchone()[0] == len(homes.STREETS)
    assert not (box.opt / "upgrading").exists()


@needs_accounts
@pytest.mark.sqlite("the copy of the file is put back")
@pytest.mark.long
def test_what_a_release_answered_before_it_was_taken_back_is_no_loss(box: Box) -> None:
    """It ran for a while, and its doctor found it ill: that the database is older again was meant so."""
    furnished(box)
    script = box.at("/answer.py")
    script.write_text(
        "from pathlib import Path\nfrom appliance.records.store import Records\n"
        f"records = Records.open(Path({str(box.home)!r}))\n"
        "records.write(lambda unit: unit.changed('case', '1'))\nrecords.close()\n"
    )
    built(box, "0.2.0-bad", doctor=f"{sys.executable} {script}; exit 1")
    with pytest.raises(Conflict, match="the data is as it was"):
        called("upgrade", "0.2.0-bad", "--root", str(box.root))
    Records.open(box.home).close()
    assert [each.result for each in examine(box.home) if each.check == "database.answered"] == ["passed"]


@pytest.mark.long
@needs_accounts
@pytest.mark.sqlite("the copy of the file is put back")
def test_when_the_power_went_in_an_upgrade_the_next_one_begins_with_the_county_as_it_was(box: Box) -> None:
    furnished(box)
    built(box, "0.2.0-new")
    shutil.copy(box.home / "county.db", box.home / SNAPSHOT)
    (box.opt / "upgrading").write_text("{}", encoding="utf-8")
    with closing(sqlite3.connect(box.home / "county.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'half'")
        connection.commit()

    assert "put back" in called("upgrade", "0.2.0-new", "--root", str(box.root)).stderr
    assert releases.running(box) == "0.2.0-new"
    assert (box.releases / "0.1.0-old").is_dir(), "the release before stays"
    assert (box.home / SNAPSHOT).stat().st_mode & 0o777 == 0o600
    assert (box.home / "keys" / "agent.key").exists(), "the agent has its key before it starts"
    assert not (box.opt / "upgrading").exists()


@needs_accounts
def test_a_node_that_somebody_started_by_hand_is_not_upgraded_under(box: Box) -> None:
    called("install", "0.1.0-old", "--root", str(box.root))
    built(box, "0.2.0-new")
    with hold(box.home), pytest.raises(Conflict, match="stop it, then upgrade"):
        called("upgrade", "0.2.0-new", "--root", str(box.root))
    assert releases.running(box) == "0.1.0-old"


@pytest.mark.long
@needs_accounts
def test_only_the_release_that_runs_and_the_one_before_stay(box: Box) -> None:
    """One that failed was laid after it, and is not what one goes back to."""
    furnished(box)
    built(box, "0.2.0-bad", doctor="""echo '[{"check": "database.integrity", "result": "failed"}]'; exit 1""")
    with pytest.raises(Conflict, match=r"0\.1\.0-old runs again"):
        called("upgrade", "0.2.0-bad", "--root", str(box.root))
    for name in ("0.3.0-b", "0.4.0-c"):
        built(box, name)
        called("install", name, "--root", str(box.root))
    assert sorted(folder.name for folder in box.releases.iterdir()) == ["0.3.0-b", "0.4.0-c"]


@needs_accounts
def test_a_box_with_a_device_is_upgraded_though_no_agent_runs_meanwhile(box: Box) -> None:
    furnished(box)
    built(box, "0.2.0-new", doctor="""echo '[{"check": "devices.agent", "result": "failed"}]'; exit 1""")
    called("upgrade", "0.2.0-new", "--root", str(box.root))
    assert releases.running(box) == "0.2.0-new"


def answer(box: Box) -> None:
    """Somebody's case is answered."""
    records = Records.open(box.home)
    records.write(lambda unit: unit.changed("case", "1"))
    records.close()


@needs_accounts
@pytest.mark.sqlite("the copy of the file would be put back")
@pytest.mark.parametrize("answers", [True, pytest.param(False, marks=pytest.mark.long)])
def test_what_a_release_answered_stays_though_not_all_of_it_starts(
    box: Box, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    furnished(box)
    built(box, "0.2.0-new")
    answer(box)
    before = changes(box)

    def starts_badly(box: Box) -> None:
        if releases.running(box) == "0.2.0-new":
            if answers:
                answer(box)
            raise Broken("控制台起不来", "the console does not start")

    monkeypatch.setattr(services, "start", starts_badly)
    said = "has answered cases, so its data stays" if answers else "runs again, the data is as it was"
    with pytest.raises(Conflict, match=f"{said}.*the console does not start"):
        called("upgrade", "0.2.0-new", "--root", str(box.root))
    assert releases.running(box) == ("0.2.0-new" if answers else "0.1.0-old")
    assert (changes(box) > before) == answers


def changes(box: Box) -> int:
    with closing(sqlite3.connect(box.home / "county.db")) as connection:
        return int(connection.execute("SELECT last FROM feed").fetchone()[0])


@pytest.mark.long
@needs_accounts
@pytest.mark.sqlite("the copy of the file would be put back")
def test_when_the_power_went_after_the_new_release_was_in_force_its_cases_stay(box: Box) -> None:
    furnished(box)
    shutil.copy(box.home / "county.db", box.home / SNAPSHOT)
    with closing(sqlite3.connect(box.home / SNAPSHOT)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'older'")
        connection.commit()
    (box.opt / "upgrading").write_text('{"old": "0.0.9", "new": "0.1.0-old"}', encoding="utf-8")
    answer(box)
    before = changes(box)
    built(box, "0.2.0-new")
    called("upgrade", "0.2.0-new", "--root", str(box.root))
    assert changes(box) == before


@needs_disks
@needs_accounts
@pytest.mark.sqlite("it is about the size of the file")
def test_an_upgrade_that_would_fill_the_disk_is_refused_before_anything_stops(box: Box) -> None:
    called("install", "0.1.0-old", "--root", str(box.root))
    shutil.rmtree(box.home)
    with disk(box.home, 28):
        homes.copy_home(box.root / "home")
        for path in (box.root / "home").iterdir():
            shutil.move(path, box.home / path.name)
        size = (box.home / "county.db").stat().st_size
        with (box.home / "filler").open("wb") as filler:
            filler.write(bytes(shutil.disk_usage(box.home).free - size * 3 // 2))
        built(box, "0.2.0-new")
        with pytest.raises(Conflict, match="make room on the disk"):
            called("upgrade", "0.2.0-new", "--root", str(box.root))
        assert releases.running(box) == "0.1.0-old"


def test_a_release_that_was_not_built_is_refused(box: Box) -> None:
    with pytest.raises(NotFound, match=r"install\.sh"):
        called("install", "0.9.9-none", "--root", str(box.root))
    with pytest.raises(NotFound, match="not installed"):
        called("upgrade", "0.1.0-old", "--root", str(box.root))


@needs_accounts
def test_uninstall_keeps_the_data_and_purge_asks_before_it_deletes(box: Box) -> None:
    called("install", "0.1.0-old", "--root", str(box.root))
    (box.home / "wanmi.toml").write_text("", encoding="utf-8")
    with pytest.raises(Invalid, match="--yes"):
        called("remove", "--purge", "--root", str(box.root))
    assert (box.opt / "current").exists(), "refused before anything was removed"

    assert "accounts, packages stay" in called("remove", "--root", str(box.root)).stderr
    assert (box.home / "wanmi.toml").exists()
    assert [file.path for file in files() if box.at(file.path).exists()] == [
        "/etc/wanmi/environment",
        "/etc/wanmi/seat",
    ]
    called("remove", "--purge", "--yes", "--root", str(box.root))
    assert not box.home.exists()
    assert not box.at("/etc/wanmi").exists()


def test_purge_tells_that_data_elsewhere_stays(box: Box, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    box.at("/var/lib").mkdir(parents=True)
    box.home.symlink_to(tmp_path / "second")
    said = called("remove", "--purge", "--yes", "--root", str(box.root)).stderr
    assert f"{tmp_path / 'second'} 仍在" in said
    assert (tmp_path / "second").is_dir()
    assert not box.home.is_symlink()


@needs_disks
def test_purge_empties_a_disk_that_is_mounted_as_the_home(box: Box) -> None:
    box.home.mkdir(parents=True)
    with disk(box.home, 1):
        (box.home / "keys").mkdir()
        (box.home / "keys" / "backup.key").write_text("secret")
        assert "a disk is mounted there" in called("remove", "--purge", "--yes", "--root", str(box.root)).stderr
        assert list(box.home.iterdir()) == []


@needs_accounts
def test_an_upgrade_whose_units_do_not_stop_changes_nothing(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    called("install", "0.1.0-old", "--root", str(box.root))
    built(box, "0.2.0-new")
    started = []

    def does_not_stop(box: Box) -> None:
        raise Broken("停不下来", "it does not stop")

    monkeypatch.setattr(services, "stop", does_not_stop)
    monkeypatch.setattr(services, "start", started.append)
    with pytest.raises(Conflict, match=r"0\.1\.0-old runs on: it does not stop"):
        called("upgrade", "0.2.0-new", "--root", str(box.root))
    assert started == [box], "what did stop runs again"
    assert releases.running(box) == "0.1.0-old"


def test_seats_get_profiles_with_the_address_of_the_box(tmp_path: Path) -> None:
    called("seats", "--address", "192.168.1.10", str(tmp_path))
    terminal = json.loads((tmp_path / "windows-terminal.json").read_text(encoding="utf-8"))
    assert terminal["profiles"][0]["commandline"] == "ssh -t seat@192.168.1.10"
    putty = (tmp_path / "putty.reg").read_bytes()
    assert b'"HostName"="192.168.1.10"\r\n' in putty
    with pytest.raises(Invalid, match="no host name"):
        called("seats", "--address", "a; rm -rf /", str(tmp_path))


def test_a_screen_that_cannot_show_chinese_says_so_in_plain_letters(tmp_path: Path) -> None:
    """The machine has no kmscon, and nobody presses Enter."""
    for tool in ("sh", "hostname"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or f"/usr/bin/{tool}")
    done = subprocess.run(
        ["sh", DATA / "tty1"], env={"PATH": str(tmp_path)}, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    said = done.stdout.decode("ascii")
    assert "cannot show Chinese" in said
    assert "ssh seat@" in said


def test_a_node_that_does_not_answer_after_an_upgrade_is_told_with_its_address(tmp_path: Path) -> None:
    with pytest.raises(Broken, match=r"did not answer at http://127\.0\.0\.1:9/health"):
        wait_for_answer(Box(tmp_path), "http://127.0.0.1:9/health", seconds=0.2)
