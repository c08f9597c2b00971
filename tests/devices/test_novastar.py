"""The video wall behind a NovaStar box, through a real pseudo-terminal."""

from __future__ import annotations

from typing import Any

import pytest

from devices.codecs import novastar
from devices.drivers.novastar import NovaStar
from devices.drivers.novastar_box import Serials, percent, raw
from devices.drivers.novastar_tables import tables
from devices.errors import BadSetup, BadValue, DeviceRefused, NoAnswer, NotSupported
from devices.fakes.fake import Moods
from devices.fakes.novastar import FakeNovaStar
from tests.devices.signs import wired

QUICK = {"seconds": 0.15}


def frames(sent: list[bytes]) -> list[novastar.Frame]:
    return novastar.Decoder().feed(b"".join(sent))


def test_the_wall_shows_the_brightness_that_was_asked_for() -> None:
    with wired(NovaStar(QUICK), FakeNovaStar(options={"panels": [2, 2]})) as wall:
        assert wall.do("brightness", "35") == {"brightness": 35}
        assert wall.state["brightness"] == 35
        write, read = frames(wall.sent)
        assert (write.port, write.board, write.data) == (0xFF, 0xFFFF, bytes((89,)))
        assert (read.code, read.port, read.board) == (novastar.READ, 0, 0)
        assert wall.do("blank", "on") == {"blank": True}
        assert wall.state["blank"]
        wall.do("blank", "off")
        wall.do("pattern", "grey")
        assert (wall.state["blank"], wall.state["pattern"], wall.state["saved"]) == (False, "grey", False)


def test_a_percentage_is_read_back_as_it_was_set() -> None:
    assert [percent(raw(value)) for value in range(101)] == list(range(101))
    assert (raw(0), raw(100)) == (0, 255)


def test_the_status_tells_what_the_wall_shows_and_how_it_is() -> None:
    driver = NovaStar(QUICK | {"panels": "2"})
    with wired(driver, FakeNovaStar(options={"model": "VX4S", "panels": [2]})) as wall:
        wall.fake.panels[0, 1].half_degrees = 91  # type: ignore[attr-defined]
        wall.do("brightness", "60")
        wall.do("pattern", "red")
        facts = driver.poll(wall.line)
    assert (facts["model"], facts["model_id"], facts["version"]) == ("VX4S", "6106", "4.3.2.0")
    assert (facts["brightness"], facts["pattern"], facts["blank"], facts["frozen"]) == (60, "red", False, False)
    assert facts["inputs_with_signal"] == ["hdmi"]
    first, second = facts["panels"]
    assert (first["temperature"], first["voltage"], second["temperature"]) == (36.0, 4.8, 45.5)
    assert facts["reachable"]


def test_an_unpowered_panel_is_told_as_a_panel_not_as_a_dead_line() -> None:
    fake = FakeNovaStar(options={"panels": [2]})
    fake.panels[0, 1].reachable = False
    with wired(NovaStar(QUICK | {"port": 0, "board": 1}), fake) as wall, pytest.raises(DeviceRefused) as refusal:
        wall.do("brightness", "50")
    assert refusal.value.extra["reason"] == "panel-unreachable"
    assert "第 2 块" in refusal.value.zh
    assert "panel 2 on output 1" in refusal.value.en
    with wired(NovaStar(QUICK | {"panels": [2]}), fake) as wall:
        facts = wall.do("status")
        assert [panel["reachable"] for panel in facts["panels"]] == [True, False]
        assert not facts["reachable"]
        assert facts["brightness"] == 100
    fake.panels[0, 0].reachable, fake.panels[0, 1].reachable = False, True
    with wired(NovaStar(QUICK | {"panels": [2]}), fake) as wall:
        assert wall.do("brightness", "55") == {"brightness": 55, "unreachable": [{"port": 0, "board": 0}]}


