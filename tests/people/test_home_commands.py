"""The technician makes a home and lets people in."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.errors import BadHome, Conflict, Invalid, NotFound, UnknownCode
from appliance.people.keys import find_key
from appliance.people.sessions import Sessions
from appliance.records.store import Records
from provisioning.home_commands import init, keys, users
from tests import homes


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("WANMI_PASSWORD", "yuzhou-2026")
    monkeypatch.setenv("WANMI_HOME", str(tmp_path / "node"))
    monkeypatch.setenv("WANMI_DATABASE_URL", homes.empty_database())
    return CliRunner()


def done(shell: CliRunner, command: object, *arguments: str) -> dict[str, object]:
    result = shell.invoke(command, [*arguments, "--json"], catch_exceptions=False)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def refused(shell: CliRunner, command: object, *arguments: str) -> BaseException:
    result = shell.invoke(command, list(arguments))  # type: ignore[arg-type]
    assert result.exception is not None
    return result.exception


def test_a_home_is_made_once_and_is_private(shell: CliRunner, tmp_path: Path) -> None:
    home = tmp_path / "node"
    assert done(shell, init, "--county", "411081", "--name", "禹州市")["admin"] == "admin"
    records = {"county.db"} if homes.database == "spatialite" else set[str]()
    assert {path.name for path in home.iterdir()} >= {"wanmi.toml", "evidence", "keys", "backups", "log", *records}
    assert stat.S_IMODE((home / "wanmi.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700
    assert isinstance(refused(shell, init, "--county", "411081"), BadHome)


def test_a_wrong_county_code_makes_nothing(shell: CliRunner, tmp_path: Path) -> None:
    assert isinstance(refused(shell, init, "--county", "4110"), Invalid)
    assert not (tmp_path / "node").exists()


def test_a_person_comes_signs_in_and_goes(shell: CliRunner, tmp_path: Path) -> None:
    done(shell, init, "--county", "411081")
    done(shell, users, "add", "s1", "--name", "坐席一", "--roles", "acceptor|dispatcher")
    with_records = Records.open(tmp_path / "node")
    try:
        signed_in = Sessions(with_records).sign_in("s1", "yuzhou-2026")
        assert signed_in.actor.roles == {"acceptor", "dispatcher"}
    finally:
        with_records.close()
    assert isinstance(refused(shell, users, "add", "s1", "--name", "又一", "--roles", "acceptor"), Conflict)
    unknown = refused(shell, users, "add", "s2", "--name", "坐席二", "--roles", "acceptr")
    assert isinstance(unknown, UnknownCode)
    assert "acceptor" in unknown.fields[0].nearest
    done(shell, users, "deactivate", "s1")
    assert [row["account"] for row in done(shell, users, "list", "--role", "acceptor") if row["active"]] == []  # type: ignore[index]


@pytest.mark.parametrize("account", ["key:hall", "clock", "a|b", "two words"])
def test_nobody_gets_the_account_of_a_machine(shell: CliRunner, account: str) -> None:
    """A key named like a person, the clock, or a list of accounts must stay apart from people."""
    done(shell, init, "--county", "411081")
    assert isinstance(refused(shell, users, "add", account, "--name", "某人", "--roles", "acceptor"), Invalid)


def test_a_key_is_told_once_and_can_be_ended(shell: CliRunner, tmp_path: Path) -> None:
    done(shell, init, "--county", "411081")
    key = str(done(shell, keys, "add", "市民通", "--source", "web")["key"])
    assert isinstance(refused(shell, keys, "add", "市民通"), Conflict)
    records = Records.open(tmp_path / "node")
    try:
        with records.read() as connection:
            found = find_key(connection, key)
            assert found is not None
            assert (found.name, found.role, found.source) == ("市民通", "public", "web")
            assert find_key(connection, key + "x") is None
    finally:
        records.close()
    done(shell, keys, "end", "市民通")
    assert isinstance(refused(shell, keys, "end", "市民通"), NotFound)
