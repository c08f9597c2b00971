"""The device that a command file describes: it knows the commands of the file and answers what the file expects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from devices.drivers.raw import command_path
from devices.drivers.raw_file import CHECKS, RANGE, Command, load_file
from devices.fakes.fake import Fake, Moods

HELD_AT_MOST = 1024


class FakeRaw(Fake):
    """The device. Option: `file`, as the driver's."""

    key: ClassVar[str] = "raw"
    rate: ClassVar[int] = 9600

    def __init__(self, moods: Moods | None = None, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(moods, options)
        self.file = load_file(command_path(self.options.get("file", "example")))
        self.done: dict[str, str] = {}
        self._patterns = {name: _pattern(command) for name, command in self.file.commands.items()}
        self._held = b""

    def receive(self, data: bytes) -> bytes:
        self._held = (self._held + data)[-HELD_AT_MOST:]
        said = b""
        while (found := self._first()) is not None:
            command, match = found
            self._held = self._held[match.end() :]
            said += self._answer(command, match["value"])
        return said

    def state(self) -> Mapping[str, Any]:
        return dict(self.done)

    def _first(self) -> tuple[Command, re.Match[bytes]] | None:
        """The first command in what was heard whose check is right."""
        found = []
        for name, pattern in self._patterns.items():
            command = self.file.commands[name]
            for match in pattern.finditer(self._held):
                if match[0] == command.wire(match["value"]):
                    found.append((match.start(), command, match))
                    break
        return min(found, key=lambda item: item[0])[1:] if found else None

    def _answer(self, command: Command, value: bytes) -> bytes:
        if self.moods.busy > 0:
            self.moods.busy -= 1
            return b""
        if self.moods.refusing and not command.reads:
            return b""
        words = {data: word for word, data in command.words.items()}
        number = command.is_hex and RANGE.fullmatch(command.value)
        told = str(value[0]) if number else value.decode(self.file.encoding, "replace")
        self.done[command.name] = words.get(value, told)
        return command.answer


def _pattern(command: Command) -> re.Pattern[bytes]:
    value = b"(?P<value>.)" if command.is_hex and command.after is not None else b"(?P<value>.{0,200}?)"
    if command.after is None:
        value = b"(?P<value>)"
    check = b"." * len(CHECKS[command.check](b""))
    return re.compile(
        re.escape(command.before) + value + re.escape(command.after or b"") + check + re.escape(command.end), re.DOTALL
    )
