"""An Onbon card with its sign, played on the same codec: acknowledgements, errors, status, dynamic areas."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from devices.codecs import onbon
from devices.codecs import onbon_commands as codec
from devices.codecs.onbon import BROADCAST, BROADCAST_ANSWERED, Decoder, Frame
from devices.codecs.onbon_areas import Area, read_areas_payload
from devices.codecs.onbon_commands import REFUSED, TAKEN, Answer, Request, Status, read_request
from devices.drivers.onbon_card import commands
from devices.drivers.onbon_layout import read_back
from devices.fakes.fake import Fake, Moods
from devices.fakes.options import whole

UNKNOWN_GROUP, UNKNOWN_COMMAND, BUSY, MEMORY_FULL, WRONG_CHECK, WRONG_DATE = 1, 2, 3, 4, 5, 14
AREAS = {"5K": (8, 512), "6K": (5, 1024)}
TYPE_6K1, TYPE_5K1 = 0x61, 0x51
FAKE_STARTS = b"\xa5"
"""The card's printed replies begin with nine start bytes, one more than ours."""


class FakeOnbon(Fake):
    """The card. Options: `address`, `series` (5K or 6K), `width`, `height` in pixels, `colours` (1 or 2)."""

    key: ClassVar[str] = "onbon"
    rate: ClassVar[int] = 9600

    def __init__(self, moods: Moods | None = None, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(moods, options)
        self.address = whole(self, "address", 1, 0, 0xFFFF)
        self._size = whole(self, "width", 128, 1, 0xFFFF), whole(self, "height", 32, 1, 0xFFFF)
        self._colours = whole(self, "colours", 2, 1, 255)
        self.series = str(self.options.get("series", "6K"))
        self.is_on = True
        self.level = codec.BRIGHTEST
        self.clock: datetime | None = None
        self.areas: dict[int, Area] = {}
        self._decoder = Decoder()

    def receive(self, data: bytes) -> bytes:
        damaged = self._decoder.damaged
        answers = [self._answer(frame) for frame in self._decoder.feed(data)]
        if self._decoder.damaged > damaged:
            answers.append(self._said(Answer(REFUSED, WRONG_CHECK), self.address))
        return b"".join(answers)

    def state(self) -> Mapping[str, Any]:
        texts = {number: read_back(area.text) for number, area in sorted(self.areas.items())}
        return {
            "blank": not self.is_on,
            "level": self.level,
            "text": "\n".join(text for text, _ in texts.values()) if self.is_on else "",
            "colours": [run for _, runs in texts.values() for run in runs],
            "areas": {
                number: {"x": area.x, "y": area.y, "width": area.width, "height": area.height}
                for number, area in self.areas.items()
            },
            "clock": self.clock.isoformat() if self.clock else None,
        }

    def _answer(self, frame: Frame) -> bytes:
        request = read_request(frame.data)
        everybody = frame.destination in (BROADCAST, BROADCAST_ANSWERED)
        if request is None or not (everybody or frame.destination == self.address):
            return b""
        answer = self._done(request)
        if not request.answer_wanted or frame.destination == BROADCAST:
            return b""
        return self._said(answer, BROADCAST_ANSWERED if everybody else self.address)

    def _said(self, answer: Answer, source: int) -> bytes:
        return FAKE_STARTS + onbon.encode(Frame(onbon.COMPUTER, source, answer.data(), device_type=self._type()))

    def _type(self) -> int:
        return TYPE_5K1 if self.series == "5K" else TYPE_6K1

    def _done(self, request: Request) -> Answer:
        if self.moods.busy > 0:
            self.moods.busy -= 1
            return Answer(REFUSED, BUSY)
        if request.kind == commands()["parameters"]:
            return Answer(request.kind, 0, self._parameters())
        if request.kind == codec.STATUS:
            status = Status(self.is_on, self.level, self.clock, areas=tuple(sorted(self.areas)))
            return Answer(codec.STATUS, 0, status.payload())
        if request.kind == codec.PING:
            return Answer(TAKEN)
        if request.kind[0] not in (0xA1, 0xA2, 0xA3):
            return Answer(REFUSED, UNKNOWN_GROUP)
        error = UNKNOWN_COMMAND if self.moods.refusing else self._changed(request)
        return Answer(REFUSED, error) if error else Answer(TAKEN)

    def _parameters(self) -> bytes:
        words = b"".join(number.to_bytes(2, "little") for number in self._size)
        return self.address.to_bytes(2, "little") + bytes((self._type(), 1)) + words + bytes((self._colours,))

    def _changed(self, request: Request) -> int:
        """Do a command; 0 or an error number."""
        payload = request.payload
        if request.kind == codec.POWER and payload in (b"\x01", b"\x02"):
            self.is_on = payload == b"\x01"
        elif request.kind == codec.BRIGHTNESS and payload[:1] == b"\x01" and len(payload) == 2 and payload[1] <= 15:
            self.level = payload[1]
        elif request.kind == codec.SET_CLOCK:
            moment = codec.read_clock_payload(payload)
            if moment is None:
                return WRONG_DATE
            self.clock = moment
        elif request.kind == codec.AREAS:
            return self._show(payload)
        else:
            return UNKNOWN_COMMAND
        return 0

    def _show(self, payload: bytes) -> int:
        count, longest = AREAS[self.series]
        read = read_areas_payload(payload)
        if read is None:
            return UNKNOWN_COMMAND
        areas, delete = read
        if any(area.id >= count or len(area.encode()) > longest for area in areas):
            return MEMORY_FULL
        for number in list(self.areas) if delete is None else delete:
            self.areas.pop(number, None)
        self.areas |= {area.id: area for area in areas}
        return 0
