"""Golden frames of LED walls and signs: built from what they mean, equal byte by byte; read, equal field by field."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest

from devices.codecs import alpha, am03127, novastar, onbon
from devices.codecs import alpha_commands as alpha_do
from devices.codecs import am03127_payloads as payloads
from devices.codecs.onbon_areas import Area, areas_payload, read_areas_payload
from devices.codecs.onbon_commands import (
    AREAS,
    BRIGHTNESS,
    BY_LEVEL,
    PING,
    POWER,
    SET_CLOCK,
    STATUS,
    TAKEN,
    Answer,
    Request,
    clock_payload,
    read_answer,
    read_clock_payload,
    read_request,
)
from tests.shared import shared

Vector = dict[str, Any]


def vectors(name: str) -> dict[str, list[Vector]]:
    return json.loads(shared(f"devices/vectors/{name}.json").read_text(encoding="utf-8"))


def built(fields: Vector, is_request: bool) -> novastar.Frame:
    """A NovaStar frame made by the public builders out of the fields of a vector."""
    data, address = bytes.fromhex(fields["data"]), int(fields["address"], 16)
    box = fields["destination"] if is_request else fields["source"]
    where = {name: fields[name] for name in ("serial", "device_type", "port", "board")} | {"destination": box}
    if fields["code"] == novastar.READ:
        request = novastar.read_request(address, fields["length"], **where)
    else:
        request = novastar.write_request(address, data, **where)
    return request if is_request else novastar.answer_to(request, fields["ack"], data)


def novastar_vectors() -> list[Vector]:
    return vectors("novastar-document-frames")["valid"] + vectors("novastar-requests")["vectors"]


def test_every_novastar_frame_is_built_from_its_fields_and_read_back() -> None:
    known = novastar_vectors()
    assert len(known) == 124 + 31
    for vector in known:
        wire = bytes.fromhex(vector["hex"])
        frame = built(vector["fields"], wire.startswith(novastar.REQUEST))
        assert novastar.encode(frame) == wire, vector
        (read,) = novastar.Decoder().feed(wire)
        assert read == frame, vector
        for field in ("ack", "serial", "source", "destination", "device_type", "port", "board", "code", "length"):
            assert getattr(read, field) == vector["fields"][field], vector
        assert (read.address, read.data.hex()) == (int(vector["fields"]["address"], 16), vector["fields"]["data"])


def test_the_three_misprints_of_the_novastar_documents_are_refused() -> None:
    misprints = vectors("novastar-document-frames")["misprinted"]
    assert len(misprints) == 3
    for vector in misprints:
        decoder = novastar.Decoder()
        assert decoder.feed(bytes.fromhex(vector["hex"])) + decoder.rest() == []
        assert decoder.damaged == 1


def test_every_printed_onbon_frame_is_read_and_built_again() -> None:
    known = vectors("onbon-k-document-frames")
    assert (len(known["valid"]), len(known["misprinted"])) == (22, 2)
    for vector in known["valid"]:
        wire, body = bytes.fromhex(vector["hex"]), bytes.fromhex(vector["unescaped_body"])
        (frame,) = onbon.Decoder().feed(wire)
        assert frame.data == body[14:-2]
        assert (frame.destination, frame.source) == (_word(body, 0), _word(body, 2))
        assert onbon.encode(frame) == bytes([0xA5]) * 8 + wire[vector["leading_a5"] :]
        parsed = read_request(frame.data) if vector["direction"] == "request" else read_answer(frame.data)
        assert parsed is not None
        assert bytes(parsed.kind).hex() == vector["cmd"]
        assert parsed.data() == frame.data
    for vector in known["misprinted"]:
        decoder = onbon.Decoder()
        assert decoder.feed(bytes.fromhex(vector["hex"])) == []
        assert decoder.damaged == 1


def _word(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 2], "little")


def test_onbon_commands_are_built_from_what_they_mean() -> None:
    printed = {vector["section"][:5]: vector["hex"] for vector in vectors("onbon-k-document-frames")["valid"]}
    welcome = Area(0, 0, 0, 128, 32, "欢迎光临".encode("gbk"))
    assert card(Request(AREAS, areas_payload((welcome,))), 0xFFFE) == bytes.fromhex(printed["4. 包头"])
    assert card(Request(PING)) == bytes.fromhex(printed["8.7 P"])
    clock = datetime(2013, 1, 25, 11, 17, 26)
    assert card(Request(SET_CLOCK, clock_payload(clock), reserved=b"\x08\0")) == bytes.fromhex(printed["8.10 "])
    reply = onbon.Frame(onbon.COMPUTER, 0xFFFE, Answer(TAKEN).data())
    assert b"\xa5" + onbon.encode(reply) == bytes.fromhex(printed["5.1.2"])


def card(request: Request, address: int = 1) -> bytes:
    return onbon.encode(onbon.Frame(address, onbon.COMPUTER, request.data()))


def test_frames_of_other_programs_in_the_field_are_built_from_what_they_mean() -> None:
    known = {item["name"]: item["hex"] for item in vectors("onbon-k-third-party-frames")["vectors"]}
    made = {
        "ping": Request(PING),
        "status": Request(STATUS),
        "delete_all_dynamic": Request(AREAS, areas_payload(delete=None), reserved=b"\x02\0"),
        "set_brightness_12": Request(BRIGHTNESS, bytes((BY_LEVEL, 12)), reserved=b"\x02\0"),
        "set_clock": Request(SET_CLOCK, clock_payload(datetime(2013, 1, 25, 11, 17, 26)), reserved=b"\x08\0"),
        "dynamic_text": _field_area(12, "\\FO000TEMPER:21℃".encode("gbk")),
        "dynamic_text_2": _field_area(24, b"\\FO000HUM:66%RH"),
        "dynamic_text_3": _field_area(36, b"\\FO000  "),
    }
    assert {*made, "ack"} == known.keys()
    for name, request in made.items():
        wire = bytes.fromhex(known[name])
        assert card(request) == wire, name
        (frame,) = onbon.Decoder().feed(wire)
        assert read_request(frame.data) == request
    ack = onbon.Frame(onbon.COMPUTER, 1, Answer(TAKEN).data())
    assert onbon.encode(ack).hex() == known["ack"]


def _field_area(y: int, text: bytes) -> Request:
    area = Area(
        1, 0, y, 64 * 8, 12, text, line_gap=10, run_mode=1, timeout=2, lines=1, speed=0x17, stay=2, in_pixels=False
    )
    request = Request(AREAS, areas_payload((area,)), answer_wanted=False)
    assert read_areas_payload(request.payload) == ((area,), ())
    return request


def test_frames_of_the_maker_s_own_library_pass_framing_escape_and_check() -> None:
    known = vectors("onbon-k-vendor-java")["vectors"]
    assert len(known) == 26
    names = set()
    for vector in known:
        wire = bytes.fromhex(vector["hex"])
        (frame,) = onbon.Decoder().feed(wire)
        assert onbon.encode(frame) == wire
        names.add(vector["name"])
        match = re.match(r"dst=0x([0-9a-f]{4})", vector["meaning"])
        assert match is not None
        assert frame.destination == int(match[1], 16)
        request = read_request(frame.data)
        assert request is not None
        if vector["name"] in ("turn_on", "turn_off"):
            assert (request.kind, request.payload) == (POWER, b"\x01" if vector["name"] == "turn_on" else b"\x02")
        if vector["name"] == "set_clock":
            moment = datetime.fromisoformat(vector["meaning"].split("time=")[1])
            assert read_clock_payload(request.payload) == moment
            assert card(Request(SET_CLOCK, clock_payload(moment))) == wire
        if vector["name"].startswith("dynamic"):
            assert read_areas_payload(request.payload) is not None
    assert len(names) == 7


def test_every_am03127_frame_of_two_implementations_is_built_from_what_it_means() -> None:
    known = vectors("am03127-rust")["vectors"] + vectors("am03127-python")["vectors"]
    assert len(known) == 32 + 17
    for vector in known:
        wire = bytes.fromhex(vector["hex"])
        frame = _sign_command(vector)
        assert am03127.encode(frame) == wire, vector
        assert am03127.Decoder().feed(wire) == [frame]


def _sign_command(vector: Vector) -> am03127.Frame:
    """The command that a vector's sentence describes."""
    name, meaning, ascii_form = vector["name"], vector["meaning"], vector["ascii"]
    if name == "set_id":
        return am03127.BoardId(int(meaning.rsplit(" ", 1)[1]))
    board = int(ascii_form[3:5], 16)
    payload = {
        "set_clock": lambda: payloads.clock(datetime.fromisoformat(meaning[:19]), _weekday(meaning)),
        "delete_all": payloads.delete_all,
        "delete_page": lambda: payloads.delete_page(1, meaning[-1]),
        "delete_schedule": lambda: payloads.delete_schedule(meaning[-1]),
        "schedule": lambda: payloads.schedule("A", "0001010000", "9912312359", "ABC" if "pages" in meaning else "A"),
        "page": lambda: _page(meaning),
    }[name]()
    return am03127.Packet(board, payload)


