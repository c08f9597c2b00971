"""The modem driver: tells who calls, and sends text messages by AT commands.

It dials nobody and changes nothing that outlives the modem's power. What the modem says by itself between two commands
or in the middle of an answer is not lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any, ClassVar

from devices.codecs import at as answers
from devices.codecs import sms
from devices.drivers.interface import Action, Driver, Event, Facts, Line, Option, check_value
from devices.drivers.options import seconds
from devices.errors import BadValue, DeviceRefused, NoAnswer

SEND_SECONDS = 60.0
"""The network may take so long to take a message (TS 27.005 names no limit; modems give up after about a minute)."""
SETUP = ("ATE0", "AT+CMEE=1", "AT+CLIP=1", "AT+CMGF=0")
"""No echo, errors by number, the caller's number, messages as PDU."""
RING_SECONDS = 8.0
"""A bell rings every four to six seconds; the same caller after a longer pause calls again."""
NUMBER_SECONDS = 3.0
"""A ring whose number has not come by then has none: fixed networks tell it between the first ring and the second."""
LATE_AT_MOST = 64 * 1024
"""Bytes of an answer that came too late; a port that says more talks by itself."""
ESCAPE = b"\x1b"
"""Ends the waiting for a message without sending it (TS 27.005, 3.5.1)."""


