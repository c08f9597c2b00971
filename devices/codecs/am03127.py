"""Frames of AM03127/AM004 moving-message signs. Bytes to frames and back, no I/O.

Source: "AM004 - 03128/03127 LED Display Board Communication" v2.2 as two public implementations agree on it: ASCII,
no escape layer, `<IDhh>`, payload, upper-case hexadecimal XOR of the payload, `<E>`. The sign answers `ACK` or `NACK`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor

HEAD, END = b"<ID", b"<E>"
LONGEST = 1024
"""Bytes of payload; no limit is documented, ours keeps a line full of noise from growing the memory."""
SHAPE = re.compile(rb"<ID(?:([0-9A-F]{2})>(.*)([0-9A-F]{2})|><([0-9A-F]{2})>)<E>", re.DOTALL)
WORDS = (b"NACK", b"ACK")


@dataclass(frozen=True, slots=True)
class Packet:
    """A command for a sign.

    Attributes:
        board: 0-255.
        payload: tags and text, see `am03127_payloads.py`; never holds a head or an end.
    """

    board: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class BoardId:
    """Gives whatever sign is on the line the number 0-255."""

    board: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The sign took the command, or did not."""

    taken: bool


Frame = Packet | BoardId | Answer


def encode(frame: Frame) -> bytes:
    """The bytes of a frame.

    Raises:
        ValueError: a board out of range, or a payload that holds a frame's head or end or is too long.
    """
    if isinstance(frame, Answer):
        return b"ACK" if frame.taken else b"NACK"
    if not 0 <= frame.board <= 0xFF:
        raise ValueError(f"board {frame.board} is not 0-255")
    if isinstance(frame, BoardId):
        return b"<ID><%02X><E>" % frame.board
    content = frame.payload + b"%02X" % checksum(frame.payload)
    if HEAD in content or END in content or len(frame.payload) > LONGEST:
        raise ValueError("the payload holds a head or an end, or is too long")
    return b"<ID%02X>%s%s" % (frame.board, content, END)


def checksum(payload: bytes) -> int:
    """XOR of all bytes."""
    return reduce(xor, payload, 0)


class Decoder:
    """Frames out of a stream, in whatever pieces it comes. A head inside a payload begins anew.

    Attributes:
        damaged: frames that had head and end and a wrong check value or shape, or were too long.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._held = bytearray()

    @property
    def held(self) -> int:
        """Bytes kept for a frame that is not whole yet; never more than the longest frame."""
        return len(self._held)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that end in this piece."""
        found: list[Frame] = []
        for byte in data:
            self._held.append(byte)
            frame = self._step()
            if frame is not None:
                found.append(frame)
        return found

    def rest(self) -> list[Frame]:
        """Once the line is quiet: what is held is no frame. Nothing is held after it."""
        self._held.clear()
        return []

    def _step(self) -> Frame | None:
        """What the last byte made whole."""
        held = self._held
        if not held.startswith(HEAD):
            return self._word()
        if held.endswith(HEAD) and len(held) > len(HEAD):
            self.damaged += 1
            del held[: -len(HEAD)]
        elif held.endswith(END):
            frame = _decode(bytes(held))
            self.damaged += frame is None
            held.clear()
            return frame
        elif len(held) > len(HEAD) + 3 + LONGEST + 2 + len(END):
            self.damaged += 1
            held.clear()
        return None

    def _word(self) -> Answer | None:
        """ACK or NACK outside frames; else only what can still become a word or a head is kept."""
        held = self._held
        if bytes(held) in WORDS:
            taken = held[0] != WORDS[0][0]
            held.clear()
            return Answer(taken)
        while held and not any(start.startswith(held) for start in (*WORDS, HEAD)):
            del held[0]
        return None


def _decode(data: bytes) -> Packet | BoardId | None:
    match = SHAPE.fullmatch(data)
    if match is None:
        return None
    board, payload, check, new = match.groups()
    if new is not None:
        return BoardId(int(new, 16))
    if int(check, 16) != checksum(payload) or len(payload) > LONGEST:
        return None
    return Packet(int(board, 16), payload)