def _weekday(meaning: str) -> int | None:
    return int(meaning[-1]) if "weekday field" in meaning else None


def _page(meaning: str) -> bytes:
    if meaning.startswith("line 8 page Z extremes"):
        text = payloads.colour("S") + payloads.font("E") + payloads.plain("x<y")
        return payloads.page(8, "Z", "S", "u", 25, "S", text)
    page, lead, lag = re.search(r"page (\w) lead (\w).* lag (\w)", meaning).groups()  # type: ignore[union-attr]
    speed, wait = re.search(r"speed (\w) wait (\d+)", meaning).groups()  # type: ignore[union-attr]
    if coloured := re.search(r"colour (\w) font (\w) text (\w+)", meaning):
        text = payloads.colour(coloured[1]) + payloads.font(coloured[2]) + payloads.plain(coloured[3])
    else:
        written = meaning.split('text "')[1][:-1]
        tags = payloads.DATE + b" " + payloads.TIME
        text = tags if written == "<KD> <KT>" else payloads.plain(written)
    return payloads.page(1, page, lead, speed, int(wait), lag, text)


ALPHA = {
    "write_text_default": [alpha_do.write_text("HELLO")],
    "write_text_nochecksum": [alpha_do.write_text("HELLO", checked=False)],
    "write_text_mode_HOLD": [alpha_do.write_text("HELLO", mode="b")],
    "write_text_mode_ROTATE": [alpha_do.write_text("HELLO", mode="a")],
    "write_text_mode_SCROLL": [alpha_do.write_text("HELLO", mode="m")],
    "write_text_mode_FLASH": [alpha_do.write_text("HELLO", mode="c")],
    "set_time": [alpha_do.clock(datetime(2026, 11, 22, 15, 30))[0]],
    "set_date": [alpha_do.clock(datetime(2026, 11, 22, 15, 30))[1]],
    "set_dow": [alpha_do.clock(datetime(2026, 11, 22, 15, 30))[2]],
    "set_24h": [alpha_do.special(alpha_do.TIME_FORMAT, "M")],
    "clear_memory": [alpha_do.special(alpha_do.MEMORY, "$$$")],
    "soft_reset": [alpha_do.special(alpha_do.SOFT_RESET)],
    "speaker_off": [alpha_do.special("!", "FF")],
    "dimming_0_100": [alpha_do.dimming(0, 0)],
    "dimming_0_44": [alpha_do.dimming(0, 4)],
    "dimming_1_100": [alpha_do.dimming(1, 0)],
    "run_sequence": [alpha_do.special(alpha_do.RUN_SEQUENCE, "A")],
    "set_address": [alpha_do.special(alpha_do.ADDRESS, "0A")],
    "ack_nak_on": [alpha_do.special(alpha_do.ACK_NAK, "1")],
    "write_string": [alpha_do.write_string("1", "river 3.25 m")],
    "two_commands": [alpha_do.write_text("A"), alpha_do.special(alpha_do.TIME_OF_DAY, "0102")],
    "addressed": [alpha_do.write_text("HELLO")],
}
READ_FUNCTIONS = " !\"#$%&'()*+,-./0245789:;<>@Cs"
"""The special functions that are read, in the order of the vectors."""


