"""The copied database in pieces: what did not change since the last snapshot is not read again by the repository.

A piece is a file of `PIECE` bytes at most, written anew only where its content changed; so an hour's work in a large
county touches some of them. The pieces in their order are the database.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from appliance.errors import Broken

PIECE = 8 << 20


def name_of(number: int) -> str:
    """The name of a piece; names sort as the pieces stand."""
    return f"{number:06d}"


def split(copy: Path, folder: Path, before: Sequence[str]) -> list[str]:
    """Bring the pieces in a folder to what a copied database holds.

    Args:
        before: the digests of the pieces that are there.

    Returns:
        The digests (SHA-256) of the pieces now.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    digests: list[str] = []
    with copy.open("rb") as reading:
        while piece := reading.read(PIECE):
            number, digest = len(digests), hashlib.sha256(piece).hexdigest()
            target = folder / name_of(number)
            same = number < len(before) and before[number] == digest
            if not (same and target.exists() and target.stat().st_size == len(piece)):
                _write(target, piece)
            digests.append(digest)
    for path in folder.iterdir():
        if path.name >= name_of(len(digests)):
            path.unlink()
    return digests


def join(folder: Path, target: Path, digests: Sequence[str]) -> None:
    """Put the pieces together again; each is taken away when it is in its place.

    Raises:
        Broken: one is missing or not what it was.
    """
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as writing:
        for number, digest in enumerate(digests):
            path = folder / name_of(number)
            piece = path.read_bytes() if path.exists() else b""
            _compare(number, piece, digest)
            writing.write(piece)
            path.unlink()
        writing.flush()
        os.fsync(writing.fileno())


def compare(archive: IO[bytes], digests: Sequence[str]) -> None:
    """Read pieces from a tar stream and compare them.

    Raises:
        Broken: one is missing or not what it was.
    """
    seen = 0
    with tarfile.open(fileobj=archive, mode="r|") as found:
        for member in found:
            if not member.isfile():
                continue
            content = found.extractfile(member)
            assert content is not None
            number = int(Path(member.name).name)
            _compare(number, content.read(), digests[number] if number < len(digests) else "")
            seen += 1
    if seen != len(digests):
        raise Broken(
            f"快照里的数据库有 {seen} 块,应有 {len(digests)} 块。",
            f"The database in the snapshot has {seen} pieces, not {len(digests)}.",
        )


def _compare(number: int, piece: bytes, digest: str) -> None:
    if hashlib.sha256(piece).hexdigest() != digest:
        raise Broken(f"数据库第 {number} 块与清单不符。", f"Piece {number} of the database is not what was copied.")


def _write(target: Path, piece: bytes) -> None:
    part = target.with_name(f"{target.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as writing:
        writing.write(piece)
    part.replace(target)
