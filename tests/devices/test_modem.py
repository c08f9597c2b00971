"""The modem tells who calls and sends text messages in Chinese."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codecs import sms
from devices.drivers.interface import Event
from devices.drivers.modem import Modem
from devices.errors import BadValue, DeviceRefused, NoAnswer
from devices.fakes.fake import Fake, Moods
from devices.fakes.gnss import FakeGnss
from devices.fakes.host import Host
from devices.fakes.modem import FakeModem
from devices.ports.line import SerialLine
from tests.devices.test_ports import owned, wait_for
from tests.devices.waiting import until

LONG = "案件4110812026112600001派遣: 污水井盖破损 颍川街道药城路18号。请于11-26 18:30前处置,并上传处置后照片。" * 2


def test_a_caller_rings_once_even_while_a_message_is_sent() -> None:
    fake = FakeModem(Moods(slow=0.05))
    with Host(fake) as cable, owned(cable.path, Modem({"seat": "s1"}), rate=115200) as (owner, news):
        wait_for(news, "PORT", state="open")
        owner.poll().result(20)
        sending = [owner.do("sms", f"13812341234 第{number}条") for number in range(3)]
        fake.ring("13900001111")
        fake.ring("13900001111")
        fake.ring("13900002222")
        for future in sending:
            assert future.result(20).facts["parts"] == 1
        calls = {wait_for(news, "CALL").facts["number"], wait_for(news, "CALL").facts["number"]}
        assert calls == {"13900001111", "13900002222"}
        assert [part.text for part in fake.sent] == ["第0条", "第1条", "第2条"]


def test_a_long_chinese_message_goes_in_linked_parts() -> None:
    fake = FakeModem()
    with Host(fake) as cable, owned(cable.path, Modem(), rate=115200) as (owner, news):
        wait_for(news, "PORT", state="open")
        told = owner.do("sms", f"+8613812341234 {LONG}").result(20).facts
        assert told["parts"] == len(fake.sent) == 3
        assert "".join(part.text for part in fake.sent) == LONG
        assert {(part.reference, part.parts) for part in fake.sent} == {(1, 3)}
        assert owner.do("status").result(5).facts == {"registered": True, "signal": -71}


def test_what_the_network_refuses_is_told_with_its_number_and_the_next_message_goes() -> None:
    fake = FakeModem(Moods(busy=1))
    with Host(fake) as cable, owned(cable.path, Modem(), rate=115200) as (owner, news):
        wait_for(news, "PORT", state="open")
        with pytest.raises(DeviceRefused, match="512"):
            owner.do("sms", "13812341234 x").result(20)
        owner.do("sms", "13812341234 y").result(20)
        for bad in ("nobody x", "13812341234", "13812341234 " + "长" * 700):
            with pytest.raises(BadValue):
                owner.do("sms", bad).result(20)
        assert [part.text for part in fake.sent] == ["y"]


def test_an_answer_that_comes_too_late_is_no_answer_to_the_next_command() -> None:
    fake = FakeModem()
    with Host(fake) as cable, SerialLine.open(cable.path, 115200) as line:
        driver = Modem({"seconds": 0.3})
        assert driver.do(line, "identify", None)["model"] == "Modem 4G"
        fake.moods.slow = 0.5
        with pytest.raises(NoAnswer):
            driver.do(line, "status", None)
        fake.moods.slow = 0.0
        assert driver.do(line, "status", None) == {"registered": True, "signal": -71}
        assert driver.do(line, "identify", None)["model"] == "Modem 4G"


def test_a_modem_on_a_receiver_s_port_ends_with_a_sentence() -> None:
    """The receiver talks on and on, so that there never is a silence to wait for."""
    with Host(FakeGnss(options={"every": 0.05}), paced=False) as cable, SerialLine.open(cable.path, 9600) as line:
        driver = Modem({"seconds": 0.3})
        began = time.monotonic()
        for _ in range(2):
            with pytest.raises(NoAnswer):
                driver.do(line, "status", None)
        assert time.monotonic() - began < 5


class Endless(Fake):
    """Says much more than a modem ever would, and so fast that no time is left."""

    key = "endless"

    def talk(self, seconds: float) -> bytes:
        return b"x" * 4096


def test_a_port_that_floods_a_modem_s_driver_is_given_up_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.drivers.modem.LATE_AT_MOST", 8192)
    with Host(Endless(), paced=False) as cable, SerialLine.open(cable.path, 115200) as line:
        driver, began = Modem({"seconds": 20.0}), time.monotonic()
        for _ in range(2):  # the second one finds the flood of the first
            assert driver.probe(line) is None
        assert time.monotonic() - began < 10


def numbers(events: list[Event]) -> list[str]:
    return [event.facts["number"] for event in events if event.kind == "CALL"]


@pytest.mark.parametrize("withheld", [b"NMBR = P\r\n", b"NMBR=O\r\n", b'+CLIP: "",128,,,,1\r\n'])
def test_a_caller_who_withholds_the_number_rings_once_a_call(withheld: bytes) -> None:
    modem = Modem()
    assert numbers(modem.heard(b"\r\nRING\r\n" + withheld, 0.0)) == [""]
    assert numbers(modem.heard(b"RING\r\n", 5.0) + modem.quiet(9.0)) == []
    assert numbers(modem.heard(b"RING\r\n" + withheld, 30.0)) == [""]


def test_a_ring_that_no_number_follows_is_a_call_all_the_same() -> None:
    modem = Modem()
    assert modem.heard(b"\r\nRING\r\n", 0.0) + modem.quiet(1.0) == []
    assert numbers(modem.quiet(3.5)) == [""]
    assert modem.heard(b"RING\r\n", 6.0) + modem.quiet(10.0) + modem.heard(b"RING\r\n", 12.0) + modem.quiet(16.0) == []
    assert modem.heard(b"RING\r\n", 60.0) + modem.quiet(61.0) == []
    assert numbers(modem.heard(b"NMBR = 03741234567\r\n", 62.0)) == ["03741234567"]
    assert modem.heard(b"RING\r\n", 66.0) + modem.quiet(70.0) == [], "fixed lines tell the number once a call"


def test_a_modem_that_lost_power_rings_again_with_the_number_after_the_next_poll() -> None:
    fake = FakeModem()
    with Host(fake, paced=False) as cable, owned(cable.path, Modem(), rate=115200) as (owner, news):
        wait_for(news, "PORT", state="open")
        owner.poll().result(20)
        fake.lose_power()
        owner.poll().result(20)
        fake.ring("13900001111")
        assert wait_for(news, "CALL").facts["number"] == "13900001111"


def test_a_modem_whose_port_was_opened_again_is_told_everything_again() -> None:
    fake = FakeModem()
    with Host(fake, paced=False) as cable, SerialLine.open(cable.path, 115200) as line:
        driver = Modem()
        driver.do(line, "status", None)
        driver.heard(b"\r\nRI", 0.0)
        fake.lose_power()
        driver.opened()
        assert driver.heard(b'\r\n+CLIP: "13900001111",129\r\n', 1.0)[0].facts["number"] == "13900001111"
        driver.do(line, "status", None)
        fake.ring("13900002222")
        calls = until(lambda: driver.heard(line.read(1), 20.0))
        assert [event.facts["number"] for event in calls] == ["13900002222"]


def test_a_prompt_that_came_too_late_swallows_no_later_command() -> None:
    fake = FakeModem()
    with Host(fake, paced=False) as cable, SerialLine.open(cable.path, 115200) as line:
        driver = Modem({"seconds": 0.3})
        driver.do(line, "status", None)
        fake.moods.slow = 0.5
        with pytest.raises(NoAnswer):
            driver.do(line, "sms", "13812341234 x")
        fake.moods.slow = 0.0
        assert driver.do(line, "status", None) == {"registered": True, "signal": -71}
        driver.do(line, "sms", "13812341234 y")
        assert [part.text for part in fake.sent] == ["y"]


class Deaf(FakeModem):
    """The end of the first message is lost on the way."""

    def receive(self, data: bytes) -> bytes:
        if data.endswith(b"\x1a") and not self.lost:
            self.lost, data = True, data[:-1]
        return super().receive(data)

    lost = False


def test_a_message_whose_end_was_lost_swallows_no_later_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.drivers.modem.SEND_SECONDS", 0.3)
    fake = Deaf()
    with Host(fake, paced=False) as cable, SerialLine.open(cable.path, 115200) as line:
        driver = Modem({"seconds": 0.3})
        with pytest.raises(NoAnswer):
            driver.do(line, "sms", "13812341234 x")
        driver.opened()  # the port may have been opened again meanwhile, the modem waits all the same
        assert driver.do(line, "status", None) == {"registered": True, "signal": -71}
        driver.do(line, "sms", "13812341234 y")
        assert [part.text for part in fake.sent] == ["y"]


phones = st.builds(str.__add__, st.sampled_from(["", "+"]), st.text("0123456789", min_size=3, max_size=20))
texts = st.text(st.sampled_from("长案aZ9 。\n\u20ac\ufe0f😀𠀀"), min_size=1, max_size=200)


@given(phones, texts, st.integers(0, 10_000))
def test_every_message_that_can_be_sent_is_read_back_whole(phone: str, text: str, reference: int) -> None:
    if sms.units(text) > sms.UNITS_OF_PART * (sms.PARTS_AT_MOST - 1):
        return  # too long, or nearly
    parts = sms.split(phone, text, reference)
    assert "".join(part.text for part in parts) == text
    assert [sms.decode(*sms.encode(part)) for part in parts] == parts
    assert all(sms.units(part.text) <= sms.UNITS_OF_ONE for part in parts)
