"""The container of what is carried between county and platform (docs/exchange.md "File drop"): bytes in, bytes out.

8 bytes   WANMI-X1
4 bytes   length of the manifest, big-endian
          manifest: JSON, UTF-8, with the payload's SHA-256 and the signer's certificates
2 bytes   length of the signature, big-endian
          signature: ECDSA P-256 with SHA-256 over the manifest's bytes, DER
          payload: NDJSON as zstd, one frame after the other
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec
import zstandard
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.errors import BadFile
from appliance.exchange.chains import authorities_of, common_name, is_authority, is_valid

MAGIC = b"WANMI-X1"
CONTRACT = "1"
NAME = re.compile(r"(?P<county>\d{6})-(?P<way>feed|down)-(?P<number>\d{6,12})\.wmx")
MANIFEST_AT_MOST = 16 * 1024 * 1024
LEVEL = 6
UP, DOWN = "feed", "down"
Way = Literal["feed", "down"]
Content = Literal["changes", "snapshot", "answers", "orders", "receipt"]


class Slice(msgspec.Struct, frozen=True):
    """A part of a snapshot: so many lines of a type after an id, and the id to go on after ("" when it is whole)."""

    type: str
    after: str
    next: str
    lines: int


class Payload(msgspec.Struct, frozen=True):
    """What the payload is: its digest and size as it stands in the file, its size and lines when it is unpacked."""

    sha256: str
    bytes: int
    plain_bytes: int
    lines: int


class Received(msgspec.Struct, frozen=True):
    """The last file of the other side that was taken in whole."""

    number: int = 0
    sha256: str = ""


class Confirmed(msgspec.Struct, frozen=True):
    """What the platform has on its disk of the county's feed; `snapshot`: it needs one to go on."""

    feed: str
    cursor: int
    snapshot: bool


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself; docs/exchange.md tells each member."""

    contract: str = CONTRACT
    county: str
    link: str
    way: Way
    number: int
    previous: str
    content: Content
    created: str
    certificates: str
    payload: Payload
    feed: str = ""
    after: int = 0
    next: int = 0
    last: int = 0
    types: list[str] = []
    slices: list[Slice] = []
    received: Received = Received()
    confirmed: Confirmed | None = None

    @property
    def name(self) -> str:
        """The name of the file."""
        return name_of(self.county, self.way, self.number)


class Frames:
    """A payload that grows frame by frame, so that its size is known before the next one is added.

    Args:
        limit: bytes that a file shall not pass; the first frame is taken whatever its size.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._packer = limit, zstandard.ZstdCompressor(level=LEVEL)
        self._packed = bytearray()
        self.lines = self.plain_bytes = 0

    def add(self, lines: Sequence[bytes]) -> bool:
        """Add lines (each with its line feed) as one frame; False, and nothing is added, where they do not fit."""
        plain = b"".join(lines)
        frame = self._packer.compress(plain) if plain else b""
        if self._packed and len(self._packed) + len(frame) > self._limit:
            return False
        self._packed += frame
        self.lines += len(lines)
        self.plain_bytes += len(plain)
        return True

    @property
    def packed(self) -> bytes:
        """The payload so far."""
        return bytes(self._packed)

    def described(self) -> Payload:
        """What a manifest says of it."""
        packed = self.packed
        return Payload(hashlib.sha256(packed).hexdigest(), len(packed), self.plain_bytes, self.lines)


def name_of(county: str, way: str, number: int) -> str:
    """`411081-feed-000123.wmx`."""
    return f"{county}-{way}-{number:06d}.wmx"


