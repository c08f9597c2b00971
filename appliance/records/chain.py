"""The audit chain: each row carries the hash of the one before, so that a later edit or deletion shows.

Free text enters the chain as a salted digest; so it can be blanked on request and the chain still holds.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

import msgspec

FIRST = "0" * 64
_encoder = msgspec.json.Encoder(order="sorted")


def link(previous: str, content: dict[str, Any]) -> str:
    """The hash of a row: sha256 over the hash before it and the row's content as sorted JSON."""
    return hashlib.sha256(previous.encode() + _encoder.encode(content)).hexdigest()


def salted(text: str | None) -> tuple[str | None, str | None]:
    """A fresh salt and the digest of `text`; (None, None) for no text."""
    if text is None:
        return None, None
    salt = os.urandom(8).hex()
    return salt, digest(salt, text)


def digest(salt: str, text: str) -> str:
    """The digest under which a free text stands in the chain."""
    return hashlib.sha256(f"{salt}:{text}".encode()).hexdigest()


def encode(content: dict[str, Any]) -> str:
    """JSON with sorted keys, as it is stored beside its hash."""
    return _encoder.encode(content).decode()
