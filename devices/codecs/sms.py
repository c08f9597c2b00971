"""Text messages as a modem in PDU mode takes them: UCS-2, cut into linked parts where one does not hold the text.

Source: 3GPP TS 23.040 (SMS-SUBMIT, user data header with concatenation), TS 23.038 (UCS-2). `decode` is the inverse,
for tests and the fake modem.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

UNITS_OF_ONE, UNITS_OF_PART = 70, 67
"""UTF-16 units that fit into a single message, and into one part of several."""
PARTS_AT_MOST = 10
UCS2 = 0x08
INTERNATIONAL, NATIONAL = 0x91, 0x81
SUBMIT, WITH_HEADER = 0x01, 0x40
_PHONE = re.compile(r"\+?\d{3,20}").fullmatch


class BadMessage(ValueError):
    """A number or a text that cannot be sent."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a message. `reference` links the parts; a single one has `parts` 1."""

    phone: str
    text: str
    reference: int = 0
    parts: int = 1
    part: int = 1


def split(phone: str, text: str, reference: int) -> list[Part]:
    """The parts of a message; a character outside the basic plane is never cut in two.

    Raises:
        BadMessage: no telephone number, no text, or a text that is too long.
    """
    number = re.sub(r"[\s()-]", "", phone)
    if not _PHONE(number):
        raise BadMessage(f"{phone!r} is no telephone number")
    if not text or "\0" in text:
        raise BadMessage("there is no text")
    if units(text) <= UNITS_OF_ONE:
        return [Part(number, text)]
    pieces, left = [""], UNITS_OF_PART
    for sign in text:
        size = 2 if ord(sign) > 0xFFFF else 1
        if size > left:
            pieces.append("")
            left = UNITS_OF_PART
        pieces[-1] += sign
        left -= size
    if len(pieces) > PARTS_AT_MOST:
        raise BadMessage(f"the text needs {len(pieces)} parts, more than {PARTS_AT_MOST}")
    return [Part(number, piece, reference % 256, len(pieces), at) for at, piece in enumerate(pieces, start=1)]


def units(text: str) -> int:
    """How many 16-bit units a text takes.

    Raises:
        BadMessage: it has half a character in it.
    """
    try:
        return len(text.encode("utf-16-be")) // 2
    except UnicodeEncodeError:
        raise BadMessage("the text is no Unicode") from None


def encode(part: Part) -> tuple[int, str]:
    """The length that AT+CMGS takes, and the PDU in hexadecimal; the service centre is the SIM card's own (00)."""
    data = part.text.encode("utf-16-be")
    header = bytes((5, 0, 3, part.reference, part.parts, part.part)) if part.parts > 1 else b""
    kind = SUBMIT | (WITH_HEADER if header else 0)
    digits = part.phone.removeprefix("+")
    kind_of_number = INTERNATIONAL if part.phone.startswith("+") else NATIONAL
    message = bytes((kind, 0, len(digits), kind_of_number)) + _swapped(digits)
    message += bytes((0, UCS2, len(header) + len(data))) + header + data
    return len(message), "00" + message.hex().upper()


def decode(length: int, pdu: str) -> Part:
    """The part of a PDU.

    Raises:
        BadMessage: it is no SMS-SUBMIT of ours, or its lengths do not agree.
    """
    try:
        raw = bytes.fromhex(pdu)
        if raw[0] != 0 or len(raw) - 1 != length or raw[1] & ~WITH_HEADER != SUBMIT:
            raise BadMessage("no message to be submitted")
        count = raw[3]
        end = 5 + (count + 1) // 2
        phone = _unswapped(raw[5:end], count)
        _protocol, coding, size = raw[end : end + 3]
        data = raw[end + 3 :]
        if coding != UCS2 or size != len(data):
            raise BadMessage("wrong coding or length")
        plus = "+" if raw[4] == INTERNATIONAL else ""
        if not raw[1] & WITH_HEADER:
            return Part(plus + phone, data.decode("utf-16-be"))
        if data[:3] != b"\x05\x00\x03" or not 1 <= data[5] <= data[4]:
            raise BadMessage("wrong header")
        return Part(plus + phone, data[6:].decode("utf-16-be"), data[3], data[4], data[5])
    except (IndexError, ValueError) as error:
        raise BadMessage(str(error)) from None


def _swapped(digits: str) -> bytes:
    padded = digits + ("F" if len(digits) % 2 else "")
    return bytes.fromhex("".join(padded[at + 1] + padded[at] for at in range(0, len(padded), 2)))


def _unswapped(raw: bytes, count: int) -> str:
    text = raw.hex()
    digits = "".join(text[at + 1] + text[at] for at in range(0, len(text), 2))[:count]
    if not digits.isdigit() or len(digits) != count:
        raise BadMessage("no telephone number")
    return digits
