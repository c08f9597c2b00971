"""Receivers: the NMEA decoder beside another one, sixteen ports at once, and how soon a fix is on the map."""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter, process_time, sleep

import httpx
import pynmeagps

from appliance.people.agent_key import ensure_agent_key
from devices.codecs.nmea.epoch import Decoder
from devices.codecs.nmea.framing import encode
from devices.configuration import add_device, checked
from devices.fakes.gnss import FakeGnss
from tests import homes
from tests.nodes import RunningNode

SECONDS = 800
TURNS = 5
FASTER = 4.0
PORTS = 16
WATCHED_SECONDS = 20.0
SHARE_OF_A_CORE = 0.10
FIXES = 20
FIX_SECONDS = 1.0
TICKS = os.sysconf("SC_CLK_TCK")


def measure(folder: Path) -> bool:
    """All three; whether the bounds hold."""
    held = _decoding()
    home = homes.copy_home(folder / "receivers")
    ports = folder / "receiver-ports"
    ports.mkdir()
    node = RunningNode(home).start()
    try:
        held &= _sixteen_ports(home, node, ports)
        held &= _fix_to_map(home, node, ports)
    finally:
        node.stop()
    return held


def _decoding() -> bool:
    """Mixed sentences of a drive, epochs included, in pieces as a port gives them; nothing comes twice."""
    data = drive(SECONDS)
    sentences = data.count(b"\n")
    ours, theirs = [], []
    for _ in range(TURNS):
        began = process_time()
        decoder = Decoder()
        for at in range(0, len(data), 512):
            decoder.feed(data[at : at + 512])
        decoder.flush()
        ours.append(sentences / (process_time() - began))
        assert decoder.accepted == sentences
        began = process_time()
        read = sum(1 for _ in pynmeagps.NMEAReader(io.BytesIO(data)))
        theirs.append(read / (process_time() - began))
        assert read == sentences
    ratio = median(ours) / median(theirs)
    print(f"NMEA with epochs             {median(ours):8.0f} sentences/s, pynmeagps {median(theirs):.0f} (no epochs)")
    print(f"  ratio                      {ratio:8.2f} x   (aim ≥ {FASTER:g})")
    return ratio >= FASTER


def drive(seconds: int) -> bytes:
    """What a receiver of two systems says on a drive: sentences of all kinds, with values that change."""
    fake, said = FakeGnss(), b""
    for second in range(seconds):
        heard = fake.talk(1.0)
        time = heard.split(b",")[1].decode()
        said += heard + encode(
            "GN", "VTG", (f"{second % 360}.0", "T", "", "M", "9.7", "N", f"{second % 97}.0", "K", "A")
        )
        said += encode("GN", "ZDA", (time, "26", "11", "2026", "00", "00"))
        said += encode("GN", "GST", (time, "1.2", "", "", "", f"0.{second % 90 + 10}", "0.7", "1.9"))
        for talker, parts in (("GP", 3), ("GB", 2)):
            for part in range(parts):
                numbers = range(part * 4 + 1, part * 4 + 5)
                satellites = [
                    field
                    for number in numbers
                    for field in (f"{number:02}", f"{(second // 30 + number * 7) % 90:02}",
                                  f"{(second // 20 + number * 31) % 360:03}", f"{20 + (second + number) % 30:02}")
                ]  # fmt: skip
                said += encode(talker, "GSV", (str(parts), str(part + 1), f"{parts * 4:02}", *satellites))
    return said


def _sixteen_ports(home: Path, node: RunningNode, ports: Path) -> bool:
    """Sixteen receivers at once, once a second each; the fakes live in another process."""
    for number in range(PORTS):
        values = {"name": f"car{number}", "driver": "nmea", "port": str(ports / f"car{number}"), "baud": 9600}
        add_device(home, checked(values))
    with _receivers(ports), _agent(home, node) as agent:
        client = node.client("z1")
        ends = monotonic() + 60
        while len(client.get("/api/v1/positions").json()["items"]) < PORTS:
            assert monotonic() < ends, "not all receivers are on the map"
            sleep(0.2)
        before, began = cpu_seconds(agent.pid), perf_counter()
        sleep(WATCHED_SECONDS)
        share = (cpu_seconds(agent.pid) - before) / (perf_counter() - began)
        memory = int(Path(f"/proc/{agent.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    print(f"{PORTS} ports at once, 1 Hz each   {share:8.1%} of one core (aim ≤ {SHARE_OF_A_CORE:.0%}), {memory:.0f} MB")
    return share <= SHARE_OF_A_CORE


def _fix_to_map(home: Path, node: RunningNode, ports: Path) -> bool:
    """From the last byte of a second's sentences on the wire to the answer of the map's route."""
    master, slave = os.openpty()
    tty.setraw(slave)
    (ports / "probe").symlink_to(os.ttyname(slave))
    add_device(home, checked({"name": "probe", "driver": "nmea", "port": str(ports / "probe"), "baud": 9600}))
    fake, took = FakeGnss(options={"speed": 7}), []
    client = node.client("z1")
    with _agent(home, node):
        _say_until_seen(fake, master, client)
        for _ in range(FIXES):
            sleep(1.05)
            os.write(master, fake.talk(1.0))
            began = perf_counter()
            place = fake.place(fake.seconds)
            while not _seen(client, place):
                assert perf_counter() - began < 30, "a fix did not come"
            took.append(perf_counter() - began)
    os.close(master)
    os.close(slave)
    took.sort()
    worst = took[int(len(took) * 0.95)]
    print(
        f"fix to map                   p50 {took[len(took) // 2]:.2f} s, p95 {worst:.2f} s   (aim ≤ {FIX_SECONDS:g} s)"
    )
    return worst <= FIX_SECONDS


def _seen(client: httpx.Client, place: tuple[float, float]) -> bool:
    items = client.get("/api/v1/positions").json()["items"]
    return any(
        item["who"] == "probe" and abs(item["lat"] - place[0]) < 1e-6 and abs(item["lon"] - place[1]) < 1e-6
        for item in items
    )


def _say_until_seen(fake: FakeGnss, master: int, client: httpx.Client) -> None:
    """Talk once a second until the agent listens; nobody listens to what a receiver says before that."""
    ends = monotonic() + 60
    while monotonic() < ends:
        os.write(master, fake.talk(1.0))
        select.select([], [], [], 1.0)
        if _seen(client, fake.place(fake.seconds)):
            return
    raise AssertionError("the agent does not listen")


@contextmanager
def _agent(home: Path, node: RunningNode) -> Iterator[subprocess.Popen[bytes]]:
    ensure_agent_key(home)
    command = [sys.executable, "-m", "appliance", "devices", "agent", "--home", str(home), "--node", node.url]
    with _ended(subprocess.Popen(command, stderr=subprocess.DEVNULL)) as process:
        yield process


@contextmanager
def _receivers(ports: Path) -> Iterator[None]:
    with _ended(subprocess.Popen([sys.executable, "-m", "tests.bench.many_receivers", str(ports), str(PORTS)])):
        ends = monotonic() + 30
        while not all((ports / f"car{number}").exists() for number in range(PORTS)):
            assert monotonic() < ends, "the receivers are not there"
            sleep(0.05)
        yield


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
