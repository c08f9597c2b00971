"""AT commands of a serial modem: lines out of bytes, which lines end an answer, what a modem says by itself. No I/O.

Sources: ITU-T V.250 (result codes), 3GPP TS 27.005 (messages: +CMGS, +CMTI, +CMT), 3GPP TS 27.007 (+CLIP, +CSQ, +CREG).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 2048
PROMPT = "> "
RING = "RING"
FINAL = frozenset(("OK", "ERROR", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE"))
_CLIP = re.compile(r'\+CLIP:\s*"([+0-9*#]{0,24})"').match
_NUMBER = re.compile(r"NMBR\s*=\s*([+0-9*#]{3,24}|[PO]$)").match
_WITHHELD = ("P", "O")
"""Private and out of area, instead of a number."""
_SIGNAL = re.compile(r"\+CSQ:\s*(\d{1,3}),").match
_SENT = re.compile(r"\+CMGS:\s*(\d{1,3})").match
_ERROR = re.compile(r"\+CM[SE] ERROR:\s*(.*)").match
_REGISTERED = re.compile(r"\+CREG:\s*(?:\d,)?(\d)").match


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody calls; the number is empty where the network withholds it."""

    number: str


class Decoder:
    """Lines out of bytes. The prompt for a text (`> `) comes without a line end and is a line of its own.

    Attributes:
        damaged: lines that grew beyond all bounds or were no text.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that these bytes complete, empty ones left out."""
        *lines, rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        found = [text for line in lines if (text := self._text(line))]
        if rest.strip() == b">":
            found.append(PROMPT)
            rest = b""
        if len(rest) > LONGEST:
            self.damaged += 1
            rest = b""
        self._rest = rest
        return found

    def _text(self, line: bytes) -> str:
        try:
            text = line.decode("ascii").strip()
        except UnicodeDecodeError:
            self.damaged += 1
            return ""
        if not text.isprintable() or len(text) > LONGEST:
            self.damaged += 1
            return ""
        return text


def is_final(line: str) -> bool:
    """Whether this line ends the answer to a command."""
    return line in FINAL or _ERROR(line) is not None


def refusal(line: str) -> str | None:
    """Why a command failed, None when it did not."""
    found = _ERROR(line)
    if found is not None:
        return found[1].strip() or "ERROR"
    return line if line in FINAL and line != "OK" else None


def caller(line: str) -> Caller | None:
    """Who calls, of a line with the caller's number (`+CLIP` of mobile modems, `NMBR=` of fixed ones)."""
    found = _CLIP(line) or _NUMBER(line)
    return None if found is None else Caller("" if found[1] in _WITHHELD else found[1])


def is_call(line: str) -> bool:
    """Whether the line tells of a call, so that it belongs to no answer."""
    return line == RING or caller(line) is not None


def signal(lines: list[str]) -> int | None:
    """Signal strength in dBm out of an answer to AT+CSQ, None when it is not known."""
    for line in lines:
        found = _SIGNAL(line)
        if found is not None and int(found[1]) <= 31:
            return -113 + 2 * int(found[1])
    return None


def registered(lines: list[str]) -> bool | None:
    """Whether the modem is in a network, home or roaming, out of an answer to AT+CREG?."""
    for line in lines:
        found = _REGISTERED(line)
        if found is not None:
            return found[1] in ("1", "5")
    return None


def sent_reference(lines: list[str]) -> int | None:
    """The network's reference of a sent message, out of the answer to AT+CMGS."""
    for line in lines:
        found = _SENT(line)
        if found is not None:
            return int(found[1])
    return None
