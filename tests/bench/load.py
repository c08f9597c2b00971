"""A load of HTTP/1.1 requests over kept connections, cheap enough to leave the other core to the node."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter


@dataclass
class Outcome:
    """What a load saw: seconds of each request, the statuses, the whole time."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    total: float = 0.0
    bytes: int = 0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.seconds) / self.total

    def at(self, share: float) -> float:
        """The percentile `share` (0…1) in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    path: str
    body: bytes = b""


class Load:
    """So many clients that send requests one after the other; bounded by their count.

    Args:
        calls: makes the calls; each client takes the next one until they are used up.
    """

    def __init__(self, port: int, token: str, clients: int) -> None:
        self._port = port
        self._token = token
        self._clients = clients

    def run(self, calls: Iterator[Call]) -> Outcome:
        """Send all calls and return what was seen."""
        return asyncio.run(self._run(calls))

    async def _run(self, calls: Iterator[Call]) -> Outcome:
        outcome = Outcome()
        started = perf_counter()
        await asyncio.gather(*(self._client(calls, outcome) for _ in range(self._clients)))
        outcome.total = perf_counter() - started
        return outcome

    async def _client(self, calls: Iterator[Call], outcome: Outcome) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            for call in calls:
                head = (
                    f"{call.method} {call.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(call.body)}\r\n\r\n"
                )
                began = perf_counter()
                writer.write(head.encode() + call.body)
                status, size = await _answer(reader)
                outcome.seconds.append(perf_counter() - began)
                outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
                outcome.bytes += size
        finally:
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, int]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            length = int(line[15:])
    await reader.readexactly(length)
    return int(head[9:12]), length


def posts(count: int, make: Callable[[int], dict[str, object]], path: str = "/api/v1/cases") -> Iterator[Call]:
    """So many POSTs with bodies made by number."""
    for number in range(count):
        yield Call("POST", path, json.dumps(make(number), ensure_ascii=False).encode())


def gets(paths: list[str], count: int) -> Iterator[Call]:
    """So many GETs over a list of paths, in turn."""
    for number in range(count):
        yield Call("GET", paths[number % len(paths)])
