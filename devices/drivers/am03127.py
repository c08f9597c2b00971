"""The driver of AM03127/AM004 moving-message signs: a page of Latin text, clock, brightness in four levels.

Source: see `devices/codecs/am03127.py`. Nothing can be read from these signs: they answer ACK or NACK to commands that
change something, so there is no probe and no status.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from appliance.clock import Clock, SystemClock, local
from devices.codecs import am03127, am03127_payloads
from devices.codecs.am03127 import Answer, Decoder, Packet
from devices.codecs.am03127_payloads import CODE_PAGE, LAGGING, LEADING, PAGES
from devices.drivers.csv_tables import TableError, read_table
from devices.drivers.interface import Action, Driver, Facts, Line, Option, check_value
from devices.drivers.latin_text import latin
from devices.drivers.options import ask_again, seconds, whole, word, zone
from devices.errors import BadValue, DeviceRefused

TEXT_AT_MOST = 900
"""Characters of a page; no limit is documented, ours leaves room for tags."""
COLOURS = "ABCDEFGHIJKLMNOPQRS"


@cache
def brightness_levels() -> list[tuple[int, str]]:
    """The lowest percentage of each level and its letter, the brightest first.

    Raises:
        TableError: the table is wrong.
    """
    rows = read_table("am03127_brightness.csv", ("letter", "lowest", "zh", "en"), unique="letter")
    levels = [(row.number("lowest", 0, 100), row.one_of("letter", "ABCD")) for row in rows]
    if levels != sorted(levels, reverse=True) or levels[-1][0] != 0:
        raise TableError("am03127_brightness.csv: the levels do not go down to 0")
    return levels


class Am03127(Driver):
    """A moving-message sign."""

    key = "am03127"
    zh = "AM03127 条屏"
    en = "AM03127 sign"
    actions: ClassVar[tuple[Action, ...]] = (
        Action("brightness", "0-100", "亮度 (四级)", "brightness in four levels"),
        Action("clock", "", "校时", "set the clock"),
        Action("text", "TEXT", "显示西文", "show a Latin text"),
        Action("clear", "", "删除本页", "remove our page"),
    )
    known_options: ClassVar[Mapping[str, Option]] = {
        "board": Option(1, "屏号 0 到 255", "board 0 to 255"),
        "line": Option(1, "第几行 1 到 8", "line 1 to 8"),
        "page": Option("A", "页 A 到 Z", "page A to Z"),
        "leading": Option("E", "进入方式字母", "how the text comes, a letter of the document"),
        "lagging": Option("E", "离开方式字母", "how it goes, a letter of the document"),
        "speed": Option("Q", "速度 A 最快 Q a q 最慢", "A fastest, Q, a, q slowest; the letters after them blink"),
        "wait": Option(5, "停留秒数 0 到 25", "seconds it stays, 0 to 25"),
        "colour": Option("", "颜色字母 A 到 S", "colour letter A to S"),
        "font": Option("", "字体字母 A 到 E", "font letter A to E"),
        "zone": Option("Asia/Shanghai", "屏上时钟的时区", "time zone of the sign's clock"),
        "seconds": Option(1.5, "应答等待秒数", "how long to wait for an answer"),
        "tries": Option(2, "最多发送次数", "how often to send at most"),
    }

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self.clock: Clock = SystemClock()
        self._board, self._line = whole(self, "board", 0, 0xFF), whole(self, "line", 1, 8)
        self._page = word(self, "page", PAGES)
        self._leading, self._lagging = word(self, "leading", LEADING), word(self, "lagging", LAGGING)
        self._speed = word(self, "speed", tuple("ABCDEFGHIJKLMNOPQRSTUabcdefghijklmnopqrstu"))
        self._wait = whole(self, "wait", 0, 25)
        self._colour, self._font = word(self, "colour", ("", *COLOURS)), word(self, "font", ("", *"ABCDE"))
        self._zone = zone(self, "zone")
        self._seconds, self._tries = seconds(self, "seconds", 0.05, 30), whole(self, "tries", 1, 10)

    def do(self, line: Line, action: str, value: str | None) -> Facts:
        given = check_value(self, action, value)
        match action:
            case "brightness":
                letter = next(letter for lowest, letter in brightness_levels() if int(given) >= lowest)
                self._tell(line, am03127_payloads.brightness(letter))
                return {"brightness": int(given), "level": letter}
            case "clock":
                now = local(self.clock.now(), self._zone).replace(tzinfo=None, microsecond=0)
                self._tell(line, am03127_payloads.clock(now))
                return {"clock": now.isoformat()}
            case "clear":
                self._tell(line, am03127_payloads.delete_page(self._line, self._page))
                return {"text": ""}
        text = latin(self, given, CODE_PAGE)
        if len(text) > TEXT_AT_MOST:
            raise BadValue(
                f"文字太长: {len(text)} 字,至多 {TEXT_AT_MOST};请缩短。",
                f"The text has {len(text)} characters, at most {TEXT_AT_MOST}; shorten it.",
            )
        self._tell(line, self._text_payload(text))
        return {"text": text, "page": self._page}

    def _text_payload(self, text: str) -> bytes:
        tags = am03127_payloads.colour(self._colour) if self._colour else b""
        tags += am03127_payloads.font(self._font) if self._font else b""
        return am03127_payloads.page(
            self._line, self._page, self._leading, self._speed, self._wait, self._lagging,
            tags + am03127_payloads.plain(text),
        )  # fmt: skip

    def _tell(self, line: Line, payload: bytes) -> None:
        """Send a command and wait for ACK.

        Raises:
            NoAnswer: the sign is silent. DeviceRefused: NACK.
        """
        wire = am03127.encode(Packet(self._board, payload))

        def once() -> Answer:
            found = line.ask(wire, Decoder().feed, lambda frame: isinstance(frame, Answer), self._seconds)
            assert isinstance(found, Answer)
            return found

        if not ask_again(self._tries, once).taken:
            raise DeviceRefused(
                "条屏不接受该命令 (NACK);请核对屏号、行和页。",
                "The sign refused the command (NACK); check board, line and page.",
            )
