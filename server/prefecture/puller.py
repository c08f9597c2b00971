"""Pulling one county: go on where its replica stands, take a snapshot where that is not possible.

Cursor and records are written in one transaction (`landing`), so whatever stops a pull, the next one goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from sqlalchemy import text

from appliance.errors import Broken, Gone, WanmiError
from appliance.exchange.landing import Line, ReplicaState, TooNew, land_snapshot
from server.prefecture.counties import County, change_county, log_pull
from server.prefecture.county_port import CountyPort, CountyRefusal, Info, Unreadable
from server.prefecture.granted import Granted, granted_by
from server.prefecture.replicas import (
    begin_coming,
    coming,
    drop_coming,
    land_page,
    opened_replica,
    put_in_place,
    state_in,
)
from server.prefecture.store import Platform
from server.prefecture.views import live

_TYPES = text("SELECT types, coming_types FROM prefecture.county WHERE code = :county")
_LAST = text("SELECT county_last FROM prefecture.county WHERE code = :county")
LINES_AT_ONCE = 2_000
SNAPSHOTS_AT_MOST = 2
"""A pull takes a snapshot anew once; if the county is restored again meanwhile, the next pull sees to it."""


@dataclass(slots=True)
class Pulled:
    """What a pull did.

    Attributes:
        records: written or forgotten. pages: of changes. snapshots: that were completed. behind: rows that are left.
    """

    records: int = 0
    pages: int = 0
    snapshots: int = 0
    behind: int = 0


class Pull:
    """One pull of one county.

    Args:
        port: the county's. ending: asked between two pages; True ends the pull there.
    """

    def __init__(self, platform: Platform, county: County, port: CountyPort, ending: Callable[[], bool]) -> None:
        self.platform, self.county, self.port, self.ending = platform, county, port, ending
        self.done = Pulled()

    def run(self) -> Pulled:
        """Pull until the replica is level with the county, or until told to end.

        Raises:
            WanmiError: what stopped it; what was taken in stays.
        """
        for attempt in range(SNAPSHOTS_AT_MOST):
            info = self.port.info()
            granted = self._heard(info)
            if not granted.types:
                raise CountyRefusal(403, "feeds 是空的,没有可读的类型 (it is empty: no type may be read)", None)
            try:
                if self._complete(info, granted):
                    self._follow(info.feed, granted.types)
                return self.done
            except TooNew:
                raise
            except (Gone, Broken) as error:
                self._log("gap" if isinstance(error, Broken) else "gone", error.zh, error.en, harm=True)
                if attempt + 1 == SNAPSHOTS_AT_MOST:
                    raise
                self._begin_anew()
        return self.done

    def _complete(self, info: Info, granted: Granted) -> bool:
        """Take a snapshot if one is needed; False when the pull was told to end meanwhile."""
        with self.platform.begin() as connection:
            now_live = state_in(connection, live(self.county.code))
            growing = state_in(connection, coming(self.county.code))
            county = connection.execute(_TYPES, {"county": self.county.code}).one()
        why = _why_snapshot(now_live, county.types, info, granted)
        if why is None:
            if growing is not None:
                drop_coming(self.platform, self.county.code)
            return True
        if growing is None or not _goes_on(growing, county.coming_types, info, granted):
            self._log("snapshot", *why)
            begin_coming(self.platform, self.county.code, info.feed, info.last, granted)
        return self._take_snapshot(granted.types)

    def _take_snapshot(self, types: tuple[str, ...]) -> bool:
        with opened_replica(self.platform, coming(self.county.code)) as replica:
            while (at := replica.state()) is not None and at.type is not None:
                records = self.port.snapshot(at.type, at.cursor, at.key, at.feed)
                for lines in _slices(records, LINES_AT_ONCE):
                    _check_slice(lines, at.type, at.key)
                    type_, key = (at.type, lines[-1].id) if lines else (_after(at.type, types), None)
                    replica.write(partial(land_snapshot, lines=lines, type_=type_, key=key))
                    self.done.records += len(lines)
                    if self.ending():
                        records.close()
                        return False
            items = at.items if at else 0
        put_in_place(self.platform, self.county.code)
        self.done.snapshots += 1
        self._log("whole", f"快照完整,{items} 条记录。", f"The snapshot is whole: {items} records.")
        return True

    def _follow(self, feed: str, types: tuple[str, ...]) -> None:
        with opened_replica(self.platform, live(self.county.code)) as replica:
            at = replica.state()
            assert at is not None
            cursor, more = at.cursor, True
            while more and not self.ending():
                asked_at = self.platform.clock.now()
                page = self.port.changes(cursor, feed, types, self.platform.settings.page)
                if page.next < cursor:
                    raise Broken(
                        f"游标倒退: {cursor} → {page.next}。", f"The cursor goes back: {cursor} to {page.next}."
                    )
                if page.more and page.next == cursor:
                    raise _stands_still("changes", str(cursor))
                land = partial(land_page, county=self.county.code, items=page.items, next_=page.next, types=types)
                self.done.records += replica.write(land)
                self.done.pages += 1
                cursor, more = page.next, page.more
                self._level(asked_at, cursor, more)

    def _level(self, asked_at: int, cursor: int, more: bool) -> None:
        """Note how far we are: level with the county up to the moment of asking when nothing more was there."""
        with self.platform.begin() as connection:
            last = connection.execute(_LAST, {"county": self.county.code}).scalar_one() or 0
            values = {} if more else {"level_at": asked_at}
            change_county(connection, self.county.code, county_last=max(last, cursor), **values)
        self.done.behind = max(last - cursor, 0)

    def _heard(self, info: Info) -> Granted:
        """Note how far the county is; what it grants."""
        self.done.behind = info.last
        with self.platform.begin() as connection:
            change_county(connection, self.county.code, county_last=info.last)
            return granted_by(connection, self.county, self.port.serial, info.feeds)

    def _begin_anew(self) -> None:
        drop_coming(self.platform, self.county.code)
        with self.platform.begin() as connection:
            change_county(connection, self.county.code, types="")

    def _log(self, event: str, zh: str, en: str, *, harm: bool = False) -> None:
        with self.platform.begin() as connection:
            log_pull(connection, self.county.code, self.platform.clock.now(), event, zh, en, harm=harm)


def pull_county(platform: Platform, county: County, ending: Callable[[], bool] = lambda: False) -> Pulled:
    """Pull one county now.

    Raises:
        WanmiError: it cannot be reached, refuses, or tells what cannot be taken in.
    """
    assert county.address is not None
    tls = platform.towards(county.code)
    with CountyPort(county.code, county.address, tls, platform.settings.patience) as port:
        return Pull(platform, county, port, ending).run()


def probe(platform: Platform, county: County) -> None:
    """Ask a county once who it is, as the last step of joining.

    Raises:
        WanmiError: why it cannot be pulled.
    """
    assert county.address is not None
    tls = platform.towards(county.code)
    with CountyPort(county.code, county.address, tls, min(platform.settings.patience, 10)) as port:
        port.info()


def _why_snapshot(at: ReplicaState | None, followed: str, info: Info, granted: Granted) -> tuple[str, str] | None:
    """Why the replica cannot simply go on, in both languages; None when it can."""
    if at is None or not at.whole:
        return "第一次取快照。", "The first snapshot."
    if at.feed != info.feed:
        return (
            "县里的数据流换了(从备份恢复过);重新取快照。",
            "The county has another feed: it was restored from a backup. A snapshot is taken.",
        )
    if not info.first - 1 <= at.cursor <= info.last:
        return (
            f"游标 {at.cursor} 不在保留范围 {info.first - 1}–{info.last} 内;重新取快照。",
            f"The cursor {at.cursor} is outside of what is kept, {info.first - 1} to {info.last}. A snapshot is taken.",
        )
    if not followed:
        return "数据流有缺口;重新取快照。", "The feed had a gap. A snapshot is taken."
    if followed != granted.words:
        return (
            f"县里授予的范围变了: {'、'.join(granted.types)};重新取快照。",
            f"What the county grants is another now: {', '.join(granted.types)}. A snapshot is taken.",
        )
    return None


def _goes_on(growing: ReplicaState, words: str, info: Info, granted: Granted) -> bool:
    """Whether a snapshot under way can be gone on with: changes after it are kept, of the same feed and grants."""
    kept = info.first - 1 <= growing.cursor <= info.last
    return growing.feed == info.feed and kept and words == granted.words


def _after(type_: str, types: tuple[str, ...]) -> str | None:
    place = types.index(type_) + 1
    return types[place] if place < len(types) else None


def _check_slice(lines: list[Line], type_: str, after: str | None) -> None:
    """Refuse what a county that keeps the contract does not send.

    Raises:
        Unreadable: records of another type, or ones that end where the snapshot was already.
    """
    strange = next((line.type for line in lines if line.type != type_), None)
    if strange is not None:
        raise Unreadable(
            f"快照 {type_} 里有别的类型 {strange[:40]!r};请县里检查软件。",
            f"The snapshot of {type_} holds another type, {strange[:40]!r}; the county's software is at fault.",
        )
    if lines and lines[-1].id == after:
        raise _stands_still(f"snapshot/{type_}", after)


def _stands_still(where: str, at: str) -> Unreadable:
    return Unreadable(
        f"{where} 在 {at[:60]} 之后没有往前走;请县里检查软件 (wanmi prefecture check)。",
        f"{where} does not go on after {at[:60]}; the county's software is at fault (wanmi prefecture check).",
    )


def _slices(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    """The lines in lists of a size; an empty one alone where there are none, which is how a type proves to be whole.

    A stream may end early without an error, where a proxy or a node that is being stopped cuts it.
    """
    stream, empty = iter(lines), True
    while part := list(islice(stream, size)):
        empty = False
        yield part
    if empty:
        yield []


def trouble_of(error: WanmiError) -> float | None:
    """Seconds that the county asked to be left alone, None where it did not."""
    return error.retry_after if isinstance(error, CountyRefusal) else None
