"""The `raw` driver: commands of a device without a driver of its own, out of a file that a technician wrote.

Its actions are the names in the file (`raw_file.py`). Nothing is known about the device beyond what the file says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from devices.drivers.interface import Action, Driver, Facts, Line, Option, check_value
from devices.drivers.options import ask_again, whole
from devices.drivers.raw_file import EXAMPLE, RANGE, Command, load_file
from devices.errors import BadSetup, BadValue, DeviceRefused, NoAnswer

HEARD_AT_MOST = 4096
SHOWN_AT_MOST = 200
TEXT_AT_MOST = 1000


class Raw(Driver):
    """A device by its file; the option `file` names it, `example` is the one that is shipped."""

    key = "raw"
    zh = "自定义命令设备"
    en = "device by a command file"
    rates = (9600,)
    known_options: ClassVar[Mapping[str, Option]] = {
        "file": Option("", "命令文件 (TOML) 的路径", "path of the command file (TOML)"),
        "tries": Option(1, "最多发送次数", "how often to send at most; more only where that does no harm"),
    }

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self.file = load_file(command_path(self.options["file"]))
        self._tries = whole(self, "tries", 1, 10)
        commands = self.file.commands.values()
        # Of this device, not of the class: each file has its own.
        vars(self)["actions"] = tuple(Action(one.name, one.value, one.zh, one.en, one.reads) for one in commands)
        vars(self)["zh"] = vars(self)["en"] = self.file.title

    def probe(self, line: Line) -> Facts | None:
        """`identify` of the file, when it says that this only reads and what the answer is."""
        command = self.file.commands.get("identify")
        if command is None or not command.reads or command.expect is None:
            return None
        try:
            return self._run(line, command, b"", tries=1)
        except (NoAnswer, DeviceRefused):
            return None

    def poll(self, line: Line) -> Facts:
        """`status` of the file, when it says that this only reads."""
        command = self.file.commands.get("status")
        return self._run(line, command, b"") if command is not None and command.reads else {}

    def do(self, line: Line, action: str, value: str | None) -> Facts:
        given = check_value(self, action, value)
        command = self.file.commands[action]
        facts = self._run(line, command, self._value(command, given))
        return {action: given} | facts if given else facts

    def _value(self, command: Command, given: str) -> bytes:
        """The value as the device wants it.

        Raises:
            BadValue: a text with characters that the file's encoding or a line cannot carry.
        """
        if given in command.words:
            return command.words[given]
        if RANGE.fullmatch(command.value):
            number = int(given)
            if command.scale is not None:
                low, high = command.scale
                number = low + round((high - low) * number / 100)
            return bytes((number,)) if command.is_hex else str(number).encode("ascii")
        if len(given) > TEXT_AT_MOST:
            raise BadValue(
                f"文字太长: {len(given)} 字,至多 {TEXT_AT_MOST}。",
                f"The text has {len(given)} characters, at most {TEXT_AT_MOST}.",
            )
        try:
            data = given.encode(self.file.encoding)
        except UnicodeEncodeError as error:
            foreign = given[error.start : error.end]
            raise BadValue(
                f"命令文件的编码 {self.file.encoding} 不能写“{foreign}”。",
                f"The encoding {self.file.encoding} of the command file cannot write {foreign!r}.",
            ) from None
        if any(byte < 0x20 or byte == 0x7F for byte in data):
            raise BadValue("文字中不能有控制字符。", "A text holds no control characters.")
        return data

    def _run(self, line: Line, command: Command, value: bytes, tries: int | None = None) -> Facts:
        wire = command.wire(value)
        if command.expect is None:
            line.write(wire)
            return {"answer": None}
        expect, seconds = command.expect, command.seconds

        def once() -> bytes:
            return line.ask(wire, _gathered(), lambda heard: expect.search(heard) is not None, seconds)

        heard = ask_again(tries or self._tries, once)
        found = expect.search(heard)
        shown = found[found.re.groups and 1] if found else heard
        return {"answer": printable(shown or b"")}


def command_path(given: Any) -> Path:
    """The path of a command file; `example` is the shipped one.

    Raises:
        BadSetup: none was named.
    """
    if not isinstance(given, str | Path) or not str(given):
        raise BadSetup(
            f"raw 驱动需要选项 file: 命令文件的路径;可从 {EXAMPLE} 复制。",
            f"The driver raw needs the option file, the path of a command file; copy {EXAMPLE}.",
        )
    return EXAMPLE if str(given) == "example" else Path(given).expanduser()


def printable(data: bytes) -> str:
    """Text where it is text, else hexadecimal."""
    shown = data[:SHOWN_AT_MOST]
    return shown.decode("ascii") if shown.isascii() and shown.decode("ascii").isprintable() else shown.hex(" ").upper()


def _gathered() -> Callable[[bytes], list[bytes]]:
    """All that was heard since the command, so that an answer in pieces is found; old bytes go first."""
    heard = b""

    def decode(data: bytes) -> list[bytes]:
        nonlocal heard
        heard = (heard + data)[-HEARD_AT_MOST:]
        return [heard]

    return decode
