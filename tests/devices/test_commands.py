"""`wanmi devices`: what the technician types at the box, from an unknown port to a device that is kept."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tty
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from appliance.settings import load
from devices.configuration import add_device, checked
from devices.errors import BadSetup
from devices.fakes.fake import Moods
from devices.fakes.gnss import FakeGnss
from devices.fakes.host import Host
from devices.fakes.novastar import FakeNovaStar
from devices.fakes.onbon import FakeOnbon
from tests.devices.waiting import until
from tests.shared import shared


def run(*words: str | bytes, home: Path | None = None, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command of the technician, on a machine where other people's drivers may lie in a folder."""
    where = ["--home", str(home)] if home else []
    command = [sys.executable, "-m", "appliance", "devices", *words, *where]
    more = {"PYTHONPATH": str(path)} if path else {}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | more)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_watch_replays_a_recorded_receiver_in_gpsd_s_words() -> None:
    log = shared("devices/gnss-logs/mtk-3329.log")
    data = b"".join(line for line in log.read_bytes().splitlines(keepends=True) if not line.startswith(b"#"))
    master, slave = os.openpty()
    tty.setraw(slave)
    command = [
        sys.executable, "-m", "appliance", "devices", "watch", "--driver", "nmea", "--port", os.ttyname(slave),
        "--baud", "auto", "--json", "--idle-exit", "1.5",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as watching:
        assert watching.stdout is not None
        told = [json.loads(watching.stdout.readline())]
        assert told[0]["class"] == "DEVICE"
        for at in range(0, len(data), 64):
            os.write(master, data[at : at + 64])
        told += lines(watching.stdout.read().decode())
    assert watching.returncode == 0
    os.close(master)
    os.close(slave)
    fixes = [item for item in told if item["class"] == "TPV"]
    assert len(fixes) == 5
    assert all(item["device"] == os.path.realpath(item["device"]) for item in fixes)
    assert fixes[0]["lat"] == pytest.approx(51.484371667, abs=2e-7)
    assert any(item["class"] == "SKY" for item in told)
    assert told[-1] == {"class": "STATS", "accepted": 28, "rejected": 0}


def test_watch_counts_what_is_damaged_and_ends_with_sigterm() -> None:
    with Host(FakeGnss(Moods(noisy=0.01), {"every": 0.1}), paced=False) as cable:
        command = [
            sys.executable,
            "-m",
            "appliance",
            "devices",
            "watch",
            "--port",
            cable.path,
            "--baud",
            "9600",
            "--json",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as watching:
            assert watching.stdout is not None
            for _ in range(12):
                watching.stdout.readline()
            watching.send_signal(signal.SIGTERM)
            stats = lines(watching.stdout.read().decode())[-1]
        assert watching.returncode == 0
        assert stats["class"] == "STATS"
        assert stats["accepted"] > 0
        assert stats["rejected"] > 0


def test_probe_says_what_hangs_where_and_writes_nothing_to_a_receiver() -> None:
    receiver, wall, sign = FakeGnss(options={"every": 0.25}), FakeNovaStar(), FakeOnbon()
    written: list[bytes] = []
    receiver.receive = lambda data: written.append(data) or b""  # type: ignore[method-assign,func-returns-value]
    with Host(receiver) as one, Host(wall, minds_rate=True) as two, Host(sign, minds_rate=True) as three:
        ports = [word for cable in (one, two, three) for word in ("--port", cable.path)]
        told = json.loads(run("probe", *ports, "--listen", "1.0", "--json").stdout)
    assert [item["driver"] for item in told] == ["nmea", "novastar", "onbon"]
    assert [item["rate"] for item in told] == [9600, 115200, 9600]
    assert told[1]["facts"]["model"] == "VX4S"
    assert written == []


def test_a_port_with_nothing_on_it_and_a_port_that_is_none_are_told_in_a_sentence(tmp_path: Path) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    told = json.loads(run("probe", "--port", os.ttyname(slave), "--driver", "nmea", "--listen", "0.3", "--json").stdout)
    assert told[0]["driver"] is None
    assert told[0]["zh"]
    os.write(master, b"\xff\x00\xf0" * 200)
    assert json.loads(run("probe", "--port", str(tmp_path / "no"), "--json").stdout)[0]["en"].startswith("The port")
    os.close(master)
    os.close(slave)
    refused = run("watch", "--port", str(tmp_path / "no"))
    assert refused.returncode == 1
    assert "打不开" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_send_gives_request_and_answer_in_hexadecimal() -> None:
    with Host(FakeNovaStar(), paced=False) as cable:
        told = json.loads(run("send", "--driver", "novastar", "--port", cable.path, "blank", "on", "--json").stdout)
    assert told["request"].startswith("55aa")
    assert "00010002" in told["request"]
    assert told["answer"].startswith("aa55")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("send", "--driver", "novastar", "--port", "/dev/null", "brightness", "101"), 1, "0-100"),
        (("send", "--driver", "novastar", "--port", "/dev/null", "clock"), 1, "没有动作 clock"),
        (("send", "--driver", "linsn", "--port", "/dev/null", "identify"), 1, "没有驱动 linsn"),
        (("send", "--driver", "onbon", "--port", "/dev/null", "-o", "colour=9", "identify"), 1, "colour"),
        (("send", "identify"), 2, "--name"),
        (("send", "--name", "wall", "identify"), 1, "wanmi up"),
        (("watch", "--port", "/dev/null", "--baud", "12"), 2, "300"),
        (("simulate", "--driver", "linsn"), 1, "没有模拟设备"),
        (("simulate", "--driver", "nmea", "-o", "lat=abc"), 1, "lat"),
        (("simulate", "--driver", "nmea", "-o", "every=0"), 1, "0.01"),
        (("simulate", "--driver", "nmea", "-o", "every=nan"), 1, "0.01"),
        (("simulate", "--driver", "nmea", "-o", "log=/nope"), 1, "/nope"),
        (("simulate", "--driver", "nmea", "-o", "log=/dev/zero"), 1, "/dev/zero"),
        (("simulate", "--driver", "nmea", "--link", "/nonexistent/dir/x"), 1, "/nonexistent/dir 不存在"),
        (("simulate", "--driver", "nmea", "--link", "/dev/null"), 1, "/dev/null"),
        (("simulate", "--driver", "novastar", "-o", "panels=[1e9]"), 1, "panels"),
        (("simulate", "--driver", "onbon", "-o", "width=wide"), 1, "width"),
        (("probe", "--driver", "nope"), 1, "没有驱动 nope"),
        (("send", "--driver", "nmea", "--port", "/dev/null", "-o", b"who=\xff", "status"), 2, "who"),
        (("send", "--driver", "nmea", "--port", "/dev/null", "-o", "bbox=[2026-11-26]", "status"), 2, "bbox"),
        (("send", "--driver", "nmea", "--port", "/dev/null", "-o", "who={a=1}", "status"), 2, "who"),
    ],
)  # fmt: skip
def test_a_wrong_command_is_one_sentence_and_reaches_no_device(
    words: tuple[str | bytes, ...], code: int, said: str, tmp_path: Path
) -> None:
    answer = run(*words, home=tmp_path)
    assert answer.returncode == code, answer.stderr
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_device_is_tried_before_it_is_kept(home: Path) -> None:
    with Host(FakeNovaStar(), paced=False) as cable, Host(FakeOnbon(Moods(silent=True)), paced=False) as dead:
        added = run("add", "wall", "--driver", "novastar", "--port", cable.path, "--json", home=home)
        assert added.returncode == 0, added.stderr
        assert json.loads(added.stdout)["tried"]["facts"]["model"] == "VX4S"
        refused = run("add", "strip", "--driver", "onbon", "--port", dead.path, "--baud", "9600", home=home)
        assert refused.returncode == 1
        assert "--no-try" in refused.stderr
        assert run("add", "Strip!", "--driver", "onbon", "--port", dead.path, "--no-try", home=home).returncode == 1
        kept = run("add", "strip", "--driver", "onbon", "--port", dead.path, "--no-try", "-o", "width=64", home=home)
        assert kept.returncode == 0, kept.stderr
    listed = json.loads(run("list", "--json", home=home).stdout)
    assert [(item["name"], item["state"], item["options"]) for item in listed] == [
        ("wall", "not running", {}), ("strip", "not running", {"width": 64}),
    ]  # fmt: skip
    assert "ID_MM" in (text := (home / "run" / "99-wanmi-devices.rules").read_text()) or "no USB adapter" in text
    assert run("remove", "wall", home=home).returncode == 0
    assert [item["name"] for item in json.loads(run("list", "--json", home=home).stdout)] == ["strip"]


