"""A splicer that has no driver: its commands come from a file that the technician wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.codecs.crc16 import crc16
from devices.drivers.interface import Driver
from devices.drivers.raw import Raw
from devices.drivers.raw_file import EXAMPLE, load_file
from devices.errors import BadSetup, BadValue, NoAnswer, NotSupported
from devices.fakes.fake import Moods
from devices.fakes.raw import FakeRaw
from devices.fakes.table import FAKES, make_fake
from tests.devices.signs import wired


def test_the_shipped_example_works_as_it_says() -> None:
    driver = Raw({"file": "example"})
    with wired(driver, FakeRaw()) as splicer:
        assert driver.probe(splicer.line) == {"answer": "1.04"}
        assert splicer.do("brightness", "50")["answer"] == "AA 02 20"
        assert splicer.sent[-1] == bytes.fromhex("AA 04 20 20 44"), "50 of 100 is 32 of 63; the sum leaves AA out"
        splicer.do("input", "dvi")
        assert splicer.do("blank", "on") == {"blank": "on", "answer": "OK"}
        splicer.do("scene", "12")
        assert splicer.state == {"identify": "", "brightness": "32", "input": "dvi", "blank": "on", "scene": "12"}
        assert driver.poll(splicer.line) == {}


def test_what_the_file_does_not_have_is_refused_with_its_names() -> None:
    driver = Raw({"file": str(EXAMPLE)})
    with wired(driver, FakeRaw()) as splicer:
        with pytest.raises(NotSupported, match="identify, brightness, input"):
            splicer.do("freeze", "on")
        with pytest.raises(BadValue, match=r"hdmi\|dvi\|vga"):
            splicer.do("input", "scart")
        with pytest.raises(BadValue, match="1-16"):
            splicer.do("scene", "17")
        assert splicer.sent == []


def test_a_noisy_or_busy_splicer_is_asked_again_and_a_dead_one_told(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace('expect = "OK"', 'expect = "OK"\nseconds = 0.2')
    quick = written(tmp_path, text)
    with wired(Raw({"file": quick, "tries": 2}), FakeRaw(Moods(busy=1, echo=True))) as splicer:
        assert splicer.do("blank", "off")["answer"] == "OK"
        assert len(splicer.sent) == 2
    with wired(Raw({"file": quick, "tries": 1}), FakeRaw(Moods(refusing=True))) as splicer, pytest.raises(NoAnswer):
        splicer.do("blank", "off")


def written(folder: Path, text: str) -> Path:
    path = folder / "splicer.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_text_and_checks_go_out_as_the_file_says(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "encoding = 'gbk'\n[commands.text]\nsend = 'TXT {value}'\nvalue = 'TEXT'\ncheck = 'xor8'\nend = '\\r'\n"
        "[commands.clear]\nsend = 'hex: 01 06 00 01'\ncheck = 'crc16'\n",
    )
    with wired(Raw({"file": str(path)}), FakeRaw(options={"file": str(path)}), paced=False) as splicer:
        splicer.do("text", "欢迎")
        body = b"TXT " + "欢迎".encode("gbk")
        xor = 0
        for byte in body:
            xor ^= byte
        assert splicer.sent == [body + bytes((xor,)) + b"\r"]
        assert splicer.do("clear") == {"answer": None}
        words = bytes.fromhex("01060001")
        assert splicer.sent[-1] == words + crc16(words, 0xFFFF).to_bytes(2, "little")
        with pytest.raises(BadValue, match="cannot write"):
            splicer.do("text", "🚧")
        with pytest.raises(BadValue, match="control characters"):
            splicer.do("text", "a\rPWR OFF")


def test_the_modbus_check_is_that_of_the_standard_s_example() -> None:
    assert crc16(b"123456789", 0xFFFF) == 0x4B37
    assert crc16(b"123456789") == 0xBB3D


WRONG = {
    "[commands.Loud]\nsend = 'x'\n": ("commands.Loud", 1),
    "title = 'x'\n[commands.a]\nsend = 'hex: 0'\n": ("commands.a.send", 3),
    "[commands.a]\nsend = 'x\\q'\n": ("commands.a.send", 2),
    "[commands.a]\nsend = '中'\n": ("commands.a.send", 2),
    "[commands.a]\nzh = 'x'\n": ("commands.a.send", 1),
    "[commands.a]\nsend = ''\n": ("commands.a.send", 2),
    "[commands.a]\nsend = '{value}{value}'\nvalue = '1-2'\n": ("commands.a.send", 2),
    "[commands.a]\nsend = 'x'\nspeed = 1\n": ("commands.a.speed", 3),
    "[commands.a]\nsend = 'x'\nseconds = 'soon'\n": ("commands.a.seconds", 3),
    "[commands.a]\nsend = 'x'\nseconds = 900\n": ("commands.a.seconds", 3),
    "[commands.a]\nsend = 'x'\nreads = 1\n": ("commands.a.reads", 3),
    "[commands.a]\nsend = 'x'\ncheck = 'md5'\n": ("commands.a.check", 3),
    "[commands.a]\nsend = 'x'\ncheck_from = 9\n": ("commands.a.check_from", 3),
    "[commands.a]\nsend = 'x'\nexpect = 'pattern:('\n": ("commands.a.expect", 3),
    "[commands.a]\nsend = 'x'\nvalue = '0-9'\n": ("commands.a.value", 3),
    "[commands.a]\nsend = 'x {value}'\n": ("commands.a.send", 2),
    "[commands.a]\nsend = 'hex: 01 {value}'\nvalue = '0-999'\n": ("commands.a.value", 3),
    "[commands.a]\nsend = 'hex: 01 {value}'\nvalue = 'TEXT'\n": ("commands.a.value", 3),
    "[commands.a]\nsend = 'hex: 01 {value}'\nvalue = 'on|off'\n": ("commands.a.value", 3),
    "[commands.a]\nsend = 'x{value}'\nvalues = { on = 1 }\n": ("commands.a.values", 3),
    "[commands.brightness]\nsend = 'x{value}'\nvalue = '0-63'\n": ("commands.brightness.value", 3),
    "[commands.a]\nsend = 'x{value}'\nvalue = '0-63'\nscale = [0, 1]\n": ("commands.a.scale", 4),
    "encoding = 'ebcdic'\n[commands.a]\nsend = 'x'\n": ("encoding", 1),
    "colour = 1\n[commands.a]\nsend = 'x'\n": ("colour", 1),
    "title = 'nothing'\n": ("commands", 1),
}


@pytest.mark.parametrize("text", WRONG)
def test_every_wrong_place_is_told_with_line_field_and_reason(tmp_path: Path, text: str) -> None:
    field, line = WRONG[text]
    with pytest.raises(BadSetup) as refusal:
        load_file(written(tmp_path, text))
    (told,) = refusal.value.fields
    assert told.field == field
    assert told.en.startswith(f"line {line}: ")
    assert told.zh.startswith(f"第 {line} 行: ")
    assert field in refusal.value.zh


def test_all_wrong_places_are_told_at_once_and_a_broken_file_by_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "[commands.a]\nsend = 'hex: 0'\n[commands.b]\nsend = 'x'\ncheck = 'md5'\n")
    with pytest.raises(BadSetup, match="wrong in 2 places"):
        load_file(path)
    with pytest.raises(BadSetup, match="line 1"):
        load_file(written(tmp_path, "[commands\n"))
    with pytest.raises(BadSetup, match="cannot be read"):
        load_file(tmp_path / "missing.toml")
    with pytest.raises(BadSetup, match="needs the option file"):
        Raw({})


def test_every_driver_has_its_fake() -> None:
    assert all(make_fake(key).key == key for key in FAKES)
    with pytest.raises(BadSetup, match="novastar"):
        make_fake("linsn")
    assert Driver.actions == (), "the actions of a file stay with its device"
