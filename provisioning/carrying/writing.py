"""`wanmi link write`: what the platform lacks goes into numbered, signed files (docs/exchange.md "File drop").

A file stays in the outbox until the platform's receipt is read, so the same number is always the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from appliance.clock import rfc3339
from appliance.errors import Conflict, Gone
from appliance.exchange.file_state import Outbox, SnapshotAt, give_out
from appliance.exchange.files import UP, Frames, Manifest, Received, Slice, pack
from appliance.exchange.kept import Kept, LastExchange
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.links import Enrolment, LinkFolder, granted
from appliance.exchange.read_log import ReadLog
from appliance.exchange.reading import feed_state, read_changes, read_snapshot
from appliance.exchange.scopes import Grants
from appliance.exchange.settings import FILES, Link
from appliance.records.store import Records

PAGE = 1000
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Written:
    """What a call of `write` did: the files that are now in the folder, and which of them were made now."""

    waiting: list[str]
    made: list[str]
    copied: list[str]


class Writer:
    """Makes the next files of one link; several are made where one would be too large.

    Args:
        limit: bytes of a payload that a file shall not pass.

    Raises:
        Conflict: the link is not joined, or carries no files.
    """

    def __init__(self, records: Records, link: Link, limit: int) -> None:
        self._records, self._link, self._limit = records, link, limit
        self._home, self._kept = records.home, Kept(records.home, link.url)
        self._outbox = Outbox(self._kept, records.settings.county)
        self._enrolment = enrolment_of(records.home, link)
        self._client, self._grants = reader_of(link, self._enrolment)
        key = load_pem_private_key(LinkFolder(self._home, link.url).key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key, self._state = key, self._outbox.state()
        self._made: list[str] = []
        self._log = ReadLog(self._home)

    def write(self, folder: Path) -> Written:
        """Make what is missing and copy all that waits into a folder."""
        try:
            self._outbox.tidy(self._state)
            self._write_answers()
            self._write_feed()
            self._outbox.tidy(self._state)
            copied = give_out(self._outbox.waiting(), folder)
            self._kept.save_last(LastExchange(at=self._now()))
        finally:
            self._log.close()
        return Written([path.name for path in self._outbox.waiting()], self._made, [path.name for path in copied])

    def _write_answers(self) -> None:
        """What came of the orders that were read."""
        answers = self._kept.answers()
        while answers:
            frames, done = Frames(self._limit), []
            for answer in answers:
                if not frames.add([msgspec.json.encode(answer) + b"\n"]):
                    break
                done.append(answer)
            self._finish(frames, content="answers")
            for answer in done:
                self._kept.drop_answer(answer.id)
            answers = answers[len(done) :]

    def _write_feed(self) -> None:
        """Changes after the last file, or a snapshot and then changes."""
        types = list(self._grants.types())
        if not types:
            raise Conflict("本县没有授予任何可读类型。", "This county grants no type that may be read.")
        with self._records.read() as connection:
            name = feed_state(connection).name
        if self._state.feed != name or self._state.types != types:
            self._state.cursor = self._state.snapshot = None
            self._state.feed, self._state.types = name, types
        try:
            self._write_pages()
        except Gone:  # no file was made for longer than changes are kept
            self._state.cursor = self._state.snapshot = None
            self._write_pages()

    def _write_pages(self) -> None:
        if self._state.cursor is None:
            self._begin_snapshot()
        while self._state.snapshot is not None:
            self._snapshot_file(self._state.snapshot)
        while self._changes_file():
            continue

    def _changes_file(self) -> bool:
        """One file of changes, if there are any; whether more are left."""
        assert self._state.cursor is not None
        frames, begin, more = Frames(self._limit), self._state.cursor, True
        cursor = last = begin
        while more:
            with self._records.read() as connection:
                page = read_changes(connection, cursor, PAGE, self._state.types, self._sights(), self._state.feed)
            if not frames.add([item + b"\n" for item in page.items]):
                break
            cursor, more, last = page.next, page.more, page.state.last
        if not frames.lines:
            return False
        self._state.cursor = cursor
        self._finish(frames, content="changes", after=begin, next=cursor, last=last)
        return more

    def _begin_snapshot(self) -> None:
        """A new snapshot, unless one is under way; changes follow from where it begins."""
        if self._state.snapshot is None:
            with self._records.read() as connection:
                last = feed_state(connection).last
            self._state.snapshot = SnapshotAt(last, self._state.types[0], "")
            self._state.snapshot_from = self._state.made.number + 1

    def _snapshot_file(self, begin: SnapshotAt) -> None:
        """One file of a snapshot, from a slice on."""
        frames, at = Frames(self._limit), begin
        slices: list[Slice] = []
        left: SnapshotAt | None = begin
        while left is not None:
            at, kind = left, KINDS[left.type]
            with self._records.read() as connection:
                lines, page = read_snapshot(connection, kind, at.after or None, self._sights()[kind.scope])
            if not frames.add(lines):
                break
            slices.append(Slice(at.type, at.after, page.next or "", len(lines)))
            left = _slice_after(at, page.next, self._state.types)
        self._state.snapshot = left
        if left is None:
            self._state.cursor = begin.cursor
        self._finish(
            frames, content="snapshot", after=begin.cursor, next=begin.cursor, last=begin.cursor, slices=slices
        )

    def _finish(self, frames: Frames, **told: Any) -> None:
        """Sign a file and lay it into the outbox; it counts once the state is saved."""
        number = self._state.made.number + 1
        manifest = Manifest(
            county=self._records.settings.county, link=self._link.url, way="feed", number=number,
            previous=self._state.made.sha256, created=self._now(),
            certificates=self._enrolment.certificate.read_text(), payload=frames.described(), feed=self._state.feed,
            types=self._state.types, received=self._state.taken, **told,
        )  # fmt: skip
        whole = pack(manifest, frames.packed, self._key)
        self._outbox.put(number, whole)
        self._state.made = Received(number, hashlib.sha256(whole).hexdigest())
        self._outbox.save(self._state)
        self._made.append(manifest.name)
        self._log.write(
            link=self._link.url, client=self._client, address="", what=f"file {UP}", file=manifest.name,
            content=manifest.content, after=manifest.after, next=manifest.next, rows=frames.lines,
            bytes=len(whole),
        )  # fmt: skip

    def _sights(self) -> dict[str, Any]:
        now, yellow_at = self._records.clock.now(), self._records.settings.desk.yellow_at
        return {scope: self._grants.sight(scope, now, yellow_at) for scope in self._grants.areas}

    def _now(self) -> str:
        return rfc3339(self._records.clock.now()) or ""


def enrolment_of(home: Path, link: Link) -> Enrolment:
    """The enrolment of a link whose files are carried.

    Raises:
        Conflict: it is not joined, or works otherwise.
    """
    enrolment = LinkFolder(home, link.url).enrolment()
    if link.mode != FILES:
        raise Conflict(
            f"{link.url} 的方式是 {link.mode},不用文件;可用 wanmi join … --mode files 改。",
            f"{link.url} works by {link.mode}, not by files; wanmi join … --mode files changes that.",
        )
    if enrolment is None or not enrolment.scopes:
        raise Conflict(
            f"{link.url} 未完成加入;请先 wanmi join --accept。",
            f"{link.url} is not joined yet; run wanmi join --accept first.",
        )
    return enrolment


def reader_of(link: Link, enrolment: Enrolment) -> tuple[str, Grants]:
    """Whom the files are for: the first client of the enrolment, and what it may read."""
    client = next(iter(enrolment.scopes))
    grants = granted(link, enrolment, client)
    assert grants is not None
    return client, grants


def _slice_after(at: SnapshotAt, next_: str | None, types: list[str]) -> SnapshotAt | None:
    """The slice that comes next, None when the snapshot is whole."""
    if next_ is not None:
        return SnapshotAt(at.cursor, at.type, next_)
    place = types.index(at.type) + 1
    return SnapshotAt(at.cursor, types[place], "") if place < len(types) else None
