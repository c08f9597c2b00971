"""Watches the feed: wakes whoever listens when this process commits, and within a second when another one does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.patrols.position import Position
from appliance.records.feed import FeedRow, last_seq
from appliance.records.store import Records

FOREIGN_SECONDS = 1.0


@dataclass(eq=False, slots=True)
class Listener:
    """One open stream: an event that is set when there may be something new, and news that are for it alone.

    `vehicles` holds the newest position of each that sent one since they were told; None where nobody follows them.
    """

    account: str
    roles: frozenset[str]
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    news: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    vehicles: dict[str, Position] | None = None


class Watcher:
    """Wakes the listeners of the event streams."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._listeners: set[Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._reads: dict[int, asyncio.Task[list[FeedRow]]] = {}
        self.ended = False

    async def start(self) -> None:
        """Begin to watch; call it inside the running loop."""
        self._loop = asyncio.get_running_loop()
        self._records.on_commit(self._committed)
        self._task = asyncio.create_task(self._watch_others())

    def end_streams(self) -> None:
        """Let every open stream end; the node is going down. May be called from a signal handler."""
        self.ended = True
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    async def stop(self) -> None:
        """End the watch and wake everybody a last time."""
        if self._task is not None:
            self._task.cancel()
        self._loop = None
        self._wake()

    def listen(self, account: str, roles: frozenset[str] = frozenset(), *, vehicles: bool = False) -> Listener:
        """A new listener, that follows the vehicles or does not; give it back with `leave`."""
        if not self._listeners:
            self._reads = {}  # nobody was woken, so nothing was forgotten
        listener = Listener(account, roles, vehicles={} if vehicles else None)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """The stream has ended."""
        self._listeners.discard(listener)

    async def rows_after(self, after: int, read: Callable[[int], Coroutine[Any, Any, list[FeedRow]]]) -> list[FeedRow]:
        """The next rows of the feed; streams that stand at the same place share one reading until the next wake."""
        task = self._reads.get(after)
        if task is None:
            task = self._reads[after] = asyncio.create_task(read(after))
        try:
            return await asyncio.shield(task)
        except Exception:
            self._reads.pop(after, None)
            raise

    def ring(self, seat: str, call: dict[str, Any]) -> int:
        """Tell every stream of a seat about a call; returns how many heard it."""
        heard = [listener for listener in self._listeners if listener.account == seat]
        self._hand("call", call, heard)
        return len(heard)

    def tell(self, role: str, name: str, told: dict[str, Any]) -> int:
        """Tell every stream of a role something by an event of this name; returns how many heard it."""
        heard = [listener for listener in self._listeners if role in listener.roles]
        self._hand(name, told, heard)
        return len(heard)

    @property
    def vehicles_followed(self) -> bool:
        """Whether any stream follows the vehicles."""
        return any(listener.vehicles is not None for listener in self._listeners)

    def moved(self, positions: Sequence[Position]) -> None:
        """Tell the streams that follow vehicles where these are now; a stream that is slow hears the newest only."""
        for listener in self._listeners:
            if listener.vehicles is not None:
                listener.vehicles.update((position.who, position) for position in positions)
                listener.woken.set()

    @staticmethod
    def _hand(name: str, told: dict[str, Any], heard: list[Listener]) -> None:
        for listener in heard:
            listener.news.append((name, told))
            listener.woken.set()

    def _committed(self) -> None:
        loop = self._loop
        if loop is not None and self._listeners and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._reads = {}
        for listener in self._listeners:
            listener.woken.set()

    async def _watch_others(self) -> None:
        seen = -1
        while True:
            await asyncio.sleep(FOREIGN_SECONDS)
            if not self._listeners:
                continue
            last = await asyncio.to_thread(self._last)
            if last != seen:
                seen = last
                self._wake()

    def _last(self) -> int:
        with self._records.read() as connection:
            return last_seq(connection)
