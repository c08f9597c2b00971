"""Small pictures for the demo: made here and now, no two alike unless they are meant to be."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path
from random import Random

from appliance.cases import evidence
from appliance.cases.photo_looks import look_of
from appliance.people.actor import Actor
from appliance.records.writer import Unit

FIELDS, ROWS, SIDE = 9, 8, 4


def picture(random: Random) -> bytes:
    """A PNG of 9 by 8 grey fields, each 4 points wide."""
    lines = []
    for _ in range(ROWS):
        line = b"".join(bytes([random.randrange(256)]) * SIDE for _ in range(FIELDS))
        lines += [b"\0" + line] * SIDE
    head = struct.pack(">IIBBBBB", FIELDS * SIDE, ROWS * SIDE, 8, 0, 0, 0, 0)
    body = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(b"".join(lines))) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def take_photo(unit: Unit, home: Path, actor: Actor, stage: str, random: Random) -> dict[str, str]:
    """A new photo in the store of evidence, as an action names it; the files of a demo need not survive a power cut."""
    content = picture(random)
    sha256 = hashlib.sha256(content).hexdigest()
    target = evidence.path_of(home, sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    target.chmod(0o600)
    found = evidence.Content(sha256, "png", len(content), look_of(target, "png"))
    evidence.add(unit, actor, found, evidence.NewFile(stage, taken_at=unit.now))
    return {"sha256": sha256, "stage": stage}


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
