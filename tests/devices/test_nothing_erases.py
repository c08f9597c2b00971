"""No action of any driver, with any value and any option, can send what erases, formats or resets a sign or a wall."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codecs import alpha, am03127, novastar, onbon
from devices.codecs.onbon_commands import read_request
from devices.drivers.alpha import Alpha
from devices.drivers.am03127 import Am03127
from devices.drivers.csv_tables import read_table
from devices.drivers.interface import Driver
from devices.drivers.novastar import NovaStar
from devices.drivers.novastar_tables import tables
from devices.drivers.onbon import Onbon
from devices.drivers.onbon_card import commands
from devices.errors import DeviceError, NoAnswer
from devices.fakes.fake import Fake
from devices.fakes.table import make_fake

T = TypeVar("T")
NASTY = (
    "{red}<D*>{/}",
    "\\FO000\\C1",
    "<E><ID01><D*>6C<E>",
    "\x02E$\x04",
    "\x1b&a",
    "欢迎",
    "A" * 500,
    "{date}",
    " ",
    "{",
)
COLUMNS = ("name", "group", "command", "reads")
FACTORY_RESET, SAVE = 0x01000002, 0x01000011
ONBON_ERASES = {
    (0xA1, 0x00): "format", (0xA1, 0x01): "delete files", (0xA1, 0x05): "write a file", (0xA1, 0x06): "write a file",
    (0xA2, 0x01): "system reset", (0xA2, 0x06): "change the address", (0xA3, 0x01): "timed on and off",
}  # fmt: skip
AM03127_ERASES = (b"<D*>", b"<DT", b"<T")
ALPHA_SPECIALS_SENT = {" ", ";", "&", "/"}
"""Time, date, weekday, dimming. Memory layout `$`, soft reset `,`, address `7` and all others are never sent."""


class StraightLine:
    """A line without a wire: what is sent reaches the fake at once."""

    def __init__(self, fake: Fake) -> None:
        self.rate = 115200
        self.sent: list[bytes] = []
        self._fake = fake

    def write(self, data: bytes) -> None:
        self.sent.append(data)
        self._fake.receive(data)

    def read(self, seconds: float) -> bytes:
        return b""

    def ask(
        self, request: bytes, decode: Callable[[bytes], Iterable[T]], wanted: Callable[[T], bool], seconds: float
    ) -> T:
        self.sent.append(request)
        for frame in decode(self._fake.receive(request)):
            if wanted(frame):
                return frame
        raise NoAnswer("没有应答", "no answer")


def every_driver() -> Iterator[Driver]:
    for model in ("", *tables().models):
        for port, board in ((255, 65535), (0, 0), (3, 7)):
            yield NovaStar({"model": model, "port": port, "board": board, "tries": 1})
    for series in ("5K", "6K"):
        for effect in ("still", "left", "up"):
            yield Onbon({"series": series, "effect": effect, "drop_after": 60, "tries": 1})
    yield Am03127({"colour": "C", "font": "A", "tries": 1})
    for acknowledge in (False, True):
        yield Alpha({"acknowledge": acknowledge, "tries": 1})


def every_value(form: str) -> Iterator[str | None]:
    if form == "":
        yield None
    elif form == "0-100":
        yield from (str(number) for number in range(101))
    elif "|" in form:
        yield from form.split("|")
    elif form == "TEXT":
        yield from NASTY
    else:
        yield from sorted({name for model in tables().models.values() for name in model.family.inputs})


def done(driver: Driver, action: str, value: str | None) -> bytes:
    """All bytes that an action sends, whether the fake takes it or not."""
    line = StraightLine(make_fake(driver.key, options={"acknowledge": True, "reads": True, "model": 0x6106}))
    with suppress(DeviceError):
        driver.do(line, action, value)
    driver.probe(line)
    return b"".join(line.sent)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.drivers.onbon.REFRESH_SECONDS", 0.0)


def test_no_action_with_any_value_sends_what_erases() -> None:
    actions = frames = 0
    for driver in every_driver():
        for action in driver.actions:
            for value in every_value(action.value):
                sent = done(driver, action.name, value)
                frames += assert_harmless(driver.key, action.name, sent)
                actions += 1
    assert actions > 3000
    assert frames > 5000


@settings(max_examples=60)
@given(st.text(max_size=80))
def test_no_text_whatever_becomes_a_command(text: str) -> None:
    for driver in (Onbon(), Am03127(), Alpha()):
        assert_harmless(driver.key, "text", done(driver, "text", text))


def assert_harmless(key: str, action: str, sent: bytes) -> int:
    """How many frames there were; every byte that was sent belongs to one of them."""
    if key == "novastar":
        found = novastar.Decoder().feed(sent)
        assert b"".join(map(novastar.encode, found)) == sent
        for frame in found:
            allowed = {register.address for register in tables().registers.values() if register.access != "read"}
            assert frame.code == novastar.READ or frame.address in allowed
            assert frame.address != FACTORY_RESET
            assert frame.address != SAVE or action == "save"
        return len(found)
    if key == "onbon":
        cards = onbon.Decoder().feed(sent)
        assert b"".join(map(onbon.encode, cards)) == sent
        requests = [request for card in cards if (request := read_request(card.data)) is not None]
        assert len(requests) == len(cards)
        for request in requests:
            assert request.kind in commands().values()
            assert request.kind not in ONBON_ERASES
        return len(cards)
    if key == "am03127":
        packets = am03127.Decoder().feed(sent)
        assert b"".join(map(am03127.encode, packets)) == sent
        for packet in packets:
            assert isinstance(packet, am03127.Packet), "the board's number is not changed"
            assert not packet.payload.startswith(AM03127_ERASES)
            assert b"<D*>" not in packet.payload
        return len(packets)
    signs = alpha.Decoder().feed(sent)
    assert b"".join(map(alpha.encode, signs)) == sent
    for sign in signs:
        assert isinstance(sign, alpha.Packet)
        for command in sign.commands:
            assert command.code in "AEF"
            assert command.code != "E" or chr(command.data[0]) in ALPHA_SPECIALS_SENT
    return len(signs)


def test_the_tables_name_nothing_that_erases() -> None:
    assert not ONBON_ERASES.keys() & set(commands().values())
    addresses = {register.address: name for name, register in tables().registers.items()}
    assert FACTORY_RESET not in addresses
    assert addresses[SAVE] == "save"


def test_a_probe_and_every_reading_action_send_frames_that_only_read() -> None:
    reading = {row["name"] for row in read_table("onbon_commands.csv", COLUMNS, unique="name") if row["reads"] == "yes"}
    seen = 0
    for driver in every_driver():
        line = StraightLine(make_fake(driver.key, options={"reads": True}))
        driver.probe(line)
        driver.poll(line)
        for action in driver.actions:
            if action.reads:
                with suppress(DeviceError):
                    driver.do(line, action.name, None)
        sent = b"".join(line.sent)
        for frame in novastar.Decoder().feed(sent) if driver.key == "novastar" else ():
            assert frame.code == novastar.READ
            seen += 1
        for card in onbon.Decoder().feed(sent) if driver.key == "onbon" else ():
            request = read_request(card.data)
            assert request is not None
            assert request.kind in {commands()[name] for name in reading}
            seen += 1
        for sign in alpha.Decoder().feed(sent) if driver.key == "alpha" else ():
            assert isinstance(sign, alpha.Packet)
            assert {command.code for command in sign.commands} <= {"B", "F"}
            seen += 1
        assert driver.key != "am03127" or sent == b""
    assert seen > 100
