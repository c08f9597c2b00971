"""NovaStar "M3" frames: sending boxes of video walls. Bytes to frames and back, no I/O.

Source: the maker's "RS232 Protocol for Nova M3 Control System" V1.9 and V1.6; all numbers little endian, nothing is
escaped. `55 AA` begins a request, `AA 55` an answer; the sum at the end is 0x5555 plus all bytes between head and sum.
A read request names a length and carries no data; the answer to a write has length 0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

REQUEST, ANSWER = b"\x55\xaa", b"\xaa\x55"
READ, WRITE = 0, 1
COMPUTER = 0xFE
ALL_PORTS, ALL_BOARDS = 0xFF, 0xFFFF
SENDING_CARD, RECEIVING_CARD, FUNCTION_CARD = 0, 1, 2
DONE, NOT_REACHED, BAD_SUM, BAD_SUM_BEHIND, BAD_COMMAND = range(5)
FIELDS = struct.Struct("<BBBBBBHBBIH")
HEAD, SUM = 2, 2
WRAPPING = HEAD + FIELDS.size + SUM
"""Bytes of a frame without data: 20."""
LONGEST = 1024
"""The longest data in the documents is 256 bytes; what claims more than this is no frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A request or an answer.

    Attributes:
        is_request: begins with `55 AA`.
        ack: 0 in a request; in an answer 0 done, 1 device behind the box not reached, 2 the request's sum was wrong,
            3 the sum of the answer from behind was wrong, 4 no such command.
        serial: 0-255, given back by the answer.
        source, destination: FE is the computer, 0 the first box on the line, FF any box.
        device_type: 0 sending card, 1 receiving card, 2 function card.
        port: output 0-3, FF all. board: index in the chain, FFFF all.
        code: 0 read, 1 write.
        length: bytes asked for, or bytes that follow.
    """

    is_request: bool
    ack: int
    serial: int
    source: int
    destination: int
    device_type: int
    port: int
    board: int
    code: int
    address: int
    length: int
    data: bytes = b""


def read_request(
    address: int,
    length: int,
    *,
    serial: int,
    device_type: int = SENDING_CARD,
    port: int = 0,
    board: int = 0,
    destination: int = 0,
) -> Frame:
    """Ask for the `length` bytes of a register."""
    return Frame(True, 0, serial, COMPUTER, destination, device_type, port, board, READ, address, length)


def write_request(
    address: int,
    data: bytes,
    *,
    serial: int,
    device_type: int = SENDING_CARD,
    port: int = 0,
    board: int = 0,
    destination: int = 0,
) -> Frame:
    """Put bytes into a register."""
    return Frame(True, 0, serial, COMPUTER, destination, device_type, port, board, WRITE, address, len(data), data)


def answer_to(request: Frame, ack: int = DONE, data: bytes = b"") -> Frame:
    """The answer to a request, as a box gives it; without data it has length 0."""
    return Frame(
        False, ack, request.serial, request.destination, request.source, request.device_type, request.port,
        request.board, request.code, request.address, len(data), data,
    )  # fmt: skip


def encode(frame: Frame) -> bytes:
    """The bytes of a frame.

    Raises:
        ValueError: a field is out of its range, or data and length do not go together.
    """
    if frame.code not in (READ, WRITE) or (frame.is_request and frame.ack):
        raise ValueError(f"code {frame.code} with ack {frame.ack} is no frame")
    if len(frame.data) != _data_of(frame.is_request, frame.code, frame.length) or frame.length > LONGEST:
        raise ValueError(f"{len(frame.data)} bytes of data do not fit length {frame.length}")
    try:
        fields = FIELDS.pack(
            frame.ack, frame.serial, frame.source, frame.destination, frame.device_type, frame.port, frame.board,
            frame.code, 0, frame.address, frame.length,
        )  # fmt: skip
    except struct.error as error:
        raise ValueError(f"a field is out of its range: {error}") from None
    body = fields + frame.data
    return (REQUEST if frame.is_request else ANSWER) + body + _sum(body).to_bytes(SUM, "little")


class Decoder:
    """Frames out of a stream, in whatever pieces it comes. On a wrong sum it slides on by one byte.

    Args:
        longest: what claims more data is no frame. Who knows how much was asked for says so: then noise that looks
            like the head of a long frame cannot hold up what follows.

    Attributes:
        damaged: frames that had a sound header and a wrong sum.
        spoilt: the last of them, as it came; a box names it in its refusal.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self.damaged = 0
        self.spoilt: Frame | None = None
        self._longest = longest
        self._held = bytearray()

    @property
    def held(self) -> int:
        """Bytes kept for a frame that is not whole yet; never more than the longest frame."""
        return len(self._held)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that end in this piece."""
        found: list[Frame] = []
        for at in range(0, len(data), LONGEST):
            self._held += data[at : at + LONGEST]
            found += self._frames()
        return found

    def rest(self) -> list[Frame]:
        """Once the line is quiet: whole frames behind a head that never became a frame. Nothing is held after it."""
        found: list[Frame] = []
        while self._held:
            del self._held[0]
            found += self._frames()
        return found

    def _frames(self) -> list[Frame]:
        held, at, found = self._held, 0, []
        while (at := _next_head(held, at)) < len(held):
            size = self._size(at)
            if size is None:
                break
            if not size:
                at += 1
                continue
            frame, whole = _decode(bytes(held[at : at + size]))
            if whole:
                found.append(frame)
                at += size
            else:
                self.damaged, self.spoilt = self.damaged + 1, frame
                at += 1
        del held[:at]
        return found

    def _size(self, at: int) -> int | None:
        """Size of the frame that begins here, 0 if none can, None if more must come to tell."""
        held = self._held
        if len(held) - at < HEAD + FIELDS.size:
            return None
        ack, *_, code, reserved, _, length = FIELDS.unpack_from(held, at + HEAD)
        is_request = held[at] == REQUEST[0]
        if code > WRITE or reserved or length > self._longest or (is_request and ack):
            return 0
        size = WRAPPING + _data_of(is_request, code, length)
        return size if len(held) - at >= size else None


def _data_of(is_request: bool, code: int, length: int) -> int:
    """How many bytes of data follow."""
    return 0 if is_request and code == READ else length


def _next_head(held: bytearray, at: int) -> int:
    """Where a head begins, or the first half of one at the very end; else the end."""
    places = [place for head in (REQUEST, ANSWER) if (place := held.find(head, at)) >= 0]
    if places:
        return min(places)
    half = at < len(held) and held[-1] in (REQUEST[0], ANSWER[0])
    return len(held) - half


def _decode(data: bytes) -> tuple[Frame, bool]:
    """A frame, and whether its sum is right."""
    body = data[HEAD:-SUM]
    ack, serial, source, destination, device_type, port, board, code, _, address, length = FIELDS.unpack_from(body)
    frame = Frame(
        data[:HEAD] == REQUEST, ack, serial, source, destination, device_type, port, board, code, address, length,
        body[FIELDS.size :],
    )  # fmt: skip
    return frame, int.from_bytes(data[-SUM:], "little") == _sum(body)


def _sum(body: bytes) -> int:
    return (0x5555 + sum(body)) & 0xFFFF
