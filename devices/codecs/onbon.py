"""Frames of Onbon BX-5K/6K cards: LED strips and notice boards. Bytes to frames and back, no I/O.

Source: the maker's "BX-5K/6K user protocol" v1.4, sections 4 to 7. `A5` (eight sent, any number taken), the escaped
body, `5A`. Lengths and check values are of the body before escaping; numbers are little endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from devices.codecs.crc16 import crc16

START, END = 0xA5, 0x5A
STARTS_SENT = 8
ESCAPES = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
UNESCAPED = {written: plain for plain, written in ESCAPES.items()}
HEADER = struct.Struct("<HH3sBBBBBH")
BARCODE_BYTES, CHECK_BYTES = 16, 2
LONGEST_DATA = 1024
"""The card's own buffer."""
LONGEST_BODY = HEADER.size + BARCODE_BYTES + LONGEST_DATA + CHECK_BYTES
CHECK_CRC, CHECK_SUM = 0, 1
COMPUTER = 0x8000
ANY_CARD = 0xFE
BROADCAST, BROADCAST_ANSWERED = 0xFFFF, 0xFFFE


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame.

    Attributes:
        destination, source: 8000 is the computer, 1 the first card, FFFE all cards (answered), FFFF all (silent).
        data: group, command and what belongs to it (`onbon_commands.py`).
        reserved: three bytes of no meaning; some printed frames have FF in the first.
        barcode: 16 bytes when the frame is for one card by its number, else empty.
        check: 0 CRC-16, 1 sum of all bytes. Unchecked frames (2) are not taken.
        display: 0 dynamic areas are shown with the programs, 1 before them.
        device_type: FE any; 51-54 5K, 61-69 6K.
    """

    destination: int
    source: int
    data: bytes
    reserved: bytes = bytes(3)
    barcode: bytes = b""
    check: int = CHECK_CRC
    display: int = 0
    device_type: int = ANY_CARD
    version: int = 2


def encode(frame: Frame) -> bytes:
    """The bytes of a frame.

    Raises:
        ValueError: a field is out of its range.
    """
    if len(frame.data) > LONGEST_DATA or len(frame.barcode) not in (0, BARCODE_BYTES) or len(frame.reserved) != 3:
        raise ValueError("data, barcode or reserved bytes have a wrong length")
    if frame.check not in (CHECK_CRC, CHECK_SUM):
        raise ValueError(f"there is no check {frame.check}")
    try:
        header = HEADER.pack(
            frame.destination, frame.source, frame.reserved, bool(frame.barcode), frame.check, frame.display,
            frame.device_type, frame.version, len(frame.data),
        )  # fmt: skip
    except struct.error as error:
        raise ValueError(f"a field is out of its range: {error}") from None
    body = header + frame.barcode + frame.data
    body += _check(frame.check, body).to_bytes(CHECK_BYTES, "little")
    return bytes([START]) * STARTS_SENT + _escaped(body) + bytes([END])


class Decoder:
    """Frames out of a stream, in whatever pieces it comes. A start byte always begins anew: none can be inside a body.

    Attributes:
        damaged: frames that began and were no frame: lone escape, wrong length or check value, cut short.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._body: bytearray | None = None
        self._escape = 0

    @property
    def held(self) -> int:
        """Bytes kept for a frame that is not whole yet; never more than the longest body."""
        return len(self._body or b"")

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that end in this piece."""
        found: list[Frame] = []
        for byte in data:
            if byte == START:
                self._drop(bool(self._body) or bool(self._escape))
                self._body = bytearray()
            elif self._body is None:
                continue
            elif byte == END:
                self._end(found)
            else:
                self._add(byte)
        return found

    def rest(self) -> list[Frame]:
        """Once the line is quiet: a frame without end is none. Nothing is held after it."""
        self._drop(bool(self._body) or bool(self._escape))
        return []

    def _add(self, byte: int) -> None:
        assert self._body is not None
        if self._escape:
            plain = UNESCAPED.get(bytes((self._escape, byte)))
            self._escape = 0
            if plain is None:
                return self._drop(True)
            self._body.append(plain)
        elif byte in (0xA6, 0x5B):
            self._escape = byte
        else:
            self._body.append(byte)
        if len(self._body) > LONGEST_BODY:
            self._drop(True)
        return None

    def _end(self, found: list[Frame]) -> None:
        body = bytes(self._body or b"")
        frame = None if self._escape else _decode(body)
        self._drop(frame is None)
        if frame is not None:
            found.append(frame)

    def _drop(self, damaged: bool) -> None:
        self.damaged += damaged
        self._body, self._escape = None, 0


def _decode(body: bytes) -> Frame | None:
    if len(body) < HEADER.size + CHECK_BYTES:
        return None
    destination, source, reserved, option, check, display, device_type, version, length = HEADER.unpack_from(body)
    at = HEADER.size + (BARCODE_BYTES if option & 1 else 0)
    if check not in (CHECK_CRC, CHECK_SUM) or option > 1 or length > LONGEST_DATA:
        return None
    if len(body) != at + length + CHECK_BYTES:
        return None
    if int.from_bytes(body[-CHECK_BYTES:], "little") != _check(check, body[:-CHECK_BYTES]):
        return None
    return Frame(
        destination, source, body[at:-CHECK_BYTES], reserved, body[HEADER.size : at], check, display, device_type,
        version,
    )  # fmt: skip


def _escaped(body: bytes) -> bytes:
    return b"".join(ESCAPES.get(byte) or bytes((byte,)) for byte in body)


def _check(check: int, data: bytes) -> int:
    return crc16(data) if check == CHECK_CRC else sum(data) & 0xFFFF
