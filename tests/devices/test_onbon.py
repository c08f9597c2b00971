"""The notice board with an Onbon card, through a real pseudo-terminal."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.clock import ManualClock
from devices.codecs import onbon
from devices.codecs.onbon_areas import Area, read_areas_payload
from devices.codecs.onbon_commands import AREAS, read_request
from devices.drivers.novastar import NovaStar
from devices.drivers.onbon import Onbon
from devices.drivers.onbon_layout import lay_out, read_back, wrap
from devices.drivers.onbon_text import read_text
from devices.errors import BadSetup, BadValue, DeviceRefused, NoAnswer, NotSupported
from devices.fakes.fake import Moods
from devices.fakes.novastar import FakeNovaStar
from devices.fakes.onbon import FakeOnbon
from tests.devices.signs import Wired, wired

QUICK = {"seconds": 0.15}
NOON = datetime(2026, 11, 22, 15, 30, 45, tzinfo=ZoneInfo("Asia/Shanghai"))


def last_area(sign: Wired) -> Area:
    """The area in the last frame that was sent."""
    request = read_request(onbon.Decoder().feed(sign.sent[-1])[0].data)
    assert request is not None
    assert request.kind == AREAS
    read = read_areas_payload(request.payload)
    assert read is not None
    return read[0][0]


def test_a_chinese_notice_arrives_wrapped_and_coloured() -> None:
    with wired(Onbon(QUICK), FakeOnbon()) as sign:
        told = sign.do("text", "{red}汛期{/}请勿靠近河道,{绿}水位{/}3.25 m 已超警戒")
        assert told["text"] == "汛期请勿靠近河\n道,水位3.25 m 已\n超警戒"
        assert (told["pages"], told["replaced"]) == (2, [])
        assert sign.state["text"] == told["text"]
        assert sign.state["colours"] == [
            ("red", "汛期请勿靠近河\n道,"),
            ("green", "水位"),
            ("red", "3.25 m 已\n超警戒"),
        ]
        area = last_area(sign)
        assert area.in_pixels
        assert (area.x, area.width, area.height) == (0, 128, 32)


def test_a_text_without_colours_is_left_to_the_card_and_one_colour_is_kept() -> None:
    with wired(Onbon(QUICK), FakeOnbon(), paced=False) as sign:
        sign.do("text", "欢迎光临")
        assert last_area(sign).text == "欢迎光临".encode("gbk")
    with wired(Onbon(QUICK), FakeOnbon(), paced=False) as sign:
        sign.do("text", "{green}畅通{/}")
        assert sign.state["colours"] == [("green", "畅通")]
    with wired(Onbon(QUICK | {"colour": "yellow"}), FakeOnbon(), paced=False) as sign:
        sign.do("text", "缓行")
        assert sign.state["colours"] == [("yellow", "缓行")]


def test_live_figures_run_in_the_card_and_take_their_room() -> None:
    with wired(Onbon(QUICK | {"width": 96}), FakeOnbon()) as sign:
        told = sign.do("text", "现在{time}{br}{year}年{月}月{day}日{weekday}")
        assert b"\\DH:\\DM:\\DS" in last_area(sign).text
        assert told["text"] == "现在{time}\n{year}年{month}月{day}\n日{weekday}"
        assert sign.state["text"] == told["text"]


def test_what_the_sign_cannot_write_is_replaced_visibly_and_told() -> None:
    with wired(Onbon(QUICK | {"colours": "single"}), FakeOnbon()) as sign:
        told = sign.do("text", "{红}小心{/}⚠路滑\\n🚧⚠")
        assert sign.state["text"] == "小心〓路滑n〓〓"
        assert told["replaced"] == ["⚠", "🚧"]
        notes = " ".join(note["en"] for note in told["notes"])
        for wanted in ("backslash", "one colour", "〓"):
            assert wanted in notes
        assert b"\\" not in last_area(sign).text


def test_a_busy_sign_takes_the_text_when_it_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with wired(Onbon(QUICK), FakeOnbon(Moods(busy=1))) as sign:
        sign.do("text", "防火")
        assert sign.state["text"] == "防火"
        assert len(sign.sent) == 2
    monkeypatch.setattr("devices.drivers.onbon_card.BUSY_SECONDS", 0.01)
    monkeypatch.setattr("devices.drivers.onbon_card.BUSY_TIMES", 3)
    with wired(Onbon(QUICK), FakeOnbon(Moods(busy=1000))) as sign, pytest.raises(DeviceRefused, match="busy"):
        sign.do("brightness", "10")


def test_a_text_is_not_renewed_faster_than_the_card_allows() -> None:
    with wired(Onbon(QUICK), FakeOnbon()) as sign:
        sign.do("text", "一")
        before = sign.driver._written_at  # type: ignore[attr-defined]
        sign.do("text", "二")
        assert sign.driver._written_at - before >= 1.0  # type: ignore[attr-defined]
        assert sign.state["text"] == "二"


def test_brightness_power_clock_and_status() -> None:
    driver = Onbon(QUICK)
    driver.clock = ManualClock(NOON)
    with wired(driver, FakeOnbon()) as sign:
        assert sign.do("brightness", "80") == {"brightness": 80, "level": 12}
        sign.do("clock")
        sign.do("text", "通知")
        assert sign.do("blank", "on") == {"blank": True}
        assert (sign.state["text"], sign.state["clock"]) == ("", "2026-11-22T15:30:45")
        facts = driver.poll(sign.line)
        assert facts == {
            "blank": True, "brightness": 80, "level": 12, "clock": "2026-11-22T15:30:45", "clock_off_seconds": 0,
            "programs": 0, "areas": [0],
        }  # fmt: skip
        sign.do("blank", "off")
        assert sign.state["text"] == "通知"


def test_clear_takes_the_texts_away() -> None:
    driver = Onbon(QUICK)
    fake = FakeOnbon()
    fake.areas = {number: Area(number, 0, 0, 64, 16, b"old") for number in (0, 3)}
    with wired(driver, fake) as sign:
        sign.do("clear")
        assert (sign.state["text"], sign.state["areas"]) == ("", {})


def test_identify_and_probe_tell_what_is_there_and_write_nothing() -> None:
    driver = Onbon(QUICK | {"address": 0xFFFE})
    with wired(driver, FakeOnbon(options={"address": 7, "width": 192, "height": 16, "series": "5K"})) as sign:
        assert driver.probe(sign.line) == {"address": 0xFFFE, "model": "5K1"}
        told = sign.do("identify")
        assert (told["model"], told["width"], told["height"], told["colours"]) == ("5K1", 192, 16, "dual")


def test_a_card_hears_only_its_own_address() -> None:
    hasty = {"seconds": 0.05, "tries": 1}
    with wired(Onbon(hasty | {"address": 2}), FakeOnbon()) as sign, pytest.raises(NoAnswer):
        sign.do("brightness", "50")
    with wired(Onbon(QUICK | {"address": 0x5AA5}), FakeOnbon(options={"address": 0x5AA5})) as sign:
        assert sign.do("brightness", "50")["level"] == 8


def test_a_noisy_line_is_asked_again() -> None:
    with wired(Onbon({"seconds": 0.1, "tries": 10}), FakeOnbon(Moods(noisy=0.02)), seed=3) as sign:
        for value in (10, 50, 100):
            assert sign.do("brightness", str(value))["brightness"] == value
            assert sign.state["level"] == round(value * 15 / 100 + 0.01)


def test_a_two_wire_line_hears_itself_and_is_not_fooled() -> None:
    with wired(Onbon(QUICK), FakeOnbon(Moods(echo=True))) as sign:
        sign.do("text", "回声")
        assert sign.state["text"] == "回声"


def test_another_device_on_the_line_is_not_taken_for_a_sign() -> None:
    hasty = {"seconds": 0.05, "tries": 1}
    driver = Onbon(hasty)
    with wired(driver, FakeNovaStar()) as sign:
        assert driver.probe(sign.line) is None
        with pytest.raises(NoAnswer):
            sign.do("status")
    wall = NovaStar(hasty)
    with wired(wall, FakeOnbon()) as sign:
        assert wall.probe(sign.line) is None


def test_a_card_that_refuses_says_why() -> None:
    with wired(Onbon(QUICK), FakeOnbon(Moods(refusing=True))) as sign, pytest.raises(DeviceRefused) as refusal:
        sign.do("clock")
    assert refusal.value.extra["error"] == 2
    assert "核对型号" in refusal.value.zh


def test_a_text_that_is_too_long_or_empty_is_refused_before_anything_is_sent() -> None:
    with wired(Onbon(QUICK | {"series": "5K"}), FakeOnbon(options={"series": "5K"})) as sign:
        with pytest.raises(BadValue, match="shorten"):
            sign.do("text", "长" * 240)
        with pytest.raises(BadValue, match="shorten"):
            sign.do("text", "长" * 1_000_000)
        with pytest.raises(BadValue, match="use clear"):
            sign.do("text", "{red}{/}")
        with pytest.raises(BadValue, match=r"no mark \{pink\}"):
            sign.do("text", "{pink}粉{/}")
        with pytest.raises(BadValue, match="has no blue; it has red, green, yellow"):
            sign.do("text", "{blue}蓝{/}")
        with pytest.raises(NotSupported, match="brightness"):
            sign.do("input", "hdmi")
        assert sign.sent == []


@pytest.mark.parametrize(("series", "count"), [("5K", 205), ("6K", 430)])
def test_the_longest_text_of_a_series_fits_its_frame(series: str, count: int) -> None:
    driver = Onbon({"series": series, "area": 4 if series == "6K" else 7, "seconds": 1.0})
    with wired(driver, FakeOnbon(options={"series": series}), paced=False) as sign:
        assert sign.do("text", "长" * count)["bytes"] > count * 2
        assert sign.state["text"].replace("\n", "") == "长" * count


def test_a_running_line_is_one_line() -> None:
    with wired(Onbon(QUICK | {"effect": "left", "height": 16}), FakeOnbon()) as sign:
        told = sign.do("text", "第一行\n第二行比屏幕宽得多也不换行")
        assert (told["text"], told["pages"]) == ("第一行 第二行比屏幕宽得多也不换行", 1)
        assert last_area(sign).lines == 1


def test_words_stay_whole_and_punctuation_does_not_begin_a_line() -> None:
    def lines(text: str, cells: int) -> list[str]:
        (line,) = read_text(text, "dual", "red").lines
        return ["".join(glyph.text for glyph in part) for part in wrap(line, cells)]

    assert lines("flood warning level", 8) == ["flood", "warning", "level"]
    assert lines("水位上涨，请撤离", 8) == ["水位上", "涨，请撤", "离"]
    assert lines("ABCDEFGHIJ", 4) == ["ABCD", "EFGH", "IJ"]
    assert lines("{date}", 4) == ["{date}"]


@given(st.text(st.characters(exclude_characters="{}\\"), max_size=120), st.integers(2, 40), st.integers(16, 64))
def test_every_text_fits_its_lines_and_is_read_back(text: str, cells: int, height: int) -> None:
    read = read_text(text, "dual", "red")
    layout = lay_out(read.lines, cells * 8, height)
    rows = height // 16
    assert layout.pages == -(-len(layout.lines) // rows)
    for line in layout.lines:
        assert len(line.encode("gbk")) <= cells
    assert read_back(layout.data)[0] == "\n".join(layout.lines)


@pytest.mark.parametrize(
    "options",
    [{"address": 0xFFFF}, {"series": "6E"}, {"width": 8}, {"height": 8}, {"colours": "many"}, {"colour": "pink"},
     {"colour": "blue"}, {"area": 5}, {"series": "5K", "area": 8}, {"effect": "zoom"}, {"zone": "Mars"},
     {"stay": 0}, {"speed": 25}],
)  # fmt: skip
def test_a_wrong_option_is_refused_by_name(options: dict[str, Any]) -> None:
    with pytest.raises(BadSetup, match=list(options)[-1]):
        Onbon(options)
