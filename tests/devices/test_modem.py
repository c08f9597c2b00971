"""The modem tells who calls and sends text messages in Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codecs import sms
from devices.drivers.modem import Modem
from devices.errors import BadValue, DeviceRefused, NoAnswer
from devices.fakes.fake import Moods
from devices.fakes.host import Host
from devices.fakes.modem import FakeModem
from devices.ports.line import SerialLine
from tests.devices.test_ports import owned, wait_for

LONG = "案件4110812026112600001派遣: 污水井盖破损 颍川街道药城路18号。请于11-26 18:30前处置,并上传处置后照片。" * 2


def test_a_caller_rings_once_even_while_a_message_is_sent() -> None:
    fake = FakeModem(Moods(slow=0.05))
    with Host(fake) as cable, owned(cable.path, Modem({"seat": "s1"}), rate=115200) as (owner, news):
        wait_for(news, "PORT", state="open")
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
