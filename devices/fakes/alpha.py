"""An Alpha sign, played on the same codec: text files, clock, dimming; answers only when it is told to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from devices.codecs import alpha, alpha_commands
from devices.codecs.alpha import Answer, Command, Decoder, Packet
from devices.codecs.alpha_commands import DATE, DAY_OF_WEEK, DIMMING, GENERAL, READ_SPECIAL, TIME_OF_DAY, WRITE_SPECIAL
from devices.fakes.fake import Fake, Moods

GENERAL_TOLD = "10711503 00,1F40,08"
TEXT_BEGINS = 4
"""Label, escape, position and mode stand before the text."""


class FakeAlpha(Fake):
    """The sign. Options: `address`, `acknowledge` (it answers 06 or 15), `reads` (it answers reads)."""

    key: ClassVar[str] = "alpha"
    rate: ClassVar[int] = 9600

    def __init__(self, moods: Moods | None = None, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(moods, options)
        self.address = str(self.options.get("address", "01"))
        self.files: dict[str, tuple[str, str]] = {}
        self.told: dict[str, str] = {}
        self._decoder = Decoder()

    def receive(self, data: bytes) -> bytes:
        damaged = self._decoder.damaged
        answers = [self._answer(frame) for frame in self._decoder.feed(data) if isinstance(frame, Packet)]
        if self._decoder.damaged > damaged and self.options.get("acknowledge"):
            answers.append(alpha.encode(Answer(False)))
        return b"".join(answers)

    def state(self) -> Mapping[str, Any]:
        try:
            told = self.told.get(DATE, "") + self.told.get(TIME_OF_DAY, "")
            clock = datetime.strptime(told, "%m%d%y%H%M").isoformat()
        except ValueError:
            clock = None
        return {
            "text": "\n".join(text.strip() for _, (_, text) in sorted(self.files.items())),
            "modes": {label: mode for label, (mode, _) in self.files.items()},
            "dimming": self.told.get(DIMMING, "0000"),
            "clock": clock,
            "weekday": self.told.get(DAY_OF_WEEK),
        }

    def _answer(self, packet: Packet) -> bytes:
        mine = all(digit in ("?", own) for digit, own in zip(packet.address, self.address, strict=True))
        if packet.address != "00" and not mine:
            return b""
        if self.moods.busy > 0:
            self.moods.busy -= 1
            return b""
        if packet.commands[0].code == READ_SPECIAL:
            return self._read(packet.commands[0].data.decode("ascii")) if self.options.get("reads") else b""
        done = [not self.moods.refusing and self._done(command) for command in packet.commands]
        return alpha.encode(Answer(all(done))) if self.options.get("acknowledge") else b""

    def _read(self, function: str) -> bytes:
        held = GENERAL_TOLD if function == GENERAL else self.told.get(function, "")
        return alpha.encode(Packet((alpha_commands.special(function, held),), "00", "0"))

    def _done(self, command: Command) -> bool:
        """Do a command; False where there is none such."""
        text = command.data.decode("ascii", "replace")
        if command.code == alpha_commands.WRITE_TEXT and len(text) >= TEXT_BEGINS:
            self.files[text[0]] = (text[TEXT_BEGINS - 1], text[TEXT_BEGINS:])
        elif command.code == WRITE_SPECIAL and text[:1] in (TIME_OF_DAY, DATE, DAY_OF_WEEK, DIMMING):
            self.told[text[0]] = text[1:]
        else:
            return False
        return True
