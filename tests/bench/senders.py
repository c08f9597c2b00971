"""Field apps: each with an account, a session and a kept connection of its own, sending where it is."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import cos, pi, sin
from pathlib import Path
from random import Random
from time import perf_counter

from sqlalchemy import text

from appliance.clock import HOUR, SystemClock, micros
from appliance.patrols.position import Position
from appliance.people.accounts import add_account
from appliance.people.keys import add_key
from appliance.people.sessions import token_hash
from appliance.records.store import Records
from appliance.records.writer import Unit
from tests.bench.load import Outcome, _answer
from tests.homes import SOUTH, STEP, WEST

SENDERS, EVERY = 1203, 10.0
_SESSION = text(
    "INSERT INTO session (token_hash, account, kind, created_at, expires_at) "
    "VALUES (:hash, :account, 'session', :now, :ends)"
)


def add_senders(home: Path, number: int = SENDERS) -> tuple[dict[str, str], str]:
    """Accounts of collectors with a session each (token by account), and the key of a device agent."""
    tokens = {f"w{at:04d}": secrets.token_urlsafe(24) for at in range(number)}

    def work(unit: Unit) -> str:
        for account, token in tokens.items():
            add_account(unit, account=account, name=account, roles=frozenset(("collector",)), by="technician")
            values = {"hash": token_hash(token), "account": account, "now": unit.now, "ends": unit.now + 12 * HOUR}
            unit.connection.execute(_SESSION, values)
        return add_key(unit, "agent", role="device", by="technician")

    records = Records.open(home)
    try:
        return tokens, records.write(work)
    finally:
        records.close()


def strolls(
    who: str, start: int, number: int, every: int, spot: tuple[float, float] = (5.0, 5.0)
) -> Iterator[Position]:
    """A collector's way through the county with stops and the unrest of a real receiver, from a place in grids on."""
    random = Random(who)
    lon, lat, heading = WEST + spot[0] * STEP, SOUTH + spot[1] * STEP, random.uniform(0, 2 * pi)
    for at in range(number):
        heading += random.gauss(0, 0.3)
        speed = 1.3 if random.random() < 0.8 else 0.0
        lon += cos(heading) * speed * every / 92_000e6 + random.gauss(0, 2e-6)
        lat += sin(heading) * speed * every / 111_000e6 + random.gauss(0, 2e-6)
        yield Position(who, start + at * every, lon, lat, round(max(0.0, speed + random.gauss(0, 0.1)), 2))


class Field:
    """All senders over kept connections."""

    def __init__(self, port: int, tokens: dict[str, str]) -> None:
        self._port, self._tokens = port, tokens
        self._base = datetime.now(UTC) - timedelta(hours=1)
        self._sent = dict.fromkeys(tokens, 0)

    def nominal(self, rounds: int) -> Outcome:
        """Everybody sends every ten seconds, spread over them; so many times."""
        return asyncio.run(self._all(rounds, EVERY))

    def pressing(self, rounds: int, connections: int) -> Outcome:
        """So many of them send as fast as they are answered; each so many times."""
        return asyncio.run(self._all(rounds, 0.0, connections))

    async def _all(self, rounds: int, every: float, connections: int | None = None) -> Outcome:
        outcome, accounts = Outcome(), list(self._tokens)[:connections]
        doors = [await asyncio.open_connection("127.0.0.1", self._port) for _ in accounts]
        started = perf_counter()
        try:
            await asyncio.gather(
                *(
                    self._sender(account, door, rounds, every, started + at / len(accounts) * every, outcome)
                    for at, (account, door) in enumerate(zip(accounts, doors, strict=True))
                )
            )
            outcome.total = perf_counter() - started
        finally:
            for _, writer in doors:
                writer.close()
        return outcome

    async def _sender(
        self,
        account: str,
        door: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        rounds: int,
        every: float,
        begin: float,
        outcome: Outcome,
    ) -> None:
        reader, writer = door
        for number in range(rounds):
            if every:
                await asyncio.sleep(max(begin + number * every - perf_counter(), 0))
            began = perf_counter()
            writer.write(self._request(account))
            status, size = await _answer(reader)
            outcome.seconds.append(perf_counter() - began)
            outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
            outcome.bytes += size

    def _request(self, account: str) -> bytes:
        self._sent[account] += 1
        at = self._base + timedelta(seconds=self._sent[account])
        line = {"account": account, "at": at.isoformat(), "lon": 113.4005, "lat": 34.1005, "speed": 1.2}
        body = json.dumps(line).encode()
        head = (
            "POST /api/v1/positions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {self._tokens[account]}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def batches(count: int, size: int) -> Iterator[bytes]:
    """What device agents send: so many bodies of so many lines, each of another vehicle's last minutes."""
    base = micros(datetime.now(UTC)) - 2 * HOUR
    clock = SystemClock()
    for number in range(count):
        lines = (
            {"device": f"v{number:04d}", "at": datetime.fromtimestamp((base + at * 1_000_000) / 1e6, UTC).isoformat(),
             "lon": 113.4 + at * 1e-5, "lat": 34.1, "speed": 8.3}
            for at in range(size)
        )  # fmt: skip
        assert base < clock.now()
        yield "\n".join(json.dumps(line) for line in lines).encode()
