"""Sentences out of a stream of bytes: `$`, talker, kind, fields, `*` and two digits of checksum. And back.

Within this folder: `framing` → `values` → `sentences` → `epoch`; `sky` and `dates` help. Facts: the seed document
`gnss.md`; meanings of the fields as published for NMEA 0183 2.3 to 4.11.

A sentence without a right checksum is damaged and nothing else; what surrounds it does no harm. The buffer is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_BODY, _DIGITS = rb"[0-9A-Za-z]{3,20}(?:,[ -#%-)+-~]{0,1000})?", rb"[0-9A-Fa-f]{2}"
_FORM = re.compile(rb"(%b)\*(%b)\s*" % (_BODY, _DIGITS)).fullmatch
"""Address, fields of printable characters without `$` and `*`, two digits."""
_CLEAN = re.compile(rb"(?:\$%b\*%b\r?\n)*" % (_BODY, _DIGITS)).fullmatch
_EACH = re.compile(rb"\$(%b)\*(%b)" % (_BODY, _DIGITS)).findall
"""A healthy stream is nothing but whole sentences."""
_SHIFTS = [tuple(8 << half for half in reversed(range(bits))) for bits in range(64)]
LONGEST = 1024
"""Longer than any sentence (82 by the standard, proprietary ones more): what grows beyond it is noise."""


class Sentence(msgspec.Struct, frozen=True):
    """One sentence. A proprietary one (`$PMTK…`) has the talker "P" and the rest as its kind."""

    talker: str
    kind: str
    fields: tuple[str, ...]


class Framer:
    """Feeds on bytes and gives sentences.

    Attributes:
        accepted: sentences with a right checksum.
        damaged: sentences with a wrong or missing one, and lines that are no text.
    """

    def __init__(self) -> None:
        self.accepted = 0
        self.damaged = 0
        self._rest = b""

    @property
    def held(self) -> int:
        """Bytes that wait for their line's end."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Sentence]:
        """The sentences that these bytes complete."""
        whole, end, rest = (self._rest + data).rpartition(b"\n")
        if len(rest) > LONGEST:
            self.damaged += 1
            start = rest.rfind(b"$", -LONGEST)
            rest = rest[start:] if start >= 0 else b""
        self._rest = rest
        whole += end
        if _CLEAN(whole) is not None:
            return self._counted(_EACH(whole))
        found: list[Sentence] = []
        for line in whole.replace(b"\r", b"\n").split(b"\n"):
            if line:
                found += self._sentences(line)
        return found

    def _counted(self, parts: list[tuple[bytes, bytes]]) -> list[Sentence]:
        """The sentences of bodies with their digits; one with a wrong sum is damaged."""
        found = [sentence for body, digits in parts if (sentence := _checked(body, digits)) is not None]
        self.accepted += len(found)
        self.damaged += len(parts) - len(found)
        return found

    def _sentences(self, line: bytes) -> list[Sentence]:
        """Those of one line; where a line end was lost there are several."""
        _noise, *pieces = line.split(b"$")
        if not pieces:
            self.damaged += 1
            return []
        found = [sentence for piece in pieces if (sentence := parse(piece)) is not None]
        self.accepted += len(found)
        self.damaged += len(pieces) - len(found)
        return found


def parse(piece: bytes) -> Sentence | None:
    """The sentence between `$` and the line's end, None when it is damaged."""
    found = _FORM(piece)
    return None if found is None else _checked(*found.groups())


def _checked(body: bytes, digits: bytes) -> Sentence | None:
    if int(digits, 16) != checksum(body):
        return None
    address, *fields = body.decode("ascii").split(",")
    if address[0] == "P":
        return Sentence("P", address[1:], tuple(fields))
    return Sentence(address[:2], address[2:], tuple(fields)) if len(address) == 5 else None


def encode(talker: str, kind: str, fields: Sequence[str]) -> bytes:
    """A sentence as it stands on the wire, line end included.

    Raises:
        ValueError: a field has a character that frames a sentence.
    """
    text = ",".join((talker + kind, *fields))
    if not text.isascii() or not text.isprintable() or set(text) & {"$", "*"} or any("," in field for field in fields):
        raise ValueError(f"a sentence cannot hold {text!r}")
    body = text.encode("ascii")
    return b"$%s*%02X\r\n" % (body, checksum(body))


def checksum(body: bytes) -> int:
    """Exclusive or of the bytes between `$` and `*`: the halves of one long number are laid over each other."""
    value = int.from_bytes(body, "little")
    for shift in _SHIFTS[len(body).bit_length()]:
        value ^= value >> shift
    return value & 0xFF