def test_a_simulated_device_is_there_until_it_is_ended(tmp_path: Path) -> None:
    link = tmp_path / "car"
    command = [
        sys.executable,
        "-m",
        "appliance",
        "devices",
        "simulate",
        "--driver",
        "nmea",
        "--link",
        str(link),
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as simulated:
        until(link.exists, "the device is there")
        assert simulated.stdout is not None
        assert json.loads(simulated.stdout.readline())["path"] == str(link)
        simulated.send_signal(signal.SIGTERM)
    assert simulated.returncode == 0
    assert not link.exists()


THEIRS = """
from devices.drivers.interface import Action, Driver

class Lamp(Driver):
    key, zh, en = "lamp", "信号灯", "lamp"
    actions = (Action("blank", "on|off", "开关", "switch"),)
"""


BAD = """
from devices.drivers.interface import Action, Driver

class Unmade(Driver):
    key, zh, en = "unmade", "造不出", "unmade"
    def __init__(self, options=None):
        raise ZeroDivisionError("made of nothing")

class Unsaid(Driver):
    key, zh, en = "unsaid", "说不清", "unsaid"
    actions = "none"

class Unasked(Driver):
    key, zh, en = "unasked", "问不得", "unasked"
    actions = (Action("identify", "", "型号", "model", reads=True),)
    def probe(self, line):
        raise KeyError("what was asked")
    def do(self, line, action, value):
        raise LookupError("what was told")
"""


def theirs(folder: Path, entries: str, **modules: str) -> None:
    """Install a third party's drivers into a folder."""
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    metadata = folder / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[wanmi.drivers]\n{entries}")


def test_a_third_party_s_driver_is_found_and_a_broken_one_harms_nobody(tmp_path: Path) -> None:
    entries = "lamp = their_lamp:Lamp\nfault = their_fault:Fault\nno-driver = json:dumps\nunsaid = their_bad:Unsaid\n"
    fault = "raise ImportError('a library is missing')"
    theirs(tmp_path, entries, their_lamp=THEIRS, their_fault=fault, their_bad=BAD)
    known = {item["driver"]: item for item in json.loads(run("drivers", "--json", path=tmp_path).stdout)}
    assert known.keys() >= {"nmea", "novastar", "onbon", "am03127", "alpha", "modem", "raw", "lamp"}
    assert known["lamp"]["zh"] == "信号灯"
    assert "a library is missing" in known["fault"]["error"]
    assert "no driver class" in known["no-driver"]["error"]
    assert "unsaid" in known["unsaid"]["error"]
    assert [name for name, item in known.items() if "error" in item] == ["fault", "no-driver", "unsaid"]


def test_a_probe_tells_which_driver_is_faulty_and_goes_on_with_the_others_and_the_other_ports(tmp_path: Path) -> None:
    theirs(tmp_path, "unmade = their_bad:Unmade\nunasked = their_bad:Unasked\n", their_bad=BAD)
    wanted = [word for name in ("unmade", "unasked", "novastar") for word in ("--driver", name)]
    with Host(FakeGnss(Moods(silent=True)), paced=False) as dead, Host(FakeNovaStar(), paced=False) as wall:
        ports = ("--port", dead.path, "--port", wall.path)
        told = json.loads(run("probe", *ports, *wanted, "--listen", "0.2", "--json", path=tmp_path).stdout)
        sent = run("send", "--driver", "unasked", "--port", wall.path, "--baud", "9600", "identify", path=tmp_path)
        made = run("send", "--driver", "unmade", "--port", wall.path, "--baud", "9600", "identify", path=tmp_path)
    assert [item["driver"] for item in told] == [None, "novastar"]
    assert [fault["driver"] for fault in told[0]["faulty"]] == ["unmade", "unasked"]
    assert "ZeroDivisionError" in told[0]["faulty"][0]["en"]
    for refused, name in ((sent, "unasked"), (made, "unmade")):
        assert refused.returncode == 1
        assert f"驱动 {name} 出错" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_what_looks_like_a_date_is_kept_as_the_text_it_was_written_as(home: Path) -> None:
    words = ("--driver", "nmea", "--port", "/dev/ttyS9", "--no-try")
    assert run("add", "car", *words, "-o", "who=2026-11-26", home=home).returncode == 0
    assert json.loads(run("list", "--json", home=home).stdout)[0]["options"] == {"who": "2026-11-26"}
    by_hand = (home / "wanmi.toml").read_text(encoding="utf-8").replace('"2026-11-26"', "2026-11-26")
    (home / "wanmi.toml").write_text(by_hand, encoding="utf-8")
    assert json.loads(run("list", "--json", home=home).stdout)[0]["options"] == {"who": "2026-11-26"}


@pytest.mark.parametrize("before", ["devices = []", 'devices = [{name = "old", driver = "nmea", port = "/dev/ttyS8"}]'])
def test_a_device_is_added_where_the_devices_stand_in_one_line(before: str, home: Path) -> None:
    file = home / "wanmi.toml"
    file.write_text(f"{before}\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    old = [device.name for device in load(home).devices]
    values = {"name": "car", "driver": "nmea", "port": "/dev/ttyS9", "options": {"who": "car-1"}}
    add_device(home, checked(values))
    assert [device.name for device in load(home).devices] == [*old, "car"]
    assert load(home).devices[-1].options == {"who": "car-1"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "signs"}, "signs"), ({"options": {"who": date(2026, 11, 26)}}, "who"),
        ({"options": {"bbox": [[1, 2]]}}, "bbox"), ({"options": {"who": "\udcff"}}, "who"),
        ({"options": {"every": math.nan}}, "every"),
    ],
)  # fmt: skip
def test_a_device_that_could_not_be_kept_or_addressed_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSetup) as refused:
        checked({"name": "car", "driver": "nmea", "port": "/dev/ttyS9"} | changed)
    assert said in refused.value.zh
    assert said in refused.value.en


@pytest.mark.parametrize("command", ["list", "agent"])
def test_a_home_that_is_no_folder_is_told_in_both_languages(command: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    answer = run(command, home=file)
    assert answer.returncode == 1
    assert "目录" in answer.stderr
    assert "is no home" in answer.stderr


def test_the_agent_writes_nothing_into_a_folder_that_is_no_home(tmp_path: Path) -> None:
    answer = run("agent", home=tmp_path)
    assert answer.returncode == 1
    assert "wanmi init" in answer.stderr
    assert list(tmp_path.iterdir()) == []
