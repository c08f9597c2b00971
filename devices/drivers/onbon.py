"""The driver of Onbon BX-5K/6K cards: notice boards and LED strips with Chinese text.

Source: the maker's "BX-5K/6K user protocol" v1.4. A text is a dynamic area: it lives in the card's memory, may be
changed as often as wanted, and is lost at power off. Programs in the card's flash are never touched; what can be sent
is a row of `onbon_commands.csv`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from time import monotonic
from typing import Any, ClassVar

from appliance.clock import Clock, SystemClock, local
from devices.codecs import onbon_commands as codec
from devices.codecs.onbon import BROADCAST_ANSWERED, LONGEST_DATA
from devices.codecs.onbon_areas import (
    BREAK_BY_MARK,
    DROP_WHEN_STALE,
    FIELDS,
    LOOP,
    MANY_LINES,
    SINGLE_LINE,
    Area,
    areas_payload,
)
from devices.drivers.interface import Action, Driver, Facts, Line, Option, check_value
from devices.drivers.onbon_card import Card, model_name
from devices.drivers.onbon_layout import CELL_PIXELS, LINE_PIXELS, lay_out, one_line, without_colour
from devices.drivers.onbon_text import MISSING, SIGNS, marks, read_text
from devices.drivers.options import seconds, whole, word, wrong_option, zone
from devices.errors import BadValue, DeviceRefused, NoAnswer

MARKS_TO_BYTES = 8
"""A mark is at most so much longer than what the card gets for it; a longer text is not even laid out."""
REFRESH_SECONDS = 1.0
"""Areas are not written faster than this."""
AREA_FRAME = len(areas_payload()) + 5 + 2 + FIELDS.size
"""Bytes of a frame with one area beside its text."""
SERIES = {"5K": (8, 512 - FIELDS.size), "6K": (5, LONGEST_DATA - AREA_FRAME)}
"""How many dynamic areas there are, and how many bytes of text each holds: 512 bytes an area, or one frame."""
EFFECTS = {"still": 1, "quick": 2, "left": 3, "right": 4, "up": 5, "down": 6}
RUNNING = ("left", "right")
ALIGNMENTS = {"left": 0, "right": 1, "centre": 2}
MIDDLE = 0b1000
BESIDE_COLOURS = "red"
"""What stands outside the marks of a text with colours, where no colour is set; every sign with colours has it."""


class Onbon(Driver):
    """A sign with an Onbon BX-5K or BX-6K card."""

    key = "onbon"
    zh = "仰邦 BX-5K/6K 控制卡"
    en = "Onbon BX-5K/6K card"
    rates = (9600, 57600)
    actions: ClassVar[tuple[Action, ...]] = (
        Action("identify", "", "联机与参数", "is it there, and its parameters", reads=True),
        Action("status", "", "开关、亮度、时钟、动态区", "power, brightness, clock, areas", reads=True),
        Action("brightness", "0-100", "亮度", "brightness"),
        Action("blank", "on|off", "关屏", "switch the picture off"),
        Action("clock", "", "校时", "set the clock"),
        Action("text", "TEXT", "显示文字", "show a text"),
        Action("clear", "", "清除动态文字", "remove the texts"),
    )
    known_options: ClassVar[Mapping[str, Option]] = {
        "address": Option(1, "屏号 (65534 任一)", "address of the card; 65534 any"),
        "series": Option("6K", "系列 5K 或 6K", "series 5K or 6K"),
        "width": Option(128, "显示区宽 (像素)", "width of the text's area in pixels"),
        "height": Option(32, "显示区高 (像素)", "height of the text's area in pixels"),
        "x": Option(0, "显示区左边 (像素)", "left edge of the area in pixels"),
        "y": Option(0, "显示区上边 (像素)", "upper edge of the area in pixels"),
        "colours": Option("dual", "single 单色 dual 双色 full 全彩", "single, dual or full"),
        "colour": Option("", "标记外的文字颜色", "colour outside marks; red beside other colours, else the card's own"),
        "area": Option(0, "动态区号", "number of the dynamic area"),
        "effect": Option("still", "显示方式", "still, quick, left, right, up or down"),
        "align": Option("left", "对齐", "left, right or centre"),
        "speed": Option(4, "速度 0 快 到 24 慢", "0 fast to 24 slow"),
        "stay": Option(5.0, "每页停留秒数", "seconds each page stays"),
        "drop_after": Option(
            0, "多少秒不刷新即撤下 (0 不撤)", "the text goes when it is not renewed for so long; 0 never"
        ),
        "zone": Option("Asia/Shanghai", "屏上时钟的时区", "time zone of the sign's clock"),
        "seconds": Option(1.0, "应答等待秒数", "how long to wait for an answer"),
        "tries": Option(3, "最多发送次数", "how often to ask at most"),
    }

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self.clock: Clock = SystemClock()
        self._card = Card(
            whole(self, "address", 0, BROADCAST_ANSWERED),
            seconds(self, "seconds", 0.05, 30),
            whole(self, "tries", 1, 10),
        )
        areas, self._text_bytes = SERIES[word(self, "series", SERIES)]
        self._area = whole(self, "area", 0, areas - 1)
        self._width = whole(self, "width", 2 * CELL_PIXELS, 4096)
        self._height = whole(self, "height", LINE_PIXELS, 2048)
        self._x, self._y = whole(self, "x", 0, 4096), whole(self, "y", 0, 2048)
        self._sign = word(self, "colours", SIGNS)
        colours = ["", *(mark.name for mark in marks().values() if mark.kind == "colour")]
        self._colour = word(self, "colour", colours)
        if self._colour and self._sign != "single" and self._sign not in marks()[self._colour].signs:
            raise wrong_option(
                self, "colour", self._colour, f"{self._sign} 屏有的颜色", f"a colour of a {self._sign} sign"
            )
        self._effect = word(self, "effect", EFFECTS)
        self._align = ALIGNMENTS[word(self, "align", ALIGNMENTS)]
        self._speed = whole(self, "speed", 0, 24)
        self._stay = seconds(self, "stay", 0.5, 120)
        self._drop_after = whole(self, "drop_after", 0, 0xFFFF)
        self._zone = zone(self, "zone")
        self._written_at: float | None = None

    def probe(self, line: Line) -> Facts | None:
        """Whether a card answers a ping."""
        try:
            frame = self._card.ask(line, "ping", tries=1)[0]
        except (NoAnswer, DeviceRefused):
            return None
        return {"address": frame.source, "model": model_name(frame.device_type)}

    def do(self, line: Line, action: str, value: str | None) -> Facts:
        given = check_value(self, action, value)
        match action:
            case "identify":
                return self._identify(line)
            case "status":
                return self._status(line)
            case "brightness":
                level = (int(given) * codec.BRIGHTEST + 50) // 100
                self._card.ask(line, "brightness", bytes((codec.BY_LEVEL, level)))
                return {"brightness": int(given), "level": level}
            case "blank":
                self._card.ask(line, "power", bytes((codec.OFF if given == "on" else codec.ON,)))
                return {"blank": given == "on"}
            case "clock":
                now = local(self.clock.now(), self._zone).replace(tzinfo=None, microsecond=0)
                self._card.ask(line, "clock", codec.clock_payload(now))
                return {"clock": now.isoformat()}
            case "text":
                return self._text(line, given)
        self._write_areas(line, areas_payload(delete=None))
        return {"text": ""}

    def _identify(self, line: Line) -> Facts:
        frame = self._card.ask(line, "ping")[0]
        facts: Facts = {"address": frame.source, "model": model_name(frame.device_type)}
        try:
            told = self._card.ask(line, "parameters", tries=1)[1].payload
        except (DeviceRefused, NoAnswer):
            return facts
        if len(told) < 9:
            return facts
        width, height = (int.from_bytes(told[at : at + 2], "little") for at in (4, 6))
        colours = {1: "single", 2: "dual"}.get(told[8], str(told[8]))
        return facts | {"model": model_name(told[2]), "width": width, "height": height, "colours": colours}

    def _status(self, line: Line) -> Facts:
        status = codec.read_status(self._card.ask(line, "status")[1].payload)
        if status is None:
            raise DeviceRefused(
                "控制卡的状态应答不完整;请核对型号。", "The card's status is cut short; check the model."
            )
        now = local(self.clock.now(), self._zone).replace(tzinfo=None)
        return {
            "blank": not status.is_on,
            "brightness": round(status.level * 100 / codec.BRIGHTEST),
            "level": status.level,
            "clock": status.clock.isoformat() if status.clock else None,
            "clock_off_seconds": _seconds_between(status.clock, now),
            "programs": status.programs,
            "areas": list(status.areas),
        }

    def _text(self, line: Line, given: str) -> Facts:
        if len(given) > MARKS_TO_BYTES * self._text_bytes:
            self._check_length(len(given))
        read = read_text(given, self._sign, self._colour or BESIDE_COLOURS)
        lines = read.lines if self._colour else without_colour(read.lines, marks()[BESIDE_COLOURS].code)
        running = self._effect in RUNNING
        layout = one_line(lines) if running else lay_out(lines, self._width, self._height)
        self._check_length(len(layout.data))
        if not any(layout.lines):
            raise BadValue("没有可显示的文字;清屏请用 clear。", "There is nothing to show; to remove texts use clear.")
        area = Area(
            self._area, self._x, self._y, self._width, self._height, layout.data,
            run_mode=DROP_WHEN_STALE if self._drop_after else LOOP,
            timeout=self._drop_after,
            align=self._align | MIDDLE,
            lines=SINGLE_LINE if running else MANY_LINES,
            breaks=BREAK_BY_MARK,
            display=EFFECTS[self._effect],
            speed=self._speed,
            stay=round(self._stay * 2),
        )  # fmt: skip
        self._write_areas(line, areas_payload((area,)))
        notes = list(read.notes)
        if read.replaced:
            notes.append((f"屏上没有的字显示为 {MISSING}", f"characters the sign does not have are shown as {MISSING}"))
        return {
            "text": "\n".join(layout.lines),
            "pages": layout.pages,
            "bytes": len(layout.data),
            "replaced": list(read.replaced),
            "notes": [{"zh": zh, "en": en} for zh, en in notes],
        }

    def _check_length(self, size: int) -> None:
        if size > self._text_bytes:
            raise BadValue(
                f"文字太长: {size} 字节,控制卡一次至多 {self._text_bytes} 字节 "
                f"(约 {self._text_bytes // 2} 个汉字);请缩短。",
                f"The text is too long: {size} bytes, the card takes {self._text_bytes} "
                f"(about {self._text_bytes // 2} Chinese characters); shorten it.",
            )

    def _write_areas(self, line: Line, payload: bytes) -> None:
        """Not faster than the card allows: what still has to pass is spent listening to the line."""
        while self._written_at is not None and (left := self._written_at + REFRESH_SECONDS - monotonic()) > 0:
            line.read(left)
        self._card.ask(line, "areas", payload)
        self._written_at = monotonic()


def _seconds_between(told: datetime | None, now: datetime) -> int | None:
    return None if told is None else round((told - now).total_seconds())