def test_a_noisy_line_is_asked_again_until_the_answer_is_whole() -> None:
    fake = FakeNovaStar(Moods(noisy=0.01))
    with wired(NovaStar({"seconds": 0.06, "tries": 10}), fake, seed=7) as wall:
        for value in range(0, 100, 5):
            assert wall.do("brightness", str(value)) == {"brightness": value}
            assert wall.state["brightness"] == value
        assert len(wall.sent) > 40, "the noise hit something"


def test_a_request_that_noise_hit_is_sent_again_at_once() -> None:
    """The box says "wrong sum": that is the line's fault, so it is asked again; the box never did what it misread."""
    driver, fake = NovaStar({"seconds": 5}), FakeNovaStar()
    receive, spoilt = fake.receive, []

    def damaged_once(data: bytes) -> bytes:
        if not spoilt and len(data) > 20:
            spoilt.append(data)
            data = data[:18] + bytes((data[18] ^ 1,)) + data[19:]
        return receive(data)

    fake.receive = damaged_once  # type: ignore[method-assign]
    with wired(driver, fake) as wall:
        assert wall.do("brightness", "40") == {"brightness": 40}
        assert len(spoilt) == 1
        assert len(wall.sent) == 3


def test_a_two_wire_line_hears_itself_and_is_not_fooled() -> None:
    with wired(NovaStar(QUICK), FakeNovaStar(Moods(echo=True))) as wall:
        assert wall.do("brightness", "20") == {"brightness": 20}
        assert wall.do("identify")["model"] == "VX4S"


def test_a_slow_box_is_waited_for_and_a_busy_one_asked_again() -> None:
    with wired(NovaStar({"seconds": 0.4}), FakeNovaStar(Moods(slow=0.1, busy=1))) as wall:
        assert wall.do("identify")["model_id"] == "6106"
        assert wall.fake.moods.busy == 0


def test_a_silent_box_is_told_in_a_sentence() -> None:
    driver = NovaStar({"seconds": 0.05, "tries": 2})
    with wired(driver, FakeNovaStar(Moods(silent=True))) as wall:
        with pytest.raises(NoAnswer, match="check power, wiring and rate"):
            wall.do("brightness", "50")
        assert driver.probe(wall.line) is None


def test_a_box_that_refuses_says_so() -> None:
    with wired(NovaStar(QUICK), FakeNovaStar(Moods(refusing=True))) as wall, pytest.raises(DeviceRefused) as refusal:
        wall.do("blank", "on")
    assert refusal.value.extra["ack"] == novastar.BAD_COMMAND


@pytest.mark.parametrize(
    ("model", "value", "address", "code"),
    [("VX4S", "hdmi", 0x0220002D, 0xA0), ("MCTRL660 Pro", "HDMI", 0x02000023, 0x05), (0x1107, "dp", 0x02000023, 0x5F)],
)
def test_inputs_go_by_the_model(model: Any, value: str, address: int, code: int) -> None:
    with wired(NovaStar(QUICK), FakeNovaStar(options={"model": model})) as wall:
        assert wall.do("input", value)["input"] == value.lower()
        written = [frame for frame in frames(wall.sent) if frame.code == novastar.WRITE]
        assert [(frame.address, frame.data) for frame in written] == [(address, bytes((code,)))]
        assert wall.state["input"] == value.lower()
        assert wall.do("status").get("input") == (None if model == "VX4S" else value.lower())
        with pytest.raises(BadValue, match="it has dvi"):
            wall.do("input", "scart")


def test_an_unknown_model_is_refused_what_goes_by_the_model_and_nothing_is_written() -> None:
    with wired(NovaStar(QUICK), FakeNovaStar(options={"model": 0x9999})) as wall:
        for action, value in (("input", "hdmi"), ("freeze", "on")):
            with pytest.raises(NotSupported, match="9999 is unknown"):
                wall.do(action, value)
        assert all(frame.code == novastar.READ for frame in frames(wall.sent))
        assert wall.do("brightness", "10") == {"brightness": 10}
    with wired(NovaStar(QUICK | {"model": "PRO HD"}), FakeNovaStar(options={"model": 0x9999})) as wall:
        with pytest.raises(DeviceRefused):
            wall.do("input", "hdmi")
        (written,) = [frame for frame in frames(wall.sent) if frame.code == novastar.WRITE]
        assert (written.address, written.data) == (0x02200022, b"\x1b")


