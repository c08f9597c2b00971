"""A port and its owner: the rate is found, what goes away comes back, one dead device harms nobody."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from devices.drivers.gnss import Gnss
from devices.drivers.interface import Driver, Event, Facts, Line
from devices.errors import BadSetup, DeviceError, NoAnswer, PortBusy, PortLost, PortMissing
from devices.fakes.fake import Fake
from devices.fakes.gnss import FakeGnss
from devices.fakes.host import Host
from devices.ports import udev
from devices.ports.hunting import Hunt
from devices.ports.line import Echo, SerialLine
from devices.ports.names import Port, holders, is_lasting
from devices.ports.owner import PortOwner
from devices.ports.recording import Recorder
from tests.devices.waiting import until


class Parrot(Fake):
    """Gives every line back."""

    key = "parrot"
    rate = 57600

    def receive(self, data: bytes) -> bytes:
        return data.upper()


class Asking(Driver):
    """Asks the parrot."""

    key = "asking"
    zh = en = "parrot"
    rates = (9600, 57600, 115200)

    def probe(self, line: Line) -> Facts | None:
        try:
            return self.do(line, "ask", "probe")
        except NoAnswer:
            return None

    def do(self, line: Line, action: str, value: str | None) -> Facts:
        if action == "break":
            raise RuntimeError("a fault of the driver")
        said = f"{value}\n".encode()
        answer = bytearray()

        def wanted(piece: bytes) -> bool:
            answer.extend(piece)
            return bytes(answer) == said.upper()

        line.ask(said, lambda data: [data], wanted, 0.3)
        return {"answer": answer.decode().strip()}


@contextmanager
def owned(path: str | Path, driver: Driver, **more: Any) -> Iterator[tuple[PortOwner, queue.SimpleQueue[Event]]]:
    """The owner of a port, and the events it tells."""
    news: queue.SimpleQueue[Event] = queue.SimpleQueue()
    owner = PortOwner("device", str(path), driver, lambda _name, event: news.put(event), **more)
    owner.start()
    try:
        yield owner, news
    finally:
        owner.close()


def wait_for(news: queue.SimpleQueue[Event], kind: str, **facts: Any) -> Event:
    """The next event of a kind with these facts."""
    ends = time.monotonic() + 25
    while True:
        event = news.get(timeout=max(ends - time.monotonic(), 0.01))
        if event.kind == kind and all(event.facts.get(key) == value for key, value in facts.items()):
            return event


def test_the_rate_of_a_receiver_is_found_by_listening_and_nothing_is_written_to_it() -> None:
    fake = FakeGnss()
    fake.rate = 38400  # type: ignore[misc]  # this receiver is set to another rate
    with Host(fake, minds_rate=True) as cable:
        driver = Gnss()
        driver.rates = (9600, 38400)  # type: ignore[misc]  # two are enough for the story
        with owned(cable.path, driver) as (owner, news):
            wait_for(news, "HEALTH", state="3d")
            assert owner.rate == 38400
            assert owner.counters.bytes_out == 0


def test_the_rate_of_an_answering_device_is_found_by_its_probe() -> None:
    with Host(Parrot(), minds_rate=True) as cable, owned(cable.path, Asking()) as (owner, news):
        assert wait_for(news, "PORT", state="open").facts["rate"] == 57600
        assert owner.do("ask", "who").result(5).facts == {"answer": "WHO"}


def test_an_unplugged_receiver_is_found_again_behind_its_lasting_name(tmp_path: Path) -> None:
    link = tmp_path / "usb-receiver"
    with Host(FakeGnss(options={"every": 0.2}), link) as cable, owned(link, Gnss(), rate=9600) as (owner, news):
        wait_for(news, "TPV")
        first = cable.path
        keeper = os.openpty()  # takes the number, so that the adapter comes back under another one
        cable.unplug()
        wait_for(news, "PORT", state="port-lost")
        with pytest.raises(DeviceError):
            owner.do("status").result(1)
        cable.plug_in()
        wait_for(news, "TPV")
        assert owner.counters.opened == 2
        assert owner.counters.lost == 1
        for descriptor in keeper:
            os.close(descriptor)
        assert first


def test_a_device_that_is_not_there_costs_an_answer_at_once_and_no_processor_time(tmp_path: Path) -> None:
    with owned(tmp_path / "nothing", Asking()) as (owner, news):
        assert "nothing" in wait_for(news, "PORT", state="port-missing").facts["zh"]
        with pytest.raises(PortMissing):
            owner.do("ask", "who").result(1)
        used = time.process_time()
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 1.0)
        assert time.process_time() - used < 0.5


def test_a_port_has_one_owner_and_strangers_are_named() -> None:
    with Host(Parrot()) as cable, SerialLine.open(cable.path, 57600) as line:
        with pytest.raises(PortBusy, match="Another program"):
            SerialLine.open(cable.path, 57600)
        with serial.Serial(cable.path, 57600):
            assert os.getpid() in [pid for pid, _ in holders(cable.path)]
        line.write(b"ok")
        assert line.read(2)


def test_a_receiver_that_falls_silent_has_its_port_opened_anew() -> None:
    fake = FakeGnss(options={"every": 0.2})
    with Host(fake) as cable:
        driver = Gnss()
        driver.silent_seconds = 1.5  # type: ignore[misc]  # ten seconds are long in a test
        with owned(cable.path, driver, rate=9600) as (owner, news):
            wait_for(news, "TPV")
            fake.moods.silent = True
            assert "没有数据" in wait_for(news, "PORT", state="port-lost").facts["zh"]
            fake.moods.silent = False
            wait_for(news, "TPV")
            assert owner.counters.opened >= 2


def test_a_fault_of_a_driver_is_the_answer_to_one_command_and_to_no_other() -> None:
    with Host(Parrot()) as cable, owned(cable.path, Asking(), rate=57600) as (owner, news):
        wait_for(news, "PORT", state="open")
        with pytest.raises(RuntimeError):
            owner.do("break").result(5)
        assert owner.do("ask", "again").result(5).facts == {"answer": "AGAIN"}


class Broken(Gnss):
    """Fails whenever it hears something."""

    def heard(self, data: bytes, at: float) -> list[Event]:
        raise ZeroDivisionError("a fault of the driver")


def test_a_driver_that_fails_at_every_byte_is_told_and_the_port_goes_on() -> None:
    with Host(FakeGnss(options={"every": 0.2})) as cable, owned(cable.path, Broken(), rate=9600) as (owner, news):
        assert "ZeroDivisionError" in wait_for(news, "PORT", state="device").facts["en"]
        until(lambda: owner.counters.opened >= 2)


def test_a_line_that_went_away_says_so_whatever_was_asked() -> None:
    with Host(Parrot()) as cable, SerialLine.open(cable.path, 57600) as line:
        cable.unplug()
        for attempt in (lambda: line.read(1), lambda: line.write(b"x")):
            with pytest.raises(PortLost):
                attempt()
        with pytest.raises(PortMissing):
            SerialLine.open(cable.path, 57600)
    with pytest.raises(BadSetup, match="framing"):
        SerialLine.open("/dev/null", 9600, "9X9")


@given(
    st.binary(min_size=1, max_size=30), st.binary(max_size=30), st.lists(st.integers(1, 8), max_size=60), st.booleans()
)
def test_an_echo_is_dropped_and_an_answer_never_is(
    request: bytes, answer: bytes, cuts: list[int], echoes: bool
) -> None:
    """In any pieces; an answer that begins like the echo of its request comes whole."""
    stream = (request if echoes else b"") + answer
    if not echoes and answer.startswith(request):
        return  # such an answer cannot be told from an echo
    echo, left = Echo(request), b""
    for size in [*cuts, len(stream)]:
        piece, stream = stream[:size], stream[size:]
        if piece:
            left += echo.without(piece)
    assert left + echo.rest() == answer


def test_the_hunt_for_a_rate_begins_with_the_last_good_one_and_silence_moves_nothing() -> None:
    hunt = Hunt((9600, 115200, 38400), first=38400)
    assert hunt.rate == 38400
    assert not any(hunt.step(second, 0, 0) for second in range(60))
    assert hunt.rate == 38400
    assert not hunt.step(60, 0, 100)
    assert hunt.step(64, 0, 100)
    assert hunt.rate == 9600
    assert hunt.step(64.1, 0, 5000), "a buffer of noise says as much as the time"
    assert not hunt.step(65, 2, 100)
    assert hunt.found
    assert not hunt.step(70, 2, 500), "a found rate is not given up at the first noise"
    assert hunt.step(90, 2, 500)


def test_what_a_receiver_said_is_kept_as_a_log_that_a_test_can_replay(tmp_path: Path) -> None:
    file = tmp_path / "receiver.log"
    with (
        Host(FakeGnss(), paced=False) as cable,
        SerialLine.open(cable.path, 9600) as line,
        Recorder(file, "Fake 1", cable.path, 9600, "8N1", "at\nrest") as recorder,
    ):
        line.taps.append(recorder.hear)
        until(lambda: line.read(0.2) and line.counters.bytes_in > 200)
    text = file.read_bytes()
    assert text.startswith(b"# Name: Fake 1\n")
    assert b"# Notes: at rest\n" in text
    replayed = FakeGnss(options={"log": str(file)})
    assert replayed.talk(1.0).startswith(b"$GNGGA")
    with pytest.raises(FileExistsError):
        Recorder(file, "", "", 0, "", "")


HOSTILE = 'A", RUN+="/bin/sh'


@pytest.mark.parametrize("serial_number", [HOSTILE, "A*", 'x\nKERNEL=="sda", MODE="0666"', "中"])
def test_an_adapter_whose_serial_number_is_a_rule_writes_none(serial_number: str) -> None:
    port = Port("/dev/ttyUSB0", "/dev/ttyUSB0", "", 0x1A86, 0x7523, serial_number)
    comment, *rules = udev.rule("wall", port, modem=False).split("\n")
    assert len(rules) == 1
    assert serial_number not in comment + rules[0]
    assert "serial" not in rules[0]
    assert 'ATTRS{idProduct}=="7523"' in rules[0]
    assert "serial number" in comment
    plain = replace(port, serial_number="FT-0.1:A_9")
    assert 'ATTRS{serial}=="FT-0.1:A_9"' in udev.rule("wall", plain, modem=False)


def test_no_name_or_path_ends_the_comment_of_a_rule() -> None:
    here = 'x\rKERNEL=="sda"\n\u2028y'
    for port in (Port(here, here, ""), Port(here, here, "", 1, 2)):
        lines = udev.rule(here, port, modem=True).splitlines()
        assert len(lines) == (1 if port.vendor is None else 2)
        assert lines[0].startswith("# ")


def test_names_that_change_are_told_apart() -> None:
    assert is_lasting("/dev/serial/by-id/usb-FTDI-if00")
    assert is_lasting("/dev/ttyS0")
    assert not is_lasting("/dev/ttyUSB0")
