"""Whatever comes over the wire: drivers answer with facts or a refusal, simulated devices never break."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codecs import alpha, am03127, novastar, onbon
from devices.drivers.alpha import Alpha
from devices.drivers.am03127 import Am03127
from devices.drivers.interface import Driver
from devices.drivers.novastar import NovaStar
from devices.drivers.onbon import Onbon
from devices.drivers.raw import Raw
from devices.errors import DeviceError, NoAnswer
from devices.fakes.table import make_fake
from tests.devices.test_sign_streams import alpha_frames, am03127_frames, novastar_frames, onbon_frames

T = TypeVar("T")
SIGNS = ("novastar", "onbon", "am03127", "alpha", "raw")


class StrangeLine:
    """A line on which something answers; what, the test decides."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self.rate = 9600
        self._answer = answer

    def write(self, data: bytes) -> None:
        self._answer(data)

    def read(self, seconds: float) -> bytes:
        return b""

    def ask(
        self, request: bytes, decode: Callable[[bytes], Iterable[T]], wanted: Callable[[T], bool], seconds: float
    ) -> T:
        for frame in decode(self._answer(request)):
            if wanted(frame):
                return frame
        raise NoAnswer("没有应答", "no answer")


def do_everything(driver: Driver, line: StrangeLine) -> None:
    """Every action once; facts are ready for JSON, refusals are those of devices."""
    values = {"0-100": "50", "on|off": "on", "TEXT": "Level 3 m", "NAME": "hdmi", "": None, "1-16": "3"}
    for action in driver.actions:
        value = values.get(action.value, action.value.split("|")[0])
        with suppress(DeviceError):
            json.dumps(driver.do(line, action.name, value))
    driver.probe(line)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.drivers.onbon.REFRESH_SECONDS", 0.0)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(0, 255), st.binary(max_size=300))
def test_a_box_that_answers_anything_is_told_or_refused(data: st.DataObject, ack: int, told: bytes) -> None:
    def answer(wire: bytes) -> bytes:
        (request,) = novastar.Decoder().feed(wire)
        content = (told + bytes(request.length))[: request.length] if request.code == novastar.READ else b""
        return novastar.encode(novastar.answer_to(request, ack % 6 if ack < 128 else 0, content))

    do_everything(NovaStar({"tries": 1}), StrangeLine(answer))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=80), st.booleans(), st.integers(0, 255))
def test_a_card_that_answers_anything_is_told_or_refused(told: bytes, plain: bool, error: int) -> None:
    def answer(wire: bytes) -> bytes:
        (request,) = onbon.Decoder().feed(wire)
        kind = (b"\xa0\x01" if error else b"\xa0\x00") if plain else request.data[:2]
        return onbon.encode(onbon.Frame(onbon.COMPUTER, 1, kind + bytes((error, 0, 0)) + told))

    do_everything(Onbon({"tries": 1}), StrangeLine(answer))


@settings(max_examples=40, deadline=None)
@given(st.one_of(alpha_frames(), am03127_frames()), st.binary(max_size=40))
def test_a_sign_that_answers_anything_is_told_or_refused(frame: Any, noise: bytes) -> None:
    encode = am03127.encode if isinstance(frame, am03127.Packet | am03127.BoardId | am03127.Answer) else alpha.encode
    line = StrangeLine(lambda wire: noise + encode(frame))
    for driver in (
        Am03127({"tries": 1}),
        Alpha({"tries": 1, "acknowledge": True}),
        Raw({"file": "example", "tries": 1}),
    ):
        do_everything(driver, line)


WIRES = st.one_of(
    st.binary(max_size=200),
    novastar_frames().map(novastar.encode),
    onbon_frames().map(onbon.encode),
    am03127_frames().map(am03127.encode),
    alpha_frames().map(alpha.encode),
)


@pytest.mark.parametrize("key", SIGNS)
def test_a_simulated_device_never_breaks_and_its_state_can_be_seen(key: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(WIRES, max_size=6))
    def holds(wires: list[bytes]) -> None:
        fake = make_fake(key, options={"acknowledge": True, "reads": True})
        for wire in wires:
            fake.receive(wire)
            json.dumps(fake.state())

    holds()
