"""The technician backs the county up, and brings it back from what he backed up."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance import cli
from appliance.cases.evidence import UPLOAD
from appliance.doctor import examine
from appliance.errors import WanmiError
from appliance.exchange.reading import feed_state
from appliance.records.store import Records, glance
from appliance.settings import load
from backups.snapshot import repository_of
from tests import homes
from tests.cases.desk import Desk
from tests.nodes import RunningNode

pytestmark = [
    pytest.mark.skipif(shutil.which("restic") is None, reason="restic is not installed"),
    pytest.mark.sqlite("it copies the SQLite file"),
]


def wanmi(home: Path, *arguments: str, code: int = 0) -> Any:
    """A command of the technician; what it told as JSON, or its refusal."""
    done = CliRunner().invoke(cli.wanmi, [*arguments, "--home", str(home)], standalone_mode=False)
    refused = done.exception if isinstance(done.exception, WanmiError) else None
    assert (1 if refused else done.exit_code) == code, f"{done.exception!r}\n{done.output}"
    if refused is not None:
        return refused.en
    return json.loads(done.stdout) if "--json" in arguments else done.stderr


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A home with a case and a photo, whose backups go into a folder."""
    home = homes.copy_home(tmp_path / "home")
    desk = Desk(home)
    desk.to_closed()
    desk.close()
    (home / "evidence" / "ab").mkdir(parents=True, exist_ok=True)
    (home / "evidence" / "ab" / "photo").write_bytes(b"\xff\xd8 a pothole" * 1000)
    file = home / "wanmi.toml"
    file.write_text(file.read_text() + f'\n[backup]\nto = "{tmp_path / "stick" / "wanmi"}"\n')
    return home


def cases(home: Path) -> list[str]:
    with glance(home) as connection:
        return [str(number) for number in connection.exec_driver_sql("SELECT number FROM cases ORDER BY id").scalars()]


def findings(home: Path) -> dict[str, str]:
    return {found.check: found.result for found in examine(home) if found.check.startswith("backups")}


def test_a_county_is_backed_up_verified_drilled_and_restored(county: Path, tmp_path: Path) -> None:
    assert findings(county) == {"backups.age": "failed", "backups.drill": "warning"}
    coming_in = county / "evidence" / f"{UPLOAD}7"
    coming_in.write_bytes(b"half a photo")
    made = wanmi(county, "backup", "now", "--json")
    assert {"id", "rows", "bytes", "seconds", "cursor"} <= made.keys()
    listed = wanmi(county, "backup", "list", "--json")["items"]
    assert [each["id"] for each in listed] == [made["id"]]
    assert wanmi(county, "backup", "verify", made["id"], "--json")["rows"] == made["rows"]
    told = wanmi(county, "backup", "drill", "--json")
    assert (told["ok"], told["snapshot"], told["rows"]) == (True, made["id"], made["rows"])
    assert findings(county) == {"backups.age": "passed", "backups.drill": "passed"}
    assert not (county / "backups" / "drill").exists(), "the scratch home is gone"
    assert not (county / "backups" / "copy").exists()

    new = tmp_path / "new"
    wanmi(county, "backup", "restore", "latest", "--into", str(new), "--json")
    assert cases(new) == cases(county)
    assert (new / "evidence" / "ab" / "photo").read_bytes() == (county / "evidence" / "ab" / "photo").read_bytes()
    assert (new / "wanmi.toml").read_text() == (county / "wanmi.toml").read_text()
    listed = repository_of(county, load(county)).names(made["id"])
    assert "/evidence/ab/photo" in listed
    assert f"/evidence/{coming_in.name}" not in listed, "it would go away while restic looks at it"
    assert "/keys/backup.key" not in listed, "the key of the repository is not in the repository"
    assert (new / "keys" / "backup.key").read_text() == (county / "keys" / "backup.key").read_text()
    assert wanmi(new, "backup", "now", "--json")["id"] != made["id"], "the next night goes where the others are"
    with glance(county) as old, glance(new) as restored:
        assert feed_state(old).name != feed_state(restored).name, "no number means two things to a platform"
    records = Records.open(new)
    records.close()


def test_the_home_is_lost_and_the_sheet_brings_it_back(county: Path, tmp_path: Path) -> None:
    wanmi(county, "backup", "now", "--json")
    page = tmp_path / "sheet.html"
    wanmi(county, "backup", "sheet", str(page))
    key = tmp_path / "key.txt"
    key.write_text((county / "keys" / "backup.key").read_text())
    assert key.read_text().strip() in page.read_text()
    assert page.stat().st_mode & 0o077 == 0
    numbers, repository = cases(county), str(tmp_path / "stick" / "wanmi")
    shutil.rmtree(county)
    listed = wanmi(county, "backup", "list", "--to", repository, "--key", str(key), "--json")["items"]
    wanmi(county, "backup", "restore", listed[0]["id"], "--into", str(county), "--to", repository, "--key", str(key))
    assert cases(county) == numbers


def test_a_snapshot_while_the_node_works_is_one_moment(county: Path) -> None:
    """Cases come in all the time; what is restored is whole: every case with its history and its feed rows."""
    node = RunningNode(county).start()
    try:
        reporting = subprocess.Popen(
            [sys.executable, "-c", REPORTING, node.url, node.client("s1").headers["Authorization"]],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert reporting.stdout is not None
        assert reporting.stdout.readline()
        made = wanmi(county, "backup", "now", "--json")
        reporting.kill()
        reporting.communicate()
        assert wanmi(county, "backup", "drill", "--json")["ok"] is True
        assert made["cursor"] > 0
    finally:
        node.stop()


REPORTING = """
import sys, httpx
client = httpx.Client(base_url=sys.argv[1], headers={"Authorization": sys.argv[2]})
for n in range(2000):
    client.post("/api/v1/cases", json={"source": "hotline_12319", "kind": "part", "code": "01002", "lon": 113.4005,
                "lat": 34.1005, "description": "x"}).raise_for_status()
    print(n, flush=True)
"""


def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_harmed(county: Path, tmp_path: Path) -> None:
    made, repository = wanmi(county, "backup", "now", "--json"), tmp_path / "stick" / "wanmi"
    other = tmp_path / "other.txt"
    other.write_text("AAAAA-BBBBB\n")
    said = wanmi(county, "backup", "list", "--to", str(repository), "--key", str(other), code=1)
    assert "key is wrong" in said
    assert "no such snapshot" in wanmi(county, "backup", "verify", "00000000", code=1)
    assert "not empty" in wanmi(county, "backup", "restore", made["id"], "--into", str(county), code=1)
    assert "there is no repository" in wanmi(county, "backup", "list", "--to", str(tmp_path / "x"), code=1).lower()
    assert "is plugged in" in wanmi(county, "backup", "now", "--to", "disk:WANMI-X/b", code=1)
    pack = max((repository / "data").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(content)
    assert "damaged" in wanmi(county, "backup", "verify", made["id"], code=1)
    new = tmp_path / "new"
    wanmi(county, "backup", "restore", made["id"], "--into", str(new), code=1)
    assert not new.exists(), "nothing half restored"
    assert list(tmp_path.glob(".new*")) == []


@pytest.mark.long
def test_a_home_and_a_stick_that_are_named_from_where_one_stands(
    county: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = wanmi(Path("home"), "backup", "now", "--to", "other/stick", "--json")
    wanmi(Path("home"), "backup", "restore", made["id"], "--to", "other/stick", "--into", "new")
    assert cases(tmp_path / "new") == cases(county)
