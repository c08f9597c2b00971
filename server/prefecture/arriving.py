"""Outbound mode: what a county sends by itself is taken in as if it had been pulled (docs/exchange.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from appliance.errors import Broken, Forbidden, Invalid, TooMany
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.landing import Item, Line, ReplicaState, TooNew, land_snapshot
from server.prefecture.counties import OUTBOUND, County, change_county, log_pull, the_county
from server.prefecture.granted import Granted, granted_by
from server.prefecture.replicas import (
    begin_coming,
    coming,
    drop_coming,
    held,
    land_page,
    opened_replica,
    put_in_place,
    state_in,
)
from server.prefecture.store import Platform
from server.prefecture.views import live

SNAPSHOT_WANTED = {"snapshot": True}
_item, _line = msgspec.json.Decoder(Item).decode, msgspec.json.Decoder(Line).decode


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of changes as its headers tell it; `last` is the number of the county's newest change."""

    feed: str
    after: int
    next: int
    more: bool
    last: int
    lines: bytes


@dataclass(frozen=True, slots=True)
class SnapshotSlice:
    """A slice of a snapshot; `after` and `next` are ids, "" for the beginning and the end of the type."""

    feed: str
    type: str
    cursor: int
    after: str
    next: str
    lines: bytes


def take_page(platform: Platform, code: str, page: FeedPage, serial: str | None = None) -> dict[str, Any]:
    """Take in a page; the answer says how far we have it on the disk, or that a snapshot is wanted first.

    Args:
        serial: of the certificate with which the county calls.

    Raises:
        TooMany: another call of this county is under way. Invalid: a line that is no change. TooNew: its records are
            newer than this software.
    """
    items = _decoded(page.lines, _item)
    with held(platform, code) as ours:
        _require(ours, code)
        county, granted = _calls(platform, code, page.last, serial)
        at = _live(platform, county)
        if at is None or at.feed != page.feed or county.types != granted.words:
            return SNAPSHOT_WANTED
        if page.after <= at.cursor <= page.next:
            try:
                with opened_replica(platform, live(code)) as replica:
                    replica.write(lambda unit: land_page(unit, code, items, page.next, granted.types))
            except TooNew:
                raise
            except Broken as error:
                _log(platform, code, "gap", error.zh, error.en, harm=True)
                return SNAPSHOT_WANTED
            if _under_way(platform, code):  # the replica goes on, so nobody needs it any more
                drop_coming(platform, code)
        cursor = max(at.cursor, page.next) if page.after <= at.cursor else at.cursor
        _note(platform, code, level=cursor == page.next and not page.more)
        return {"feed": at.feed, "cursor": cursor}


def take_slice(
    platform: Platform, code: str, part: SnapshotSlice, serial: str | None = None
) -> tuple[bool, dict[str, Any]]:
    """Take in a slice of a snapshot; whether it was the one wanted, and which is wanted next (type None: it is whole).

    Raises:
        TooMany: another call of this county is under way. Invalid: a line that is no record of the type.
    """
    lines = _decoded(part.lines, _line)
    if any(line.type != part.type for line in lines):
        raise Invalid(f"快照 {part.type} 里有别的类型。", f"The snapshot of {part.type} holds another type.")
    with held(platform, code) as ours:
        _require(ours, code)
        county, granted = _calls(platform, code, None, serial)
        types = granted.types
        if not types:
            raise Forbidden("本县没有授予任何可读类型。", "This county grants no type that may be read.")
        at = _growing(platform, county, part.feed, granted)
        if at is None and (part.type, part.after) == (types[0], ""):
            _log(platform, code, "snapshot", "县里送来快照。", "The county sends a snapshot.")
            begin_coming(platform, code, part.feed, part.cursor, granted)
            at = _growing(platform, county, part.feed, granted)
        if at is None:
            return False, {"type": types[0], "after": ""}
        if at.type is None:  # its last slice is here, but something ended us before it took its place
            return False, _placed(platform, code)
        if (part.type, part.after) != (at.type, at.key or "") or part.cursor < at.cursor:
            return False, {"type": at.type, "after": at.key or ""}
        return True, _land(platform, code, part, lines, types)


def _land(
    platform: Platform, code: str, part: SnapshotSlice, lines: Sequence[Line], types: Sequence[str]
) -> dict[str, Any]:
    type_: str | None = part.type
    if not part.next:
        place = types.index(part.type) + 1
        type_ = types[place] if place < len(types) else None
    with opened_replica(platform, coming(code)) as replica:
        replica.write(lambda unit: land_snapshot(unit, lines, type_, part.next or None))
    return _placed(platform, code) if type_ is None else {"type": type_, "after": part.next}


def _placed(platform: Platform, code: str) -> dict[str, Any]:
    """Let a snapshot that is whole take its place; nothing more is wanted."""
    put_in_place(platform, code)
    _log(platform, code, "whole", "快照完整。", "The snapshot is whole.")
    return {"type": None, "after": ""}


def _growing(platform: Platform, county: County, feed: str, granted: Granted) -> ReplicaState | None:
    """The snapshot under way, None where there is none of this feed and shown in this way."""
    with platform.begin() as connection:
        at = state_in(connection, coming(county.code))
        now = the_county(connection, county.code)
    return at if at is not None and at.feed == feed and now.coming_types == granted.words else None


def _under_way(platform: Platform, code: str) -> bool:
    with platform.begin() as connection:
        return state_in(connection, coming(code)) is not None


def _live(platform: Platform, county: County) -> ReplicaState | None:
    with platform.begin() as connection:
        at = state_in(connection, live(county.code))
    return at if at is not None and at.whole else None


def _calls(platform: Platform, code: str, last: int | None, serial: str | None) -> tuple[County, Granted]:
    """Note that this county calls by itself, so that nobody calls it; the county, and what it grants."""
    now = platform.clock.now()
    values = {} if last is None else {"county_last": last}
    with platform.begin() as connection:
        change_county(
            connection, code, mode=OUTBOUND, tried_at=now, failures=0, trouble_zh=None, trouble_en=None, **values
        )
        county = the_county(connection, code)
        return county, granted_by(connection, county, serial)


def _note(platform: Platform, code: str, *, level: bool) -> None:
    now = platform.clock.now()
    with platform.begin() as connection:
        change_county(connection, code, pulled_at=now, **({"level_at": now} if level else {}))


def _log(platform: Platform, code: str, event: str, zh: str, en: str, *, harm: bool = False) -> None:
    with platform.begin() as connection:
        log_pull(connection, code, platform.clock.now(), event, zh, en, harm=harm)


def _require(ours: bool, code: str) -> None:
    if not ours:
        raise TooMany(f"{code} 的另一次传送正在进行。", f"Another transfer of {code} is under way.", retry_after=2)


def _decoded(lines: bytes, decode: Any) -> list[Any]:
    try:
        found = [decode(line) for line in lines.split(b"\n") if line]
    except msgspec.DecodeError as error:
        raise Invalid(f"有一行看不懂: {error}。", f"A line cannot be read: {error}.") from None
    strange = {each.type for each in found} - set(KINDS) if decode is _line else set()
    if strange:
        raise Invalid(f"没有类型 {strange}。", f"There is no type {strange}.")
    return found
