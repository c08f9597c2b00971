"""`wanmi devices`: what the technician types at the box, from an unknown port to a device that is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tty
from pathlib import Path
from typing import Any

import pytest

from devices.fakes.fake import Moods
from devices.fakes.gnss import FakeGnss
from devices.fakes.host import Host
from devices.fakes.novastar import FakeNovaStar
from devices.fakes.onbon import FakeOnbon
from tests.devices.waiting import until
from tests.shared import shared


def run(*words: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command of the technician."""
    where = ["--home", str(home)] if home else []
    command = [sys.executable, "-m", "appliance", "devices", *words, *where]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


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
    ],
)  # fmt: skip
def test_a_wrong_command_is_one_sentence_and_reaches_no_device(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path
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


def test_a_third_party_s_driver_is_found_and_a_broken_one_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "their_lamp.py").write_text(THEIRS, encoding="utf-8")
    (tmp_path / "their_fault.py").write_text("raise ImportError('a library is missing')", encoding="utf-8")
    metadata = tmp_path / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    entries = "[wanmi.drivers]\nlamp = their_lamp:Lamp\nfault = their_fault:Fault\nno-driver = json:dumps\n"
    (metadata / "entry_points.txt").write_text(entries)
    command = [sys.executable, "-m", "appliance", "devices", "drivers", "--json"]
    answer = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(tmp_path)}
    )
    known = {item["driver"]: item for item in json.loads(answer.stdout)}
    assert known.keys() >= {"nmea", "novastar", "onbon", "am03127", "alpha", "modem", "raw", "lamp"}
    assert known["lamp"]["zh"] == "信号灯"
    assert "a library is missing" in known["fault"]["error"]
    assert "no driver class" in known["no-driver"]["error"]
    assert [name for name, item in known.items() if "error" in item] == ["fault", "no-driver"]
