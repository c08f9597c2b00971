"""A fake modem: answers AT commands, keeps the messages it sent, and rings when it is told to.

Moods: refusing (every message is refused with +CMS ERROR 500), busy (the first so many are refused with 512), and those
of the line. `ring(number)` lets somebody call; the number is told once AT+CLIP=1 was sent. `lose_power()` makes it
forget what it was told. ESC ends the waiting for a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from devices.codecs import sms
from devices.fakes.fake import Fake, Moods

ANSWERS = {
    "AT": "", "ATI": "Fake Modem 4G", "AT+CGMI": "Fake", "AT+CGMM": "Modem 4G", "AT+CREG?": "+CREG: 0,1",
    "AT+CSQ": "+CSQ: 21,99", "AT+CMEE=1": "", "AT+CLIP=1": "", "AT+CMGF=0": "",
}  # fmt: skip

MESSAGE_END, ESCAPE = b"\x1a", b"\x1b"


class FakeModem(Fake):
    """A 4G modem with a SIM card."""

    key = "modem"
    rate: ClassVar[int] = 115200

    def __init__(self, moods: Moods | None = None, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(moods, options)
        self.sent: list[sms.Part] = []
        self._ringing: list[str] = []
        self.lose_power()

    def lose_power(self) -> None:
        """For a moment: what it was told is gone."""
        self._echo, self._tells_number = True, False
        self._rest = b""
        self._length: int | None = None

    def ring(self, number: str) -> None:
        """Somebody calls, once."""
        self._ringing.append(number)

    def talk(self, seconds: float) -> bytes:
        if not self._ringing or self._length is not None:
            return b""
        number = self._ringing.pop(0)
        if not self._tells_number:
            return b"\r\nRING\r\n"
        return f'\r\nRING\r\n\r\n+CLIP: "{number}",129,"",,"",0\r\n'.encode()

    def receive(self, data: bytes) -> bytes:
        self._rest += data
        said = b""
        while True:
            ends = (MESSAGE_END, ESCAPE) if self._length is not None else (b"\r",)
            end = min((end for end in ends if end in self._rest), key=self._rest.index, default=None)
            if end is None:
                return said
            piece, _, self._rest = self._rest.partition(end)
            if self._echo:
                said += piece + end
            said += self._taken(piece, end)

    def _taken(self, piece: bytes, end: bytes) -> bytes:
        if self._length is None:
            return self._command(piece.replace(ESCAPE, b"").strip().decode("latin-1"))
        if end == ESCAPE:
            self._length = None
            return b"\r\nOK\r\n"
        return self._message(piece)

    def state(self) -> Mapping[str, Any]:
        return {"sent": [{"phone": part.phone, "text": part.text} for part in self.sent]}

    def _command(self, command: str) -> bytes:
        if command == "ATE0":
            self._echo = False
            return b"\r\nOK\r\n"
        self._tells_number = self._tells_number or command == "AT+CLIP=1"
        if command.startswith("AT+CMGS="):
            self._length = int(command.removeprefix("AT+CMGS="))
            return b"\r\n> "
        answer = ANSWERS.get(command)
        if answer is None:
            return b"\r\nERROR\r\n"
        return (f"\r\n{answer}\r\n" if answer else "").encode() + b"\r\nOK\r\n"

    def _message(self, pdu: bytes) -> bytes:
        length, self._length = self._length or 0, None
        if self.moods.busy > 0:
            self.moods.busy -= 1
            return b"\r\n+CMS ERROR: 512\r\n"
        if self.moods.refusing:
            return b"\r\n+CMS ERROR: 500\r\n"
        try:
            self.sent.append(sms.decode(length, pdu.decode("latin-1")))
        except sms.BadMessage:
            return b"\r\n+CMS ERROR: 304\r\n"
        return b"\r\n+CMGS: %d\r\n\r\nOK\r\n" % (len(self.sent) % 256)
