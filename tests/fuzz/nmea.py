"""What must hold for receivers, modems and messages, whatever the bytes."""

from __future__ import annotations

from devices.codecs import at, sms
from devices.codecs.nmea.epoch import Decoder
from devices.codecs.nmea.framing import LONGEST, Framer, encode

BOUND = 2 * LONGEST


def check_nmea(data: bytes) -> None:
    """Nothing raises, little is held, pieces say what the whole says, sentences are read back, fixes are on earth."""
    size, stream = (data[0] % 16 + 1, data[1:]) if data else (1, b"")
    whole, cut = Decoder(), Decoder()
    reports = whole.feed(stream) + whole.flush()
    pieces = []
    for at_ in range(0, len(stream), size):
        pieces += cut.feed(stream[at_ : at_ + size])
        assert cut.framer.held <= BOUND
    pieces += cut.flush()
    if len(stream) <= LONGEST:
        assert reports == pieces, "pieces say something else than the whole"
        assert (whole.accepted, whole.rejected) == (cut.accepted, cut.rejected)
    for sentence in Framer().feed(stream + b"\n"):
        assert Framer().feed(encode(sentence.talker, sentence.kind, sentence.fields)) == [sentence]
    for report in reports:
        if report["class"] == "TPV" and "lat" in report:
            assert -90 <= report["lat"] <= 90
            assert -180 <= report["lon"] <= 180
            assert report["mode"] in (2, 3)


def check_at(data: bytes) -> None:
    """Lines of a modem are bounded text, in any pieces, and reading their meaning never raises."""
    size, stream = (data[0] % 16 + 1, data[1:]) if data else (1, b"")
    decoder = at.Decoder()
    lines = [line for begin in range(0, len(stream), size) for line in decoder.feed(stream[begin : begin + size])]
    for line in lines:
        assert line.isascii()
        assert len(line) <= at.LONGEST
        at.is_final(line)
        at.refusal(line)
        at.caller(line)
    at.signal(lines)
    at.registered(lines)
    at.sent_reference(lines)


def check_sms(data: bytes) -> None:
    """A PDU is a message or is refused; a message that can be sent is read back whole."""
    try:
        length = data[0] if data else 0
        part = sms.decode(length, data[1:].hex())
    except sms.BadMessage:
        pass
    else:
        assert len(part.text) <= 140
    text = data[1:].decode("utf-8", errors="replace")
    try:
        parts = sms.split("13812341234", text, data[0] if data else 0)
    except sms.BadMessage:
        return
    assert "".join(part.text for part in parts) == text
    for part in parts:
        assert sms.decode(*sms.encode(part)) == part
