"""The container of carried files: what is packed comes out again, and not one byte of it can be changed unnoticed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import BadFile
from appliance.exchange.files import Frames, Manifest, Payload, Slice, check_signer, lines_of, pack, unpack
from tests.exchange.platform import Authority

KEY = ec.generate_private_key(ec.SECP256R1())
AUTHORITY = Authority()
PAPER = AUTHORITY.sign("411081", KEY.public_key())


def manifest(payload: Payload, **more: object) -> Manifest:
    """A manifest of this county."""
    values: dict[str, object] = {
        "county": "411081", "link": "usb", "way": "feed", "number": 7, "previous": "", "content": "snapshot",
        "created": datetime.now(UTC).isoformat(), "certificates": PAPER, "payload": payload,
    }  # fmt: skip
    return Manifest(**(values | more))  # type: ignore[arg-type]


def packed(pages: list[list[bytes]], **more: object) -> bytes:
    frames = Frames(1 << 30)
    for page in pages:
        assert frames.add([line + b"\n" for line in page])
    return pack(manifest(frames.described(), **more), frames.packed, KEY)


LINE = st.binary(max_size=200).filter(lambda line: b"\n" not in line)


@given(pages=st.lists(st.lists(LINE, max_size=20), max_size=6), after=st.integers(0, 2**53), text=st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_what_is_packed_comes_out_again(pages: list[list[bytes]], after: int, text: str) -> None:
    whole = packed(pages, after=after, feed=text, slices=[Slice(text, text, "", 3)])
    told, payload = unpack(whole, "411081-feed-000007.wmx")
    assert (told.after, told.feed, told.slices) == (after, text, [Slice(text, text, "", 3)])
    assert list(lines_of(told, payload)) == [line for page in pages for line in page]


@pytest.mark.filterwarnings("ignore:Parsed a serial")  # a changed certificate may look odd
def test_every_changed_byte_and_every_cut_is_refused() -> None:
    whole = packed([[b'{"seq":1}'], [b'{"seq":2}']])
    for place in range(len(whole)):
        for change in (0x01, 0x20, 0x80):
            changed = bytearray(whole)
            changed[place] ^= change
            with pytest.raises(BadFile):
                unpack(bytes(changed), "411081-feed-000007.wmx")
        with pytest.raises(BadFile):
            unpack(whole[:place], "411081-feed-000007.wmx")
    with pytest.raises(BadFile):
        unpack(whole + b"\0", "411081-feed-000007.wmx")


def test_a_renamed_file_says_what_it_is() -> None:
    with pytest.raises(BadFile, match=r"in truth 411081-feed-000007\.wmx"):
        unpack(packed([]), "411081-feed-000008.wmx")


def test_a_payload_larger_than_it_says_is_not_unpacked_further() -> None:
    frames = Frames(1 << 30)
    frames.add([b"x" * 5_000_000 + b"\n"])
    said = msgspec.structs.replace(frames.described(), plain_bytes=100)
    told, payload = unpack(pack(manifest(said), frames.packed, KEY), "411081-feed-000007.wmx")
    with pytest.raises(BadFile, match="manifest"):
        list(lines_of(told, payload))


def test_the_signer_is_of_this_links_authority_and_was_valid_then() -> None:
    ours = AUTHORITY.pem.encode()
    told, _ = unpack(packed([]), "411081-feed-000007.wmx")
    check_signer(told, ours)
    with pytest.raises(BadFile, match="not of this link's CA"):
        check_signer(told, Authority("别人").pem.encode())
    late = manifest(told.payload, created=(datetime.now(UTC) + timedelta(days=400)).isoformat())
    with pytest.raises(BadFile, match="was not valid then"):
        check_signer(late, ours)


def test_a_frame_over_the_limit_goes_into_the_next_file() -> None:
    frames = Frames(1000)
    assert frames.add([bytes(range(256)) * 8 + b"\n"]), "the first is taken whatever its size"
    assert frames.lines == 1
    while frames.add([b"%d\n" % frames.lines]):
        assert frames.lines < 1000
    assert len(frames.packed) <= 1000
