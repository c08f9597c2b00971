"""The technician's devices and the prefecture in the first visit, and a visit that Ctrl-C cuts off."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.settings import load
from devices.fakes.fake import Moods
from devices.fakes.host import Host
from devices.fakes.novastar import FakeNovaStar
from provisioning.setup.commands import setup
from tests.devices.waiting import until
from tests.homes import SOUTH, STEP, WEST

pytestmark = pytest.mark.sqlite("the first visit makes a home of its own")
MANY = 60_000


def steps(home: Path) -> list[dict[str, str]]:
    """What the list says of every step."""
    told = CliRunner().invoke(setup, ["--json", "--home", str(home)], catch_exceptions=False)
    found: list[dict[str, str]] = json.loads(told.stdout)["steps"]
    return found


def said(home: Path, name: str) -> str:
    """What the list says of a step that is done; empty where it is not."""
    return next(step["zh"] if step["done"] else "" for step in steps(home) if step["step"] == name)


def number_of(home: Path, name: str) -> str:
    """What the technician types to take a step."""
    return str([step["step"] for step in steps(home)].index(name) + 1)


def test_a_wall_is_named_by_its_port_and_one_that_does_not_answer_is_asked_for_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devices.ports.names.ports", list)
    with Host(FakeNovaStar(Moods(silent=True)), paced=False) as dead, Host(FakeNovaStar(), paced=False) as cable:
        typed = [
            number_of(home, "devices"), dead.path, "novastar", "wall", "y", "y", cable.path, "novastar", "", "y", "q",
        ]  # fmt: skip
        shown = CliRunner().invoke(setup, ["--home", str(home)], input="\n".join(typed) + "\n", catch_exceptions=False)
    assert "没有发现串口" in shown.output
    assert "✗" in shown.output, "the dead one is told"
    assert [(device.name, device.driver) for device in load(home).devices] == [("novastar1", "novastar")]
    assert said(home, "devices") == "novastar1(novastar)"


def test_a_device_in_the_answers_is_added_once_however_often_they_are_given(home: Path, tmp_path: Path) -> None:
    with Host(FakeNovaStar(), paced=False) as cable:
        answers = tmp_path / "answers.toml"
        answers.write_text(f'[[devices]]\nport = "{cable.path}"\ndriver = "novastar"\nname = "wall"\n')
        for _ in range(2):
            done = CliRunner().invoke(setup, ["--answers", str(answers), "--home", str(home)], catch_exceptions=False)
            assert done.exit_code == 0, done.output
    assert [device.name for device in load(home).devices] == ["wall"]


@pytest.mark.long
def test_ctrl_c_in_a_large_import_leaves_nothing_of_it_and_the_visit_goes_on_another_day(
    home: Path, tmp_path: Path
) -> None:
    lamps = tmp_path / "lamps.csv"
    rows = [
        f"41108101037{number:06d},01037,路灯,{WEST + STEP / 2:.6f},{SOUTH + STEP / 2:.6f}" for number in range(MANY)
    ]
    lamps.write_text("\n".join(["code,type,name,lon,lat", *rows]) + "\n", encoding="utf-8")
    typed = "\n".join([number_of(home, "census"), str(lamps), "1", "y"]) + "\n"

    def counted() -> int:
        with closing(sqlite3.connect(f"file:{home / 'county.db'}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM part").fetchone()[0])

    before = counted()
    command = [sys.executable, "-m", "appliance", "setup", "--home", str(home)]
    with subprocess.Popen(
        ["env", "--default-signal=INT", *command], stdin=subprocess.PIPE,  # a shell's background jobs ignore Ctrl-C
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONUNBUFFERED": "1"}, text=True,
    ) as visit:  # fmt: skip
        assert visit.stdin is not None
        assert visit.stdout is not None
        visit.stdin.write(typed)
        visit.stdin.flush()
        until(lambda: counted() > before, "the import writes", seconds=60)
        visit.send_signal(signal.SIGINT)
        visit.stdin.close()
        shown = visit.stdout.read()
    assert visit.returncode == 1, shown
    assert counted() == before, "nothing of it is left"
    assert said(home, "county"), "what was done before stays"
    again = CliRunner().invoke(setup, ["--home", str(home)], input="q\n")
    assert again.exit_code == 0, again.output
