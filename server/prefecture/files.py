"""File drop above (docs/exchange.md): the numbered files of counties that no network reaches are verified and taken in.

A file counts whole or not at all: its records and its number are written in one transaction.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from appliance.errors import BadFile, Broken, Conflict, Invalid, NotFound, WanmiError
from appliance.exchange.chains import common_name
from appliance.exchange.files import MAGIC, MANIFEST_AT_MOST, NAME, UP, Manifest, check_signer, lines_of, unpack
from appliance.exchange.kept import OrderAnswer
from appliance.exchange.landing import Item, Line, ReplicaState, TooNew, land_snapshot
from appliance.exchange.moments import micros_of
from appliance.records.writer import Unit
from server.prefecture.counties import FILES, County, change_county, log_pull, the_county
from server.prefecture.county_port import Answer
from server.prefecture.down import finish
from server.prefecture.evidence import ask_files
from server.prefecture.file_tables import FileLink, change_link, forget_order, forget_orders, link_of
from server.prefecture.granted import Granted, granted_by
from server.prefecture.keys import serial_of
from server.prefecture.replicas import begin_coming, coming, held, land_page, opened_replica, put_in_place, state_in
from server.prefecture.store import Platform
from server.prefecture.tables import CERTIFICATE
from server.prefecture.views import live

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a file; `fits` False where a snapshot is needed first, so that its content was passed over."""

    county: str
    file: str
    content: str
    lines: int
    fits: bool


@dataclass(frozen=True, slots=True)
class _File:
    """A verified file; `serial` is that of its signer's certificate."""

    manifest: Manifest
    payload: bytes
    digest: str
    serial: str

    def lines(self) -> Iterator[bytes]:
        """Its lines, unpacked as they are read."""
        return lines_of(self.manifest, self.payload)


