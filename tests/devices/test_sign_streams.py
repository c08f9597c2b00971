"""Streams of LED walls and signs: whatever the pieces and the noise, no frame is lost, none is invented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codecs import alpha, am03127, novastar, onbon
from devices.codecs.onbon_areas import Area, areas_payload, read_areas_payload
from tests.fuzz.__main__ import run
from tests.fuzz.streams import StreamDecoder, check_stream

byte, word = st.integers(0, 0xFF), st.integers(0, 0xFFFF)


@st.composite
def novastar_frames(draw: st.DrawFn) -> novastar.Frame:
    where = {name: draw(byte) for name in ("serial", "device_type", "port", "destination")} | {"board": draw(word)}
    address, data = draw(st.integers(0, 0xFFFFFFFF)), draw(st.binary(max_size=300))
    if draw(st.booleans()):
        request = novastar.read_request(address, draw(st.integers(0, novastar.LONGEST)), **where)
    else:
        request = novastar.write_request(address, data, **where)
    return request if draw(st.booleans()) else novastar.answer_to(request, draw(byte), data)


def onbon_frames() -> st.SearchStrategy[onbon.Frame]:
    awkward = st.lists(st.sampled_from([0xA5, 0xA6, 0x5A, 0x5B, 1, 2, 0]), max_size=40).map(bytes)
    return st.builds(
        onbon.Frame,
        destination=word,
        source=word,
        data=st.one_of(awkward, st.binary(max_size=onbon.LONGEST_DATA)),
        reserved=st.binary(min_size=3, max_size=3),
        barcode=st.one_of(st.just(b""), st.binary(min_size=16, max_size=16)),
        check=st.sampled_from([onbon.CHECK_CRC, onbon.CHECK_SUM]),
        display=byte,
        device_type=byte,
        version=byte,
    )


def am03127_frames() -> st.SearchStrategy[am03127.Frame]:
    payloads = st.text(st.characters(codec="cp1252"), max_size=40).map(lambda text: text.encode("cp1252"))
    packets = st.builds(am03127.Packet, byte, payloads).filter(lambda packet: carried(am03127.encode, packet))
    return st.one_of(packets, st.builds(am03127.BoardId, byte), st.builds(am03127.Answer, st.booleans()))


def alpha_frames() -> st.SearchStrategy[alpha.Frame]:
    commands = st.builds(
        alpha.Command,
        st.sampled_from("ABEFG"),
        st.text(st.characters(min_codepoint=5, max_codepoint=0x7F), max_size=60).map(lambda text: text.encode()),
        st.booleans(),
    )
    packets = st.builds(
        alpha.Packet,
        st.lists(commands, min_size=1, max_size=4).map(tuple),
        st.sampled_from(["00", "0A", "??", "F?"]),
        st.sampled_from("Z0!~"),
    )
    return st.one_of(packets, st.builds(alpha.Answer, st.booleans()))


def carried(encode: Callable[[Any], bytes], frame: Any) -> bool:
    try:
        encode(frame)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Codec:
    frames: st.SearchStrategy[Any]
    make: Callable[[], StreamDecoder]
    encode: Callable[[Any], bytes]
    bound: int


CODECS = {
    "novastar": Codec(novastar_frames(), novastar.Decoder, novastar.encode, novastar.WRAPPING + novastar.LONGEST),
    "onbon": Codec(onbon_frames(), onbon.Decoder, onbon.encode, onbon.LONGEST_BODY),
    "am03127": Codec(am03127_frames(), am03127.Decoder, am03127.encode, am03127.LONGEST + 12),
    "alpha": Codec(alpha_frames(), alpha.Decoder, alpha.encode, alpha.LONGEST),
}
each_codec = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)


@each_codec
def test_reading_is_the_inverse_of_writing_in_any_pieces(codec: Codec) -> None:
    @settings(max_examples=50, deadline=None)
    @given(st.lists(codec.frames, max_size=4), st.integers(1, 64))
    def holds(frames: list[Any], size: int) -> None:
        stream = b"".join(codec.encode(frame) for frame in frames)
        decoder = codec.make()
        found = [frame for at in range(0, len(stream), size) for frame in decoder.feed(stream[at : at + size])]
        assert found == frames
        assert decoder.damaged == 0
        assert decoder.rest() == []

    holds()


@each_codec
def test_any_bytes_at_all_keep_what_must_hold(codec: Codec) -> None:
    @settings(max_examples=50, deadline=None)
    @given(st.binary(max_size=3000))
    def holds(data: bytes) -> None:
        check_stream(data, codec.make, codec.encode, codec.bound)

    holds()


@each_codec
def test_good_frames_are_found_between_noise(codec: Codec) -> None:
    """Noise that is no frame itself: it may hold heads, halves of frames, lone escapes."""

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.tuples(_noise(codec), codec.frames), max_size=4), _noise(codec))
    def holds(parts: list[tuple[bytes, Any]], after: bytes) -> None:
        decoder = codec.make()
        stream = b"".join(_fair(noise, frame) + codec.encode(frame) for noise, frame in parts) + after
        found = [*decoder.feed(stream), *decoder.rest()]
        assert found == [frame for _, frame in parts]

    holds()


def _noise(codec: Codec) -> st.SearchStrategy[bytes]:
    """Random bytes, and true frames cut short or with a byte damaged, as long as no frame is in them by chance."""
    cut = st.builds(lambda frame, share: codec.encode(frame)[: int(len(codec.encode(frame)) * share)],
                    codec.frames, st.floats(0, 0.9))  # fmt: skip
    noise = st.one_of(st.binary(max_size=60), cut)
    quiet = {"am03127": (b"K", b"D", b">"), "alpha": (b"\x06", b"\x15", b"\x04")}
    name = next(key for key, value in CODECS.items() if value is codec)
    return noise.map(lambda data: _without(data, quiet.get(name, ()))).filter(lambda data: not _reads(codec, data))


def _without(data: bytes, marks: tuple[bytes, ...]) -> bytes:
    """These protocols answer with a word or byte that carries no check; noise that holds it is an answer."""
    for mark in marks:
        data = data.replace(mark, b".")
    return data


def _fair(noise: bytes, frame: Any) -> bytes:
    """A byte behind the head of an Alpha packet that never ends is a byte of that packet; N and ACK make NACK."""
    if isinstance(frame, am03127.Answer):
        return noise.rstrip(b"N")
    return noise.replace(b"\x01", b"") if isinstance(frame, alpha.Answer) else noise


def _reads(codec: Codec, data: bytes) -> bool:
    decoder = codec.make()
    return bool([*decoder.feed(data), *decoder.rest()])


@each_codec
def test_a_hostile_stream_never_grows_the_memory(codec: Codec) -> None:
    heads = {
        "novastar": b"\xaa\x55\x00\x00\x00\xfe\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x04",
        "onbon": b"\xa5" + b"\x01" * 5000,
        "am03127": b"<ID01>" + b"x" * 5000,
        "alpha": b"\x01Z00\x02A" + b"x" * 9000,
    }
    head = next(heads[key] for key, value in CODECS.items() if value is codec)
    decoder = codec.make()
    for _ in range(max(40, 15_000 // len(head))):
        assert decoder.feed(head) == []
        assert decoder.held <= codec.bound
    assert decoder.damaged > 30


def test_a_false_head_inside_the_data_of_a_frame_is_data() -> None:
    inner = novastar.encode(novastar.read_request(2, 2, serial=7))
    outer = novastar.write_request(0x06000000, inner, serial=8)
    assert novastar.Decoder().feed(novastar.encode(outer)) == [outer]


def test_a_head_of_noise_holds_up_only_what_was_asked_for() -> None:
    """Noise that claims 1000 bytes, then the answer: who asked for 2 bytes has the answer at once."""
    answer = novastar.answer_to(novastar.read_request(2, 2, serial=7), data=b"\x06\x61")
    noise = b"\xaa\x55\x00\x00\x00\xfe\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\xe8\x03"
    assert novastar.Decoder(longest=2).feed(noise + novastar.encode(answer)) == [answer]
    patient = novastar.Decoder()
    assert patient.feed(noise + novastar.encode(answer)) == []
    assert patient.rest() == [answer]


def test_a_card_may_begin_with_any_number_of_start_bytes() -> None:
    frame = onbon.Frame(1, onbon.COMPUTER, b"\xa5\x5a")
    wire = onbon.encode(frame)
    for starts in (1, 2, 9, 40):
        assert onbon.Decoder().feed(b"\xa5" * starts + wire[8:]) == [frame]


def test_a_lone_escape_is_an_error() -> None:
    wire = onbon.encode(onbon.Frame(1, onbon.COMPUTER, b"\x00\x00"))
    for escape in (b"\xa6\x03", b"\x5b\x00", b"\xa6"):
        decoder = onbon.Decoder()
        assert decoder.feed(wire[:-1] + escape + b"\x5a") == []
        assert decoder.damaged == 1


@given(st.binary(max_size=2000), st.lists(byte, max_size=5))
def test_areas_are_read_as_they_were_written(text: bytes, delete: list[int]) -> None:
    areas = (Area(1, 8, 0, 64, 16, text), Area(2, 0, 16, 128, 16, b"x", in_pixels=False))
    payload = areas_payload(areas, tuple(delete))
    assert read_areas_payload(payload) == (areas, tuple(delete))
    assert read_areas_payload(payload[:-1]) is None


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris exists for x86-64 only")
def test_a_short_fuzz_run_of_all_codecs_finds_nothing() -> None:
    assert run("all", 1)
