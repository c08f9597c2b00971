"""How far the feed was when the last commit was answered, in a file beside the database.

SQLite takes a damaged frame of its log for the log's end: after a bad sector or a disk that lied, the last answered
commits are gone and nothing says so. The anchor is written after a commit and before its answers, so that a database
which is behind it has lost something. Then the feed gets another name, since its numbers will come twice, the loss
stands in the audit chain, and the doctor tells until somebody accepts it.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, text

from appliance.records.acts import append_act
from appliance.records.feed import feed_name, last_seq
from appliance.records.writer import Unit

FILE = "county.db-anchor"
LOST, ACCEPTED = "records.lost", "records.loss_accepted"
RESTORED = "backup.restore"
"""The act by which a home was restored, from a snapshot or a warm copy; its subject says which."""
_SHAPE = struct.Struct(">QI")

_LOSS = text(
    "SELECT subject, detail FROM admin_act WHERE act = :lost "
    "AND id > coalesce((SELECT max(id) FROM admin_act WHERE act IN (:accepted, :restored)), 0) "
    "ORDER BY id DESC LIMIT 1"
)
_GIVEN_UP = text(
    "SELECT EXISTS (SELECT 1 FROM admin_act AS loss JOIN admin_act AS given ON given.id > loss.id "
    "WHERE loss.act = :lost AND loss.subject = :feed AND given.act = :accepted)"
)


@dataclass(frozen=True, slots=True)
class Loss:
    """What is missing: the changes of a feed after `kept` up to `answered`."""

    feed: str
    kept: int
    answered: int


class Anchor:
    """The file; one for each process that writes."""

    def __init__(self, home: Path) -> None:
        self._file = os.fdopen(os.open(home / FILE, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)

    @property
    def seq(self) -> int:
        """The number of the last change that was answered; 0 where that is not known."""
        content = os.pread(self._file.fileno(), _SHAPE.size, 0)
        if len(content) < _SHAPE.size:
            return 0
        seq, total = _SHAPE.unpack(content)
        return int(seq) if zlib.crc32(content[:8]) == total else 0

    def advance(self, seq: int) -> None:
        """Note that a change is on the disk; what another process noted after it stays.

        A disk that fails here is no reason not to answer.
        """
        with suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                if seq > self.seq:
                    self.reset(seq)
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def reset(self, seq: int) -> None:
        """Note the number of the last change, whatever stood there."""
        number = seq.to_bytes(8, "big")
        with suppress(OSError):
            os.pwrite(self._file.fileno(), _SHAPE.pack(seq, zlib.crc32(number)), 0)

    def close(self) -> None:
        """Close the file; a second time nothing happens."""
        self._file.close()


def admit_loss(unit: Unit, answered: int) -> None:
    """Where the database is behind what was answered: give the feed another name and note the loss, once."""
    kept, known = last_seq(unit.connection), loss(unit.connection)
    if answered <= kept or (known is not None and known.answered == answered):
        return
    append_act(unit, "clock", LOST, feed_name(unit.connection), {"kept": kept, "answered": answered})
    unit.connection.execute(text("UPDATE feed SET name = :name WHERE id = 1"), {"name": uuid4().hex})


def loss(connection: Connection) -> Loss | None:
    """The loss that nobody accepted yet."""
    row = connection.execute(_LOSS, {"lost": LOST, "accepted": ACCEPTED, "restored": RESTORED}).one_or_none()
    if row is None:
        return None
    detail = msgspec.json.decode(row.detail)
    return Loss(row.subject, detail["kept"], detail["answered"])


def is_given_up(connection: Connection, feed: str) -> bool:
    """Whether somebody accepted what was lost of a feed that the database had."""
    return bool(connection.execute(_GIVEN_UP, {"lost": LOST, "accepted": ACCEPTED, "feed": feed}).scalar_one())
