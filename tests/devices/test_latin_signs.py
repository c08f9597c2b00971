"""AM03127 and Alpha signs through a real pseudo-terminal: Latin text, and Chinese refused with a sentence."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.clock import ManualClock
from devices.codecs import alpha
from devices.codecs.am03127_payloads import read_clock
from devices.drivers.alpha import Alpha
from devices.drivers.am03127 import Am03127
from devices.drivers.onbon import Onbon
from devices.errors import BadSetup, BadValue, DeviceRefused, NoAnswer, NotSupported
from devices.fakes.alpha import FakeAlpha
from devices.fakes.am03127 import FakeAm03127
from devices.fakes.fake import Moods
from tests.devices.signs import wired

QUICK = {"seconds": 0.3}
NOON = datetime(2026, 11, 22, 15, 30, 45, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_a_moving_message_shows_text_with_brackets_and_is_cleared() -> None:
    with wired(Am03127(QUICK | {"colour": "A", "font": "B"}), FakeAm03127()) as sign:
        assert sign.do("text", "River 3.25 m <warning> é") == {"text": "River 3.25 m <warning> é", "page": "A"}
        assert sign.state["text"] == "River 3.25 m <warning> é"
        sign.do("clear")
        assert sign.state["text"] == ""


def test_no_text_can_be_taken_for_a_command() -> None:
    with wired(Am03127(QUICK), FakeAm03127()) as sign:
        sign.do("text", "<E><ID01><D*>6C<E>")
        assert sign.state["text"] == "<E><ID01><D*>6C<E>"
        assert b"<D*>" not in b"".join(sign.sent)


def test_the_moving_message_s_clock_and_four_levels() -> None:
    driver = Am03127(QUICK)
    driver.clock = ManualClock(NOON)
    with wired(driver, FakeAm03127()) as sign:
        assert sign.do("clock") == {"clock": "2026-11-22T15:30:45"}
        assert sign.state["clock"] == "2026-11-22T15:30:45"
        for percent, level in ((100, "A"), (76, "A"), (75, "B"), (50, "C"), (25, "D"), (0, "D")):
            assert sign.do("brightness", str(percent))["level"] == level
            assert sign.state["level"] == level


def test_a_moving_message_that_says_no_and_one_that_says_nothing() -> None:
    with wired(Am03127(QUICK), FakeAm03127(Moods(refusing=True))) as sign, pytest.raises(DeviceRefused, match="NACK"):
        sign.do("clear")
    with wired(Am03127(QUICK), FakeAm03127(Moods(busy=1, echo=True, slow=0.05))) as sign:
        assert sign.do("brightness", "10")["level"] == "D"
        assert len(sign.sent) == 2
    hasty = Am03127({"seconds": 0.05, "tries": 1, "board": 2})
    with wired(hasty, FakeAm03127()) as sign:
        with pytest.raises(NoAnswer):
            sign.do("clear")
        sign.sent.clear()
        assert hasty.probe(sign.line) is None
        assert hasty.poll(sign.line) == {}
        assert sign.sent == [], "nothing can be read from it, so nothing is sent"


@pytest.mark.parametrize(("driver", "fake"), [(Am03127(QUICK), FakeAm03127()), (Alpha(QUICK), FakeAlpha())])
def test_chinese_is_refused_with_a_sentence_that_says_what_to_do(driver: Any, fake: Any) -> None:
    with wired(driver, fake) as sign:
        with pytest.raises(BadValue, match="pinyin") as refusal:
            sign.do("text", "Level 水位 3 m")
        assert "“水位”" in refusal.value.zh
        with pytest.raises(BadValue, match="use clear"):
            sign.do("text", " \n ")
        with pytest.raises(BadValue, match="shorten"):
            sign.do("text", "x" * 1001)
        with pytest.raises(NotSupported, match="text"):
            sign.do("input", "hdmi")
        assert sign.sent == []


def test_an_alpha_sign_that_never_answers_is_written_to_all_the_same() -> None:
    with wired(Alpha(QUICK | {"mode": "scroll"}), FakeAlpha()) as sign:
        assert sign.do("text", "Road closed") == {"text": "Road closed", "acknowledged": None}
        until_text(sign, "Road closed")
        assert sign.state["modes"] == {"A": "m"}
        sign.do("clear")
        until_text(sign, "")


def until_text(sign: Any, text: str) -> None:
    """A sign without answers: the line is listened to until the bytes have gone over it."""
    for _ in range(100):
        if sign.state["text"] == text:
            return
        sign.line.read(0.02)
    raise AssertionError(sign.state)


def test_nested_commands_have_their_pauses_and_are_acknowledged() -> None:
    driver = Alpha(QUICK | {"acknowledge": True})
    driver.clock = ManualClock(NOON)
    with wired(driver, FakeAlpha(options={"acknowledge": True})) as sign:
        assert sign.do("clock") == {"clock": "2026-11-22T15:30:45", "acknowledged": True}
        assert (sign.state["clock"], sign.state["weekday"]) == ("2026-11-22T15:30:00", "1")
        assert [piece[-1] for piece in sign.sent] == [alpha.STX, alpha.STX, alpha.STX, alpha.EOT]
        assert sign.do("brightness", "50") == {"brightness": 44, "level": 4, "acknowledged": True}
        assert sign.state["dimming"] == "0004"


def test_an_alpha_sign_that_says_no() -> None:
    fake = FakeAlpha(Moods(refusing=True, echo=True), {"acknowledge": True})
    with wired(Alpha(QUICK | {"acknowledge": "yes"}), fake) as sign, pytest.raises(DeviceRefused, match="NAK"):
        sign.do("text", "Road closed")


def test_an_alpha_sign_that_can_be_read_is_read() -> None:
    driver = Alpha(QUICK)
    with wired(driver, FakeAlpha(options={"reads": True, "acknowledge": True})) as sign:
        found = driver.probe(sign.line)
        assert found is not None
        assert found == sign.do("identify")
        assert sign.do("status") == {"clock": ""}
    hasty = Alpha({"seconds": 0.05, "tries": 1})
    with wired(hasty, FakeAlpha()) as sign:
        assert hasty.probe(sign.line) is None
        sign.sent.clear()
        assert hasty.poll(sign.line) == {}
        assert sign.sent == [], "a sign that never answers is not called dead for it"
    with wired(Onbon({"seconds": 0.05, "tries": 1}), FakeAlpha()) as sign:
        assert sign.driver.probe(sign.line) is None


def test_a_clock_that_is_none_is_refused_by_the_moving_message() -> None:
    assert read_clock(b"<SC>26071199991530") is None
    assert read_clock(b"<SC>2607133215304599") is None


@pytest.mark.parametrize(
    "options",
    [{"board": 256}, {"line": 9}, {"page": "AA"}, {"leading": "Z"}, {"lagging": "S"}, {"speed": "z"}, {"wait": 26},
     {"colour": "T"}, {"font": "F"}],
)  # fmt: skip
def test_a_wrong_option_of_a_moving_message_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadSetup, match=next(iter(options))):
        Am03127(options)


@pytest.mark.parametrize(
    "options", [{"address": "G1"}, {"label": "?"}, {"mode": "spin"}, {"acknowledge": 3}, {"checksum": "maybe"}]
)
def test_a_wrong_option_of_an_alpha_sign_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadSetup, match=next(iter(options))):
        Alpha(options)