class Modem(Driver):
    """A modem on a serial line: mobile (2G to 4G, text messages) or fixed with caller's number."""

    key = "modem"
    zh = "串口调制解调器"
    en = "serial modem"
    rates = (115200, 9600, 57600, 19200)
    actions: ClassVar[tuple[Action, ...]] = (
        Action("identify", "", "厂家与型号", "maker and model", reads=True),
        Action("status", "", "网络与信号", "network and signal", reads=True),
        Action("sms", "TEXT", "发短信: 号码 空格 内容", "send a text message: number, space, text"),
    )
    known_options: ClassVar[Mapping[str, Option]] = {
        "seat": Option("", "来电转到哪个坐席 (账号)", "the seat (account) at which callers ring"),
        "seconds": Option(3.0, "应答等待秒数", "how long to wait for an answer"),
    }

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self._seconds = seconds(self, "seconds", 0.1, 30)
        self._decoder = answers.Decoder()
        self._aside: list[str] = []
        self._ready = False
        self._late = False
        self._writing = False
        self._rings: dict[str, float] = {}
        self._ring_at: float | None = None
        self._reference = 0
        self._lines_heard = 0

    @property
    def recognised(self) -> int:
        return self._lines_heard

    def opened(self) -> None:
        """The modem may have been without power: it is set up anew; what it said half is forgotten."""
        self._ready, self._late = False, self._writing
        self._ring_at = None
        self._decoder = answers.Decoder()
        self._aside.clear()

    def probe(self, line: Line) -> Facts | None:
        """AT and what the modem is called; nothing is set."""
        try:
            self._command(line, "AT", 1.0)
            return {"model": self._told(line, "ATI")}
        except (NoAnswer, DeviceRefused):
            return None

    def poll(self, line: Line) -> Facts:
        """Network and signal. The modem is set up each time: one that was without power for a moment does not tell."""
        self._ready = False
        return self.do(line, "status", None)

    def do(self, line: Line, action: str, value: str | None) -> Facts:
        given = check_value(self, action, value)
        self._set_up(line)
        if action == "identify":
            return {"maker": self._told(line, "AT+CGMI"), "model": self._told(line, "AT+CGMM")}
        if action == "status":
            network = answers.registered(self._command(line, "AT+CREG?"))
            return {"registered": network, "signal": answers.signal(self._command(line, "AT+CSQ"))}
        phone, _, text = given.partition(" ")
        return self._send(line, phone, text)

    def heard(self, data: bytes, at: float) -> list[Event]:
        return self._events(self._decoder.feed(data), at)

    def quiet(self, at: float) -> list[Event]:
        """What the modem said while a command ran, and the ring that no number followed."""
        aside, self._aside = self._aside, []
        events = self._events(aside, at)
        if self._ring_at is not None and at - self._ring_at >= NUMBER_SECONDS:
            events += self._called("", self._ring_at, at)
        return events

    def _events(self, lines: list[str], at: float) -> list[Event]:
        self._lines_heard += len(lines)
        events = []
        for line in lines:
            if line == answers.RING:
                self._ring(at)
            found = answers.caller(line)
            if found is not None:
                events += self._called(found.number, at, at)
        return events

    def _ring(self, at: float) -> None:
        """A bell soon after one whose caller was told is the same call: many modems tell the number once."""
        number = max(self._rings, key=lambda known: self._rings[known], default=None)
        if number is not None and at - self._rings[number] <= RING_SECONDS:
            self._rings[number] = at
        elif self._ring_at is None:
            self._ring_at = at

    def _called(self, number: str, rung: float, at: float) -> list[Event]:
        """The event of a call at its first ring; the number is empty where none is told."""
        self._ring_at = None
        last = self._rings.get(number)
        self._rings = {known: before for known, before in self._rings.items() if rung - before <= RING_SECONDS}
        self._rings[number] = rung
        if last is not None and rung - last <= RING_SECONDS:
            return []
        return [Event("CALL", {"number": number, "seat": self.options["seat"]}, at)]

    def _set_up(self, line: Line) -> None:
        if self._ready:
            return
        for command in SETUP:
            try:
                self._command(line, command)
            except DeviceRefused:
                if command == "ATE0":
                    raise
        self._ready = True

    def _send(self, line: Line, phone: str, text: str) -> Facts:
        self._reference += 1
        try:
            parts = sms.split(phone, text, self._reference)
        except sms.BadMessage as error:
            raise BadValue(f"短信无法发送: {error}。", f"The message cannot be sent: {error}.") from None
        references = [self._send_part(line, part) for part in parts]
        return {"phone": parts[0].phone, "parts": len(parts), "references": references}

    def _send_part(self, line: Line, part: sms.Part) -> int | None:
        length, pdu = sms.encode(part)
        self._writing = True
        found = self._ask(
            line, f"AT+CMGS={length}\r".encode(), lambda text: text == answers.PROMPT or answers.is_final(text)
        )
        self._writing = found[-1] == answers.PROMPT
        if found[-1] != answers.PROMPT:
            raise _refused(f"AT+CMGS={length}", answers.refusal(found[-1]) or found[-1])
        answer = self._ask(line, pdu.encode() + b"\x1a", answers.is_final, SEND_SECONDS)
        self._writing = False
        why = answers.refusal(answer[-1])
        if why is not None:
            raise _refused("AT+CMGS", why)
        return answers.sent_reference(answer)

    def _told(self, line: Line, command: str) -> str:
        return " ".join(text for text in self._command(line, command) if not answers.is_final(text))

    def _command(self, line: Line, command: str, wait: float | None = None) -> list[str]:
        answer = self._ask(line, command.encode() + b"\r", answers.is_final, wait)
        why = answers.refusal(answer[-1])
        if why is not None:
            raise _refused(command, why)
        return [text for text in answer if text != command]

    def _ask(self, line: Line, request: bytes, ends: Any, wait: float | None = None) -> list[str]:
        """The lines of an answer up to the one that ends it; what belongs to no answer is laid aside."""
        answer: list[str] = []

        def wanted(text: str) -> bool:
            if answers.is_call(text):
                self._aside.append(text)
                return False
            answer.append(text)
            return bool(ends(text))

        if self._late:
            self._forget_late(line)
        try:
            line.ask(request, self._lines, wanted, self._seconds if wait is None else wait, keep=True)
        except NoAnswer:
            self._ready, self._late = False, True
            self._escape(line)
            raise
        return answer

    def _lines(self, data: bytes) -> list[str]:
        found = self._decoder.feed(data)
        self._lines_heard += len(found)
        return found

    def _forget_late(self, line: Line) -> None:
        """An answer that came too late is no answer to the next command; a port that never ends talking ends this."""
        self._late = False
        self._escape(line)
        until, heard = monotonic() + 2 * self._seconds, 0
        while heard < LATE_AT_MOST and (left := until - monotonic()) > 0:
            rest = line.read(min(self._seconds, left))
            if not rest:
                break
            heard += len(rest)
            found = self._lines(rest)
            self._aside += [text for text in found if answers.is_call(text)]
            if answers.PROMPT in found:
                self._escape(line)
        self._writing = False

    def _escape(self, line: Line) -> None:
        """A modem that may wait for a message would take every command for it."""
        if self._writing:
            line.write(ESCAPE)


def _refused(command: str, why: str) -> DeviceRefused:
    return DeviceRefused(f"调制解调器拒绝 {command}: {why}。", f"The modem refused {command}: {why}.")
