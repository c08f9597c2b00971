"""What photos look like, so that one that was used before is found again: scaled, sharpened or saved anew.

A look is a 64-bit difference hash: the picture in 9 by 8 grey fields, one bit for each pair of neighbours, set where it
gets darker to the right. Two looks that differ in few bits are of one picture. Candidates are found by quarters of 16
bits: of two looks that differ in seven bits at most, one quarter differs in one bit at most. So each is looked up as it
is and with each of its bits flipped: 68 look-ups by the key, however many pictures there are.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, bindparam, text

PICTURES = frozenset(("jpeg", "png", "webp"))
ALIKE_BITS = 6
"""So many bits may differ in two looks of one picture."""
FLAT_BITS = 4
"""A look with fewer bits set or unset tells nothing: a wall, a dark lens."""

_QUARTERS, _QUARTER = 4, 16
_SMALL = (9, 8)
_KEEP = text("INSERT INTO photo_look (quarter, sha256, look) VALUES (:quarter, :sha256, :look) ON CONFLICT DO NOTHING")
_ALIKE = text("SELECT DISTINCT sha256, look FROM photo_look WHERE quarter IN :near AND sha256 <> :sha256").bindparams(
    bindparam("near", expanding=True)
)
_LOOK = text("SELECT look FROM photo_look WHERE sha256 = :sha256 LIMIT 1")


def look_of(file: Path, kind: str) -> int | None:
    """The look of a picture; None for what is no picture, cannot be read, or shows nothing to tell it by."""
    if kind not in PICTURES:
        return None
    from PIL import Image

    try:
        with Image.open(file) as picture:
            picture.draft("L", (_SMALL[0] * 8, _SMALL[1] * 8))  # a JPEG is decoded no larger than needed
            fields = picture.convert("L").resize(_SMALL, Image.Resampling.BOX).tobytes()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    width = _SMALL[0]
    look = 0
    for row in range(_SMALL[1]):
        for column in range(width - 1):
            at = row * width + column
            look = look << 1 | (fields[at] > fields[at + 1])
    return look if FLAT_BITS <= look.bit_count() <= 64 - FLAT_BITS else None


def keep_look(connection: Connection, sha256: str, look: int | None) -> None:
    """Keep the look of a file, so that it is found when it comes again."""
    if look is not None:
        rows = [{"quarter": quarter, "sha256": sha256, "look": f"{look:016x}"} for quarter in quarters_of(look)]
        connection.execute(_KEEP, rows)


def kept_look(connection: Connection, sha256: str) -> int | None:
    """The look of a kept file."""
    written = connection.execute(_LOOK, {"sha256": sha256}).scalar_one_or_none()
    return None if written is None else int(written, 16)


def alike(connection: Connection, sha256: str) -> list[str]:
    """The kept files that look like this one, itself left out."""
    look = kept_look(connection, sha256)
    if look is None:
        return []
    rows = connection.execute(_ALIKE, {"near": near_quarters(look), "sha256": sha256})
    return sorted({row.sha256 for row in rows if (int(row.look, 16) ^ look).bit_count() <= ALIKE_BITS})


def quarters_of(look: int) -> list[int]:
    """The four quarters, each with its place in front."""
    return [at << _QUARTER | (look >> at * _QUARTER) & 0xFFFF for at in range(_QUARTERS)]


def near_quarters(look: int) -> list[int]:
    """The quarters of every look that differs in `ALIKE_BITS` at most: one of them differs in one bit or none."""
    return [
        quarter ^ flipped for quarter in quarters_of(look) for flipped in (0, *(1 << bit for bit in range(_QUARTER)))
    ]
