"""The driver of Alpha/BetaBrite signs: a Latin text, clock, dimming. Most of these signs never answer.

Source: see `devices/codecs/alpha.py`. With the option `acknowledge` (newer signs, switched on at the sign) each packet
is waited for. Memory layout and reset, which would erase what the sign holds, cannot be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from appliance.clock import Clock, SystemClock, local
from devices.codecs import alpha, alpha_commands
from devices.codecs.alpha import Answer, Command, Decoder, Frame, Packet
from devices.codecs.alpha_commands import GENERAL, TIME_OF_DAY, WRITE_SPECIAL
from devices.drivers.csv_tables import read_table
from devices.drivers.interface import Action, Driver, Facts, Line, Option, check_value
from devices.drivers.latin_text import latin
from devices.drivers.options import ask_again, seconds, whole, word, wrong_option, yes, zone
from devices.errors import BadValue, DeviceRefused, NoAnswer

PAUSE_SECONDS = 0.1
"""Silence that a sign wants after each 02 of nested commands."""
TEXT_AT_MOST = 1000
MODES = {"rotate": "a", "hold": "b", "flash": "c", "scroll": "m"}
HEX = "0123456789ABCDEF?"


@cache
def dimming_levels() -> dict[int, int]:
    """Percent by level.

    Raises:
        TableError: the table is wrong.
    """
    rows = read_table("alpha_dimming.csv", ("level", "percent"), unique="level")
    return {row.number("level", 0, 4): row.number("percent", 0, 100) for row in rows}


class Alpha(Driver):
    """A sign of the Alpha family."""

    key = "alpha"
    zh = "Alpha 条屏"
    en = "Alpha sign"
    framing = "7E1"
    actions: ClassVar[tuple[Action, ...]] = (
        Action("identify", "", "读取型号信息 (仅会应答的屏)", "general information, of signs that answer", reads=True),
        Action("status", "", "读取屏上时间 (仅会应答的屏)", "the sign's time, of signs that answer", reads=True),
        Action("brightness", "0-100", "亮度 (五级)", "brightness in five levels"),
        Action("clock", "", "校时", "set the clock"),
        Action("text", "TEXT", "显示西文", "show a Latin text"),
        Action("clear", "", "清空文字", "empty the text"),
    )
    known_options: ClassVar[Mapping[str, Option]] = {
        "address": Option("00", "屏号两位十六进制,00 全部", "two hexadecimal digits, 00 all signs"),
        "label": Option("A", "文本文件号", "label of the text file"),
        "mode": Option("hold", "rotate、hold、flash、scroll", "rotate, hold, flash or scroll"),
        "acknowledge": Option(False, "屏会应答 06/15", "the sign answers 06 or 15"),
        "checksum": Option(True, "发送校验和", "send sums"),
        "zone": Option("Asia/Shanghai", "屏上时钟的时区", "time zone of the sign's clock"),
        "seconds": Option(1.5, "应答等待秒数", "how long to wait for an answer"),
        "tries": Option(2, "最多发送次数", "how often to send at most"),
    }

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self.clock: Clock = SystemClock()
        self._address = str(self.options["address"])
        if len(self._address) != 2 or any(digit not in HEX for digit in self._address):
            raise wrong_option(self, "address", self._address, "两位十六进制数", "two hexadecimal digits")
        self._label = word(self, "label", tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        self._mode = MODES[word(self, "mode", MODES)]
        self._acknowledged, self._checked = yes(self, "acknowledge"), yes(self, "checksum")
        self._zone = zone(self, "zone")
        self._seconds, self._tries = seconds(self, "seconds", 0.05, 30), whole(self, "tries", 1, 10)

    def probe(self, line: Line) -> Facts | None:
        """General information, of signs that answer."""
        try:
            return {"general": self._told(line, GENERAL, tries=1)}
        except (NoAnswer, DeviceRefused):
            return None

    def poll(self, line: Line) -> Facts:
        """The status of signs that answer; the others would be called dead for nothing."""
        return self.do(line, "status", None) if self._acknowledged else {}

    def do(self, line: Line, action: str, value: str | None) -> Facts:
        given = check_value(self, action, value)
        match action:
            case "identify":
                return {"general": self._told(line, GENERAL)}
            case "status":
                return {"clock": self._told(line, TIME_OF_DAY)}
            case "brightness":
                level = min(dimming_levels(), key=lambda level: abs(dimming_levels()[level] - int(given)))
                sent = self._tell(line, alpha_commands.dimming(0, level))
                return {"brightness": dimming_levels()[level], "level": level} | sent
            case "clock":
                now = local(self.clock.now(), self._zone).replace(tzinfo=None, microsecond=0)
                return {"clock": now.isoformat()} | self._tell(line, *alpha_commands.clock(now))
            case "clear":
                return {"text": ""} | self._tell(line, self._text_command(" "))
        text = latin(self, given, "ascii")
        if len(text) > TEXT_AT_MOST:
            raise BadValue(
                f"文字太长: {len(text)} 字,至多 {TEXT_AT_MOST};请缩短。",
                f"The text has {len(text)} characters, at most {TEXT_AT_MOST}; shorten it.",
            )
        return {"text": text} | self._tell(line, self._text_command(text))

    def _text_command(self, text: str) -> Command:
        return alpha_commands.write_text(text, label=self._label, mode=self._mode)

    def _told(self, line: Line, function: str, tries: int | None = None) -> str:
        """What a special function holds.

        Raises:
            NoAnswer: the sign says nothing, as most do.
        """

        def wanted(frame: Frame) -> bool:
            return (
                isinstance(frame, Packet) and frame.commands[0].code == WRITE_SPECIAL and _function(frame) == function
            )

        wire = self._wire(alpha_commands.read_special(function))
        frame = ask_again(tries or self._tries, lambda: line.ask(wire[-1], Decoder().feed, wanted, self._seconds))
        assert isinstance(frame, Packet)
        return frame.commands[0].data[1:].decode("ascii", "replace").strip()

    def _tell(self, line: Line, *commands: Command) -> Facts:
        """Send a packet; several commands with the pauses that a sign wants.

        Raises:
            NoAnswer: a sign that acknowledges is silent. DeviceRefused: it says no.
        """
        pieces = self._wire(*commands)
        if not self._acknowledged:
            self._send(line, pieces)
            return {"acknowledged": None}

        def once() -> Answer:
            self._send(line, pieces[:-1])
            found = line.ask(pieces[-1], Decoder().feed, lambda frame: isinstance(frame, Answer), self._seconds)
            assert isinstance(found, Answer)
            return found

        if not ask_again(self._tries, once).taken:
            raise DeviceRefused(
                "条屏不接受该命令 (NAK);请核对型号和校验设置。",
                "The sign refused the command (NAK); check its model and the option checksum.",
            )
        return {"acknowledged": True}

    def _send(self, line: Line, pieces: list[bytes]) -> None:
        for piece in pieces:
            line.write(piece)
            line.read(PAUSE_SECONDS if piece is not pieces[-1] else 0)

    def _wire(self, *commands: Command) -> list[bytes]:
        """The bytes; in one piece unless commands are nested."""
        made = tuple(Command(command.code, command.data, self._checked) for command in commands)
        packet = Packet(made, self._address)
        return alpha.pieces(packet) if len(made) > 1 else [alpha.encode(packet)]


def _function(packet: Packet) -> str:
    return packet.commands[0].data[:1].decode("ascii", "replace")