def test_a_sending_card_with_one_input_says_that_there_is_nothing_to_choose() -> None:
    with wired(NovaStar(QUICK), FakeNovaStar(options={"model": "MCTRL500"})) as wall:
        with pytest.raises(NotSupported, match="switch at the source"):
            wall.do("input", "hdmi")
        assert wall.do("freeze", "on") == {"freeze": True}
        assert wall.state["frozen"]


def test_freezing_goes_by_the_family() -> None:
    with wired(NovaStar(QUICK), FakeNovaStar(options={"model": "VX4S"})) as wall:
        wall.do("freeze", "on")
        assert wall.state["frozen"]
        assert wall.do("status")["frozen"]
        wall.do("freeze", "on")
        assert frames(wall.sent)[-1].address == 0x02200050
        wall.do("freeze", "off")
        assert not wall.state["frozen"]


def test_only_saving_saves() -> None:
    with wired(NovaStar(QUICK), FakeNovaStar()) as wall:
        for action, value in (("brightness", "9"), ("blank", "off"), ("pattern", "video"), ("freeze", "off")):
            wall.do(action, value)
        assert not wall.state["saved"]
        assert wall.do("save") == {"saved": True}
        assert wall.state["saved"]


def test_the_second_box_on_a_line_is_spoken_to_by_its_place() -> None:
    with wired(NovaStar(QUICK | {"destination": 1}), FakeNovaStar(options={"box": 1})) as wall:
        assert wall.do("brightness", "70") == {"brightness": 70}
    hasty = NovaStar({"seconds": 0.05, "tries": 1})
    with wired(hasty, FakeNovaStar(options={"box": 1})) as wall, pytest.raises(NoAnswer):
        wall.do("brightness", "70")


def test_there_is_no_text_on_a_video_wall_and_the_refusal_says_what_there_is() -> None:
    with wired(NovaStar(QUICK), FakeNovaStar()) as wall:
        with pytest.raises(NotSupported, match="brightness"):
            wall.do("text", "欢迎")
        with pytest.raises(BadValue):
            wall.do("brightness", "101")
        assert wall.sent == []


def test_an_old_answer_is_not_taken_for_the_new_one() -> None:
    serials = Serials()
    first = serials.take()
    taken = [serials.take() for _ in range(254)]
    assert first not in taken
    for serial in taken:
        serials.done(serial)
    assert first not in [serials.take() for _ in range(254)]


@pytest.mark.parametrize(
    "options",
    [{"destination": 254}, {"port": 300}, {"board": "x"}, {"panels": []}, {"panels": "a,b"}, {"model": "X"},
     {"seconds": 0}, {"tries": True}, {"colour": 1}],
)  # fmt: skip
def test_a_wrong_option_is_refused_by_name(options: dict[str, Any]) -> None:
    with pytest.raises(BadSetup, match=next(iter(options))):
        NovaStar(options)


def test_every_row_of_the_tables_says_where_it_is_from() -> None:
    found = tables()
    assert len(found.registers) == 16
    assert found.model_of(0x1107) is found.models["MCTRL660 Pro"]
    assert 0x01000002 not in {register.address for register in found.registers.values()}


def test_a_box_that_lacks_a_register_still_tells_the_rest() -> None:
    """One that says nothing when it is asked for its version: everything else is told."""
    fake = FakeNovaStar()
    receive = fake.receive
    fake.receive = lambda data: b"" if b"\x04\x00\x10\x04" in data else receive(data)  # type: ignore[method-assign]
    with wired(NovaStar({"seconds": 0.05}), fake) as wall:
        facts = wall.do("status")
    assert (facts["version"], facts["brightness"], facts["reachable"]) == (None, 100, True)