def read_files(platform: Platform, folder: Path, *, adopt: bool = False) -> Iterator[Read]:
    """Take in the new files of a folder, each county's by their numbers; what is wrong with one stops no other county.

    Args:
        adopt: go on with the files that are there although some before them are missing; a snapshot is asked for.

    Raises:
        BadFile: one is torn, changed, signed by a stranger, or missing; those before it were taken in.
        Conflict: another process takes in the same county. NotFound: no such county. TooNew: upgrade the platform.
    """
    troubles: list[WanmiError] = []
    found = [(NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    files = sorted((name["county"], int(name["number"]), path) for name, path in found if name and name["way"] == UP)
    for county, group in groupby(files, key=lambda file: file[0]):
        try:
            yield from _read_county(platform, county, [(number, path) for _, number, path in group], adopt)
        except (BadFile, Conflict, NotFound, TooNew) as error:
            troubles.append(error)
    if len(troubles) > 1:
        raise BadFile(" ".join(each.zh for each in troubles), " ".join(each.en for each in troubles))
    if troubles:
        raise troubles[0]


def _read_county(platform: Platform, county: str, files: Sequence[tuple[int, Path]], adopt: bool) -> Iterator[Read]:
    with held(platform, county) as ours:
        if not ours:
            raise Conflict(
                f"{county} 的另一次传送正在进行;请稍后重复本命令。",
                f"Another transfer of {county} is under way; repeat the command later.",
            )
        _finish_snapshot(platform, county)
        for number, path in files:
            read = _read(platform, county, number, path, adopt)
            if read is not None:
                yield read
    with platform.begin() as connection:
        known = the_county(connection, county)
    if known.mode == FILES:
        ask_files(platform, known, note=True)


def _read(platform: Platform, county: str, number: int, path: Path, adopt: bool) -> Read | None:
    with platform.begin() as connection:
        the_county(connection, county)
        link = link_of(connection, county)
    if number < link.up_number and not 0 < link.up_created < _created(path):
        return None
    content = path.read_bytes()
    manifest, payload = unpack(content, path.name)
    serial = _check(platform, manifest)
    file = _File(manifest, payload, hashlib.sha256(content).hexdigest(), serial)
    if file.digest == link.up_sha256:
        return None
    gap = _gap(link, manifest)
    if gap is not None:
        _tell_again(platform, county)
        if not adopt or number <= link.up_number:
            raise gap
        with platform.begin() as connection:
            change_link(connection, county, wants_snapshot=True)
            forget_orders(connection, county)  # what came of them may have been in the files that are missing
            log_pull(connection, county, platform.clock.now(), "gap", gap.zh, gap.en, harm=True)
    fits = _take(platform, county, file)
    _note(platform, county, file, fits)
    return Read(county, path.name, manifest.content, manifest.payload.lines, fits)


def _created(path: Path) -> int:
    """When a file says that it was made, 0 where it says nothing: an old one, or of a county that began anew."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(len(MAGIC) + 4)[len(MAGIC) :], "big")
        told = file.read(min(size, MANIFEST_AT_MOST))
    try:
        return micros_of(msgspec.json.decode(told, type=Manifest).created) or 0
    except (msgspec.DecodeError, Invalid):
        return 0


def _tell_again(platform: Platform, county: str) -> None:
    """Have the next file down say how far we are, also where the county was told already."""
    with platform.begin() as connection:
        change_link(connection, county, told="")


def _take(platform: Platform, code: str, file: _File) -> bool:
    """Take in a file and its number; whether its content fits onto what is there."""
    with platform.begin() as connection:
        county = the_county(connection, code)
        granted = granted_by(connection, county, file.serial)
    if file.manifest.content == "answers":
        return _take_answers(platform, code, file)
    if file.manifest.types == list(granted.types):
        if file.manifest.content == "changes" and _take_changes(platform, county, granted, file):
            return True
        if file.manifest.content == "snapshot" and _take_snapshot(platform, county, granted, file):
            return True
    with platform.begin() as connection:
        _number(connection, code, file, wants_snapshot=True)
        zh, en = f"{file.manifest.name} 接不上,需要快照。", f"{file.manifest.name} does not fit; a snapshot is needed."
        log_pull(connection, code, platform.clock.now(), "gap", zh, en, harm=True)
    return False


def _take_changes(platform: Platform, county: County, granted: Granted, file: _File) -> bool:
    told, types = file.manifest, file.manifest.types
    with platform.begin() as connection:
        at = state_in(connection, live(county.code))
    if at is None or not at.whole or at.feed != told.feed or county.types != granted.words or told.after > at.cursor:
        return False
    items = (item for item in _decoded(file, Item) if item.seq > at.cursor)

    def land(unit: Unit) -> None:
        page: list[Item] = []
        for item in items:
            page.append(item)
            if len(page) == PAGE:
                land_page(unit, county.code, page, item.seq, types)
                page = []
        if told.next >= at.cursor:
            land_page(unit, county.code, page, told.next, types)
        _number(unit.connection, county.code, file, wants_snapshot=False)

    try:
        with opened_replica(platform, live(county.code)) as replica:
            replica.write(land)
    except TooNew:
        raise
    except Broken:
        return False
    return True


def _take_snapshot(platform: Platform, county: County, granted: Granted, file: _File) -> bool:
    told, types = file.manifest, file.manifest.types
    if not told.slices or any(place.type not in types for place in told.slices):
        raise _wrong_slices(told)
    first = told.slices[0]
    if (first.type, first.after) == (types[0], ""):
        begin_coming(platform, county.code, told.feed, told.after, granted)
    elif county.coming_types != granted.words or not _wanted(_growing(platform, county.code), file):
        return False
    lines = _decoded(file, Line)

    def land(unit: Unit) -> None:
        for place in told.slices:
            part = [line for _, line in zip(range(place.lines), lines, strict=False)]
            if len(part) != place.lines or any(line.type != place.type for line in part):
                raise _wrong_slices(told)
            land_snapshot(unit, part, *_after(place.type, place.next, types))
        if next(lines, None) is not None:
            raise _wrong_slices(told)
        _number(unit.connection, county.code, file, wants_snapshot=False)

    with opened_replica(platform, coming(county.code)) as replica:
        replica.write(land)
    _finish_snapshot(platform, county.code)
    return True


def _take_answers(platform: Platform, code: str, file: _File) -> bool:
    """What came of orders; one that may succeed later goes down again."""
    for answer in _decoded(file, OrderAnswer):
        try:
            body = b64decode(answer.body, validate=True)
        except ValueError:
            raise BadFile(
                f"{file.manifest.name} 里有一条答复不是 Base64;请县里检查软件后重新写。",
                f"An answer in {file.manifest.name} is no Base64; the county's software is at fault.",
            ) from None
        with suppress(NotFound):
            finish(platform, code, answer.id, Answer(answer.status, answer.headers, body))
        with platform.begin() as connection:  # it is done, or goes down again
            forget_order(connection, answer.id)
    with platform.begin() as connection:
        _number(connection, code, file)
    return True


def _finish_snapshot(platform: Platform, code: str) -> None:
    """Put a snapshot that is whole in place, also one whose last file was taken in just before a crash."""
    at = _growing(platform, code)
    if at is not None and at.whole:
        put_in_place(platform, code)
        with platform.begin() as connection:
            log_pull(connection, code, platform.clock.now(), "whole", "快照完整。", "The snapshot is whole.")


def _growing(platform: Platform, code: str) -> ReplicaState | None:
    with platform.begin() as connection:
        return state_in(connection, coming(code))


def _wanted(at: ReplicaState | None, file: _File) -> bool:
    """Whether a file goes on where a growing snapshot stands."""
    first, told = file.manifest.slices[0], file.manifest
    return at is not None and (at.feed, at.cursor, at.type, at.key or "") == (
        told.feed, told.after, first.type, first.after,
    )  # fmt: skip


def _after(type_: str, next_: str, types: list[str]) -> tuple[str | None, str | None]:
    """What comes after a slice: type and id; None for the type where the snapshot is whole."""
    if next_:
        return type_, next_
    place = types.index(type_) + 1
    return (types[place] if place < len(types) else None), None


def _number(connection: Connection, code: str, file: _File, **values: Any) -> None:
    """The file counts: its number, and what it says that the county has of ours."""
    told = file.manifest
    change_link(
        connection, code, link=told.link, up_number=told.number, up_sha256=file.digest,
        down_receipted=told.received.number, up_created=micros_of(told.created) or 0, **values,
    )  # fmt: skip


def _note(platform: Platform, code: str, file: _File, fits: bool) -> None:
    """How the county stands, for `wanmi prefecture status`."""
    told, now = file.manifest, platform.clock.now()
    values: dict[str, Any] = {"mode": FILES, "tried_at": now, "failures": 0, "trouble_zh": None, "trouble_en": None}
    if told.content in ("changes", "snapshot") and fits:
        values |= {"pulled_at": now, "county_last": told.last}
        if told.content == "changes" and told.next == told.last:
            values["level_at"] = micros_of(told.created)
    with platform.begin() as connection:
        change_county(connection, code, **values)


def _check(platform: Platform, manifest: Manifest) -> str:
    """The serial number of the county's certificate; what it did not sign with one of ours that counts is refused.

    Raises:
        BadFile: the sentence says what is wrong.
    """
    certificate = check_signer(manifest, platform.keys.ca.read_bytes())
    if common_name(certificate) != manifest.county or manifest.way != UP:
        who = common_name(certificate)
        raise BadFile(
            f"{manifest.name} 由 {who} 签名,不是 {manifest.county};未采用。",
            f"{manifest.name} is signed by {who} and not by {manifest.county}; it was not used.",
        )
    serial = serial_of(certificate)
    query = select(CERTIFICATE.c.revoked_at).where(
        CERTIFICATE.c.serial == serial, CERTIFICATE.c.county == manifest.county
    )
    with platform.begin() as connection:
        row = connection.execute(query).one_or_none()
    if row is None or row.revoked_at is not None:
        raise BadFile(
            f"{manifest.name} 的证书已被收回;请县里重新接入后再写。",
            f"The certificate of {manifest.name} was taken back; the county must join again and write anew.",
        )
    return serial


def _gap(link: FileLink, manifest: Manifest) -> BadFile | None:
    """What is wrong with the place of a file in the row of numbers, None where it is the next one."""
    county, next_ = manifest.county, link.up_number + 1
    if manifest.number > next_:
        missing = f"{county}-{UP}-{next_:06d}.wmx"
        return BadFile(
            f"缺少 {missing},{manifest.name} 及其后的文件未采用;请县里再次 wanmi link write 带来,"
            "实在没有时用 --adopt 跳过并索取快照。",
            f"{missing} is missing, so {manifest.name} and what follows was not used. Have the county write it again "
            "with wanmi link write; where it is lost, --adopt goes on without it and asks for a snapshot.",
        )
    if manifest.number < next_ or manifest.previous != link.up_sha256:
        return BadFile(
            f"{manifest.name} 接的不是本平台收到的第 {link.up_number} 号文件(县里从备份恢复过?);"
            "请把 wanmi prefecture files write 的文件带到县里 wanmi link read,再写新的。",
            f"{manifest.name} does not follow file {link.up_number} as it came here (was the county restored from a "
            "backup?). Take the files of wanmi prefecture files write to the county's wanmi link read, and write anew.",
        )
    return None


def _wrong_slices(manifest: Manifest) -> BadFile:
    return BadFile(
        f"{manifest.name} 的分片清单与内容不符;未采用。",
        f"{manifest.name} lists other slices than it holds; it was not used.",
    )


def _decoded(file: _File, type_: Any) -> Iterator[Any]:
    decode = msgspec.json.Decoder(type_).decode
    for line in file.lines():
        try:
            yield decode(line)
        except msgspec.DecodeError as error:
            raise BadFile(
                f"{file.manifest.name} 里有看不懂的一行 ({error});未采用。",
                f"{file.manifest.name} holds a line that cannot be read ({error}); it was not used.",
            ) from None
