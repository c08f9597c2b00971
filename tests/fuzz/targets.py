"""The table of fuzz targets: a name, what to call with bytes, and streams to begin from.

A target is added by a row here: `run` gets bytes and raises when something that must hold does not; `seeds` are valid
inputs that the fuzzer changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from devices.codecs import alpha, alpha_commands, am03127, am03127_payloads, novastar, onbon, sms
from devices.codecs.nmea import framing as nmea
from devices.codecs.onbon_areas import Area, areas_payload, read_areas_payload
from devices.codecs.onbon_commands import (
    AREAS,
    REFUSED,
    SET_CLOCK,
    STATUS,
    Answer,
    Request,
    Status,
    clock_payload,
    read_answer,
    read_clock_payload,
    read_request,
    read_status,
)
from tests.fuzz.nmea import check_at, check_nmea, check_sms
from tests.fuzz.streams import check_stream


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads bytes from outside."""

    run: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


NOON = datetime(2026, 11, 22, 12, 30, 45)
CUT = b"\x06"
"""The first byte of a stream says how it is cut into pieces."""


def onbon_contents(data: bytes) -> None:
    """What a frame of an Onbon card says: reading never raises, and what was read is written as it was."""
    for read in (read_request, read_answer):
        if (parsed := read(data)) is not None:
            assert parsed.data() == data
    if (status := read_status(data)) is not None:
        assert len(status.areas) == data[17]
    read_clock_payload(data)
    if (written := read_areas_payload(data)) is not None:
        assert areas_payload(*written) == data


def _novastar_seeds() -> tuple[bytes, ...]:
    read = novastar.read_request(0x0A000000, 256, serial=1, device_type=1)
    write = novastar.write_request(0x02000001, b"\x55\xaa\x80", serial=2, device_type=1, port=255, board=0xFFFF)
    frames = (read, novastar.answer_to(read, data=bytes(256)), write, novastar.answer_to(write, novastar.NOT_REACHED))
    return tuple(CUT + novastar.encode(frame) for frame in frames)


def _onbon_seeds() -> tuple[bytes, ...]:
    area = Area(0, 0, 0, 128, 32, "欢迎光临".encode("gbk"))
    requests = (Request(AREAS, areas_payload((area,), (1,))), Request(SET_CLOCK, clock_payload(NOON)))
    frames = [onbon.Frame(0x5AA5, onbon.COMPUTER, request.data()) for request in requests]
    frames.append(onbon.Frame(onbon.COMPUTER, 1, Answer(REFUSED, 3).data(), barcode=bytes(16), check=onbon.CHECK_SUM))
    return tuple(CUT + onbon.encode(frame) for frame in frames)


def _am03127_seeds() -> tuple[bytes, ...]:
    text = am03127_payloads.page(1, "A", "E", "A", 5, "E", am03127_payloads.plain("a<b"))
    frames = (am03127.Packet(1, text), am03127.BoardId(10), am03127.Answer(True), am03127.Answer(False))
    return tuple(CUT + am03127.encode(frame) for frame in frames)


def _alpha_seeds() -> tuple[bytes, ...]:
    unchecked = alpha_commands.write_text("HELLO", checked=False)
    frames = (alpha.Packet((unchecked,)), alpha.Packet(alpha_commands.clock(NOON), address="0?"), alpha.Answer(True))
    return tuple(CUT + alpha.encode(frame) for frame in frames)


def _contents_seeds() -> tuple[bytes, ...]:
    area = Area(0, 8, 0, 128, 32, b"A", in_pixels=False)
    status = Status(True, 12, NOON, areas=(0, 3))
    return (areas_payload((area, area), None), status.payload(), Answer(STATUS, 0, status.payload()).data())


def _nmea_seeds() -> tuple[bytes, ...]:
    place = ("3409.5700", "N", "11328.2960", "E")
    sentences = (
        nmea.encode("GN", "RMC", ("123519.00", "A", *place, "2.5", "90.0", "261126", "", "", "A")),
        nmea.encode("BD", "GGA", ("123519.00", *place, "1", "09", "0.9", "112.0", "M", "-16.0", "M", "", "")),
        nmea.encode("GN", "GSA", ("A", "3", "01", "02", *[""] * 10, "1.8", "0.9", "1.5", "4")),
        nmea.encode("GB", "GSV", ("1", "1", "02", "01", "60", "090", "42", "202", "45", "180", "38", "1")),
        nmea.encode("GN", "GNS", ("123520.00", *place, "AD", "09", "0.9", "112.0", "-16.0", "", "")),
        nmea.encode("GP", "GST", ("123520.00", "1", "2", "3", "4", "0.5", "0.6", "0.7")),
    )
    return (CUT + b"".join(sentences), *(CUT + sentence for sentence in sentences))


def _sms_seeds() -> tuple[bytes, ...]:
    parts = [sms.encode(part) for part in sms.split("+8613812341234", "案件请处置" * 20, 7)]
    return tuple(bytes((length,)) + bytes.fromhex(pdu) for length, pdu in parts)


TARGETS = {
    "novastar": Target(
        partial(
            check_stream,
            make=novastar.Decoder,
            encode=novastar.encode,
            bound=novastar.WRAPPING + novastar.LONGEST,
        ),
        _novastar_seeds(),
    ),
    "onbon": Target(
        partial(check_stream, make=onbon.Decoder, encode=onbon.encode, bound=onbon.LONGEST_BODY),
        _onbon_seeds(),
    ),
    "onbon-contents": Target(onbon_contents, _contents_seeds()),
    "am03127": Target(
        partial(check_stream, make=am03127.Decoder, encode=am03127.encode, bound=am03127.LONGEST + 12),
        _am03127_seeds(),
    ),
    "alpha": Target(
        partial(check_stream, make=alpha.Decoder, encode=alpha.encode, bound=alpha.LONGEST),
        _alpha_seeds(),
    ),
    "nmea": Target(check_nmea, _nmea_seeds()),
    "at": Target(check_at, (CUT + b'\r\nRING\r\n+CLIP: "13812341234",129\r\n> +CMS ERROR: 500\r\nOK\r\n',)),
    "sms": Target(check_sms, _sms_seeds()),
}


def run_any(data: bytes) -> None:
    """One input for all targets in turn: the first byte chooses. For the short run of the tests."""
    target = list(TARGETS.values())[data[0] % len(TARGETS)] if data else None
    if target is not None:
        target.run(data[1:])


ANY = Target(
    run_any,
    tuple(bytes((number,)) + seed for number, target in enumerate(TARGETS.values()) for seed in target.seeds),
)
