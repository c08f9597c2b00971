"""Content-Encoding of pages and streams: zstd, gzip, or none, as the client likes best."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Protocol

import zstandard

ZSTD_LEVEL, GZIP_LEVEL = 3, 4
SMALLEST = 512
"""Less is not worth compressing, in bytes."""


class Compressor(Protocol):
    """Compresses a stream piece by piece."""

    def compress(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...


def weights(header: str) -> dict[str, float]:
    """How much a client likes what its `Accept…` header names, 0 to 1; a weight that cannot be read is 0."""
    told: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        written = next((word for word in parameters if word.startswith("q=")), "q=1")
        try:
            told[name] = float(written.removeprefix("q="))
        except ValueError:
            told[name] = 0.0
    return told


def chosen(accept_encoding: str) -> str | None:
    """`zstd` or `gzip` by the header's weights (zstd where they are equal), None for plain."""
    told = weights(accept_encoding)
    offered = {name: told.get(name, told.get("*", 0.0)) for name in ("zstd", "gzip")}
    best = max(offered, key=lambda name: offered[name])
    return best if offered[best] > 0 else None


def whole(body: bytes, encoding: str | None) -> tuple[bytes, dict[str, str]]:
    """A body, compressed if that is asked for and worth it, and its headers."""
    headers = {"Vary": "Accept, Accept-Encoding"}
    if encoding is None or len(body) < SMALLEST:
        return body, headers
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body), headers | {"Content-Encoding": "zstd"}
    return gzip.compress(body, GZIP_LEVEL, mtime=0), headers | {"Content-Encoding": "gzip"}


def compressor(encoding: str) -> Compressor:
    """A stream's compressor."""
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()
    return zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)


async def streamed(pieces: AsyncIterator[bytes], encoding: str | None) -> AsyncIterator[bytes]:
    """The pieces, compressed as one stream."""
    if encoding is None:
        async for piece in pieces:
            yield piece
        return
    packer = compressor(encoding)
    async for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