def pack(manifest: Manifest, payload: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The file.

    Args:
        manifest: with the payload's description. key: that of the first of its certificates.
    """
    told = msgspec.json.encode(manifest)
    signature = key.sign(told, ec.ECDSA(hashes.SHA256()))
    sizes = len(told).to_bytes(4, "big"), len(signature).to_bytes(2, "big")
    return b"".join((MAGIC, sizes[0], told, sizes[1], signature, payload))


def unpack(content: bytes, name: str) -> tuple[Manifest, bytes]:
    """Manifest and payload of a file that is whole and signed by the first certificate in it.

    Who that is, `check_signer` says.

    Args:
        name: of the file, for the refusal; the manifest must bear it too.

    Raises:
        BadFile: it is torn, changed, or no such file.
    """
    told, signature, payload = _parts(content, name)
    try:
        manifest = msgspec.json.decode(told, type=Manifest)
        key = x509.load_pem_x509_certificates(manifest.certificates.encode())[0].public_key()
    except (msgspec.DecodeError, ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise _bad(name, f"清单看不懂 ({error})", f"its manifest cannot be read ({error})") from None
    try:
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise InvalidSignature
        key.verify(signature, told, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise _bad(name, "签名不对,内容被改动过", "its signature is wrong: it was changed") from None
    if len(payload) != manifest.payload.bytes or hashlib.sha256(payload).hexdigest() != manifest.payload.sha256:
        raise _bad(name, "内容不完整或被改动过", "it is torn or was changed")
    if manifest.contract != CONTRACT:
        raise BadFile(
            f"{name} 的合同版本是 {manifest.contract[:20]!r},本机只懂 {CONTRACT!r};请升级软件。",
            f"{name} is of contract {manifest.contract[:20]!r} and this software knows {CONTRACT!r}; upgrade it.",
        )
    if manifest.name != name:
        raise BadFile(
            f"{name} 实为 {manifest.name};请恢复原来的文件名。",
            f"{name} is in truth {manifest.name}; give it its own name again.",
        )
    return manifest, payload


def check_signer(manifest: Manifest, roots: bytes) -> x509.Certificate:
    """Who signed a file: its certificate, which came from one of these CAs and was valid when the file was made.

    Raises:
        BadFile: it is of another CA, or was not valid then.
    """
    chain = x509.load_pem_x509_certificates(manifest.certificates.encode())
    above = authorities_of(chain, x509.load_pem_x509_certificates(roots))
    try:
        made = datetime.fromisoformat(manifest.created)
        good = above is not None and is_valid(chain[0], made) and all(is_authority(each, made) for each in above)
    except (ValueError, TypeError):
        good = False
    if not good:
        who = common_name(chain[0])
        raise BadFile(
            f"{manifest.name} 由 {who or '?'} 签名,其证书不是本链路的 CA 签发的,或当时无效;请核对文件来自哪里。",
            f"{manifest.name} is signed by {who or '?'}, whose certificate is not of this link's CA or was not valid "
            "then; find out where the file comes from.",
        )
    return chain[0]


def lines_of(manifest: Manifest, payload: bytes) -> Iterator[bytes]:
    """The payload's lines, unpacked piece by piece; never more than the manifest says.

    Raises:
        BadFile: it is not what the manifest says.
    """
    name, lines, plain = manifest.name, 0, 0
    if not payload:
        return
    reader = zstandard.ZstdDecompressor().stream_reader(payload, read_across_frames=True)
    with io.BufferedReader(reader) as unpacked:
        try:
            while line := unpacked.readline(manifest.payload.plain_bytes - plain + 1):
                lines, plain = lines + 1, plain + len(line)
                if plain > manifest.payload.plain_bytes:
                    break
                yield line.rstrip(b"\n")
        except zstandard.ZstdError as error:
            raise _bad(name, f"解压失败 ({error})", f"it cannot be unpacked ({error})") from None
    if (lines, plain) != (manifest.payload.lines, manifest.payload.plain_bytes):
        raise _bad(name, "行数与清单不符", "its lines are not those of its manifest")


def _parts(content: bytes, name: str) -> tuple[bytes, bytes, bytes]:
    begin = len(MAGIC) + 4
    if not content.startswith(MAGIC):
        raise BadFile(f"{name} 不是万米交换文件。", f"{name} is no exchange file of Wanmi.")
    size = int.from_bytes(content[len(MAGIC) : begin], "big")
    told, rest = content[begin : begin + size], content[begin + size :]
    signed = int.from_bytes(rest[:2], "big")
    signature = rest[2 : 2 + signed]
    if size > MANIFEST_AT_MOST or len(told) != size or len(rest) < 2 or len(signature) != signed:
        raise _bad(name, "文件不完整", "it is torn")
    return told, signature, rest[2 + signed :]


def _bad(name: str, zh: str, en: str) -> BadFile:
    return BadFile(
        f"{name}: {zh};什么也没有采用,请由写出它的一方重新拷贝。",
        f"{name}: {en}. Nothing of it was used; copy it again from the side that wrote it.",
    )
