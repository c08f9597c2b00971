"""An AM03127 sign, played on the same codec: pages by line and letter, clock, brightness; ACK or NACK."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from devices.codecs import am03127
from devices.codecs.am03127 import Answer, BoardId, Decoder, Packet
from devices.codecs.am03127_payloads import BRACKETS, CODE_PAGE, DATE, PAGE, TIME, read_clock
from devices.fakes.fake import Fake, Moods
from devices.fakes.options import whole

DELETE_PAGE = re.compile(rb"<DL(\d)P([A-Z])>")
BRIGHTNESS = re.compile(rb"<B([A-D])>")
TAG = re.compile(rb"<[A-Z][A-Z0-9]{1,2}>")


class FakeAm03127(Fake):
    """The sign. Option: `board`."""

    key: ClassVar[str] = "am03127"
    rate: ClassVar[int] = 9600

    def __init__(self, moods: Moods | None = None, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(moods, options)
        self.board = whole(self, "board", 1, 0, 0xFF)
        self.pages: dict[tuple[int, str], bytes] = {}
        self.level = "A"
        self.clock: datetime | None = None
        self._decoder = Decoder()

    def receive(self, data: bytes) -> bytes:
        return b"".join(self._answer(frame) for frame in self._decoder.feed(data))

    def state(self) -> Mapping[str, Any]:
        texts = [_seen(text) for _, text in sorted(self.pages.items())]
        return {"text": "\n".join(texts), "level": self.level, "clock": self.clock.isoformat() if self.clock else None}

    def _answer(self, frame: am03127.Frame) -> bytes:
        if isinstance(frame, BoardId):
            self.board = frame.board
            return b"%02X" % frame.board
        if not isinstance(frame, Packet) or frame.board != self.board:
            return b""
        if self.moods.busy > 0:
            self.moods.busy -= 1
            return b""
        return am03127.encode(Answer(not self.moods.refusing and self._done(frame.payload)))

    def _done(self, payload: bytes) -> bool:
        """Do a command; False where there is none such."""
        if page := PAGE.fullmatch(payload):
            self.pages[int(page[1]), page[2].decode("ascii")] = page[7]
        elif deleted := DELETE_PAGE.fullmatch(payload):
            self.pages.pop((int(deleted[1]), deleted[2].decode("ascii")), None)
        elif brightness := BRIGHTNESS.fullmatch(payload):
            self.level = brightness[1].decode("ascii")
        elif (moment := read_clock(payload)) is not None:
            self.clock = moment
        else:
            return False
        return True


def _seen(text: bytes) -> str:
    """The text without its tags; brackets as brackets, live figures in braces."""
    known = {tag: bracket for bracket, tag in BRACKETS.items()} | {DATE: b"{date}", TIME: b"{time}"}
    return TAG.sub(lambda tag: known.get(tag[0], b""), text).decode(CODE_PAGE, "replace")
