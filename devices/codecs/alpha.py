"""Packets of Alpha/BetaBrite signs. Bytes to packets and back, no I/O.

Source: the maker's protocol as three public implementations agree on it. Five or more `00` (the sign measures the bit
rate by them), `01`, type code, two hexadecimal digits address, then one or more commands: `02`, a letter and data, and
where wanted `03` with four digits of a 16-bit sum from `02` to `03`; at the end `04`. Seven data bits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NUL, SOH, STX, ETX, EOT, ACK, NAK = 0, 1, 2, 3, 4, 6, 0x15
NULS_SENT = 5
LONGEST = 4096
"""Bytes of a packet from `01` to `04`; ours, so that noise does not grow the memory."""
HEADER = (frozenset(range(0x20, 0x80)), frozenset(b"0123456789ABCDEF?"), frozenset(b"0123456789ABCDEF?"), {STX})
"""What may stand after the first byte: type code, address, the first command."""
FRAME_BYTES = bytes((NUL, SOH, STX, ETX, EOT))
COMMAND = re.compile(rb"\x02([^\x00-\x04]+)(?:\x03([0-9A-F]{4}))?")
PACKET = re.compile(rb"\x01([\x20-\x7f])([0-9A-F?]{2})((?:\x02[^\x00-\x04]+(?:\x03[0-9A-F]{4})?)+)\x04")


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its letter, and data after it (`alpha_commands.py`). Unchecked ones have no sum."""

    code: str
    data: bytes
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Packet:
    """What goes to signs, or comes from one.

    Attributes:
        commands: one, or several that are sent together ("nested").
        address: two digits, `00` all signs, `?` stands for any digit.
        type_code: the kind of sign; Z any, 0 in an answer.
    """

    commands: tuple[Command, ...]
    address: str = "00"
    type_code: str = "Z"


@dataclass(frozen=True, slots=True)
class Answer:
    """A single byte: the sign took the packet, or did not. It has no check; count it only after a request."""

    taken: bool


Frame = Packet | Answer


def encode(frame: Frame) -> bytes:
    """The bytes of a packet or an answer.

    Raises:
        ValueError: something that seven bits, or the frame, cannot carry.
    """
    return b"".join(pieces(frame))


def pieces(frame: Frame) -> list[bytes]:
    """The bytes of a packet, cut after each `02`: signs want about 100 ms of silence there when commands are nested."""
    if isinstance(frame, Answer):
        return [bytes((ACK if frame.taken else NAK,))]
    cut = [bytes(NULS_SENT) + bytes((SOH,)) + _ascii(frame.type_code) + _ascii(frame.address) + bytes((STX,))]
    for number, command in enumerate(frame.commands):
        if number:
            cut[-1] += bytes((STX,))
        cut.append(_command(command))
    cut[-1] += bytes((EOT,))
    whole = b"".join(cut)
    if PACKET.fullmatch(whole[NULS_SENT:]) is None or len(whole) - NULS_SENT > LONGEST:
        raise ValueError("type code, address or commands are not those of a packet, or it is too long")
    return cut


def _command(command: Command) -> bytes:
    content = _ascii(command.code) + command.data
    if len(command.code) != 1 or any(byte in FRAME_BYTES or byte > 0x7F for byte in content):
        raise ValueError("a command holds bytes that the frame or seven bits cannot carry")
    if not command.checked:
        return content
    return content + b"\x03%04X" % _sum(content)


def _ascii(text: str) -> bytes:
    try:
        return text.encode("ascii")
    except UnicodeEncodeError as error:
        raise ValueError(f"{text!r} is not ASCII") from error


def _sum(content: bytes) -> int:
    return (STX + sum(content) + ETX) & 0xFFFF


class Decoder:
    """Packets and answers out of a stream, in whatever pieces it comes. `01` always begins anew.

    Attributes:
        damaged: packets that began and were none: a wrong sum or shape, cut short, too long.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._held: bytearray | None = None

    @property
    def held(self) -> int:
        """Bytes kept for a packet that is not whole yet; never more than the longest packet."""
        return len(self._held or b"")

    def feed(self, data: bytes) -> list[Frame]:
        """The packets and answers that end in this piece."""
        found: list[Frame] = []
        for byte in data:
            if byte == SOH:
                self._drop(self._held is not None)
                self._held = bytearray((SOH,))
            elif self._held is not None and self._fits(byte):
                self._add(byte, found)
            else:
                self._drop(self._held is not None)
                if byte in (ACK, NAK):
                    found.append(Answer(byte == ACK))
        return found

    def rest(self) -> list[Frame]:
        """Once the line is quiet: a packet without end is none. Nothing is held after it."""
        self._drop(self._held is not None)
        return []

    def _fits(self, byte: int) -> bool:
        at = len(self._held or b"") - 1
        return byte in HEADER[at] if at < len(HEADER) else NUL < byte < 0x80

    def _add(self, byte: int, found: list[Frame]) -> None:
        assert self._held is not None
        self._held.append(byte)
        if byte == EOT:
            packet = _decode(bytes(self._held))
            self._drop(packet is None)
            if packet is not None:
                found.append(packet)
        elif len(self._held) >= LONGEST:
            self._drop(True)

    def _drop(self, damaged: bool) -> None:
        self.damaged += damaged
        self._held = None


def _decode(data: bytes) -> Packet | None:
    match = PACKET.fullmatch(data)
    if match is None:
        return None
    type_code, address, content = match.groups()
    commands = []
    for found in COMMAND.finditer(content):
        body, check = found.groups()
        if check is not None and int(check, 16) != _sum(body):
            return None
        commands.append(Command(chr(body[0]), body[1:], check is not None))
    return Packet(tuple(commands), address.decode("ascii"), type_code.decode("ascii"))