def test_every_alpha_packet_is_built_from_what_it_means() -> None:
    known = vectors("alpha-requests")["vectors"]
    assert len(known) == 52
    reads = iter(READ_FUNCTIONS)
    for vector in known:
        wire = bytes.fromhex(vector["hex"])
        commands = ALPHA.get(vector["name"]) or [alpha_do.read_special(next(reads))]
        packet = alpha.Packet(tuple(commands), address="0A" if vector["name"] == "addressed" else "00")
        assert alpha.encode(packet) == wire, vector
        assert alpha.Decoder().feed(wire) == [packet]
        paused = bytes.fromhex(vector["hex_with_delay_markers"])
        assert b"\xff".join(alpha.pieces(packet)) == paused, "a pause after each 02"
    assert next(reads, None) is None


def test_the_bytes_of_a_vector_decide_not_our_own_round_trip() -> None:
    """A damaged copy of every vector is refused, whichever byte of its body is hit."""
    for vector in novastar_vectors()[:20]:
        wire = bytes.fromhex(vector["hex"])
        for at in range(2, len(wire)):
            damaged = wire[:at] + bytes((wire[at] ^ 0x10,)) + wire[at + 1 :]
            decoder = novastar.Decoder()
            assert decoder.feed(damaged) + decoder.rest() == []
    for vector in vectors("onbon-k-third-party-frames")["vectors"]:
        wire = bytes.fromhex(vector["hex"])
        for at in range(8, len(wire) - 1):
            assert onbon.Decoder().feed(wire[:at] + bytes((wire[at] ^ 0x01,)) + wire[at + 1 :]) == []


@pytest.mark.parametrize(
    ("encode", "frame"),
    [
        (novastar.encode, novastar.read_request(0, 2, serial=256)),
        (novastar.encode, novastar.write_request(0, bytes(2000), serial=1)),
        (onbon.encode, onbon.Frame(0x10000, 0, b"")),
        (onbon.encode, onbon.Frame(1, 0, bytes(1025))),
        (am03127.encode, am03127.Packet(256, b"")),
        (am03127.encode, am03127.Packet(1, b"<ID01>")),
        (am03127.encode, am03127.Packet(1, b"a<E>")),
        (alpha.encode, alpha.Packet(())),
        (alpha.encode, alpha.Packet((alpha.Command("A", b"\x04"),))),
        (alpha.encode, alpha.Packet((alpha.Command("A", "中".encode()),))),
        (alpha.encode, alpha.Packet((alpha.Command("A", b"x"),), address="G0")),
    ],
)
def test_what_a_frame_cannot_carry_is_refused(encode: Any, frame: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        encode(frame)
