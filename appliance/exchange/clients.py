"""How far each client above has come, and what that leaves behind it (ENROL.md "Feed", `link status`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from appliance.clock import SECOND
from appliance.records.writer import Unit

_SAVE = text(
    "INSERT INTO exchange_client (link, client, feed, cursor, last_pull) "
    "VALUES (:link, :client, :feed, :cursor, :last_pull) ON CONFLICT (link, client) DO UPDATE SET "
    "feed = excluded.feed, cursor = excluded.cursor, last_pull = excluded.last_pull"
)
_OF_LINK = text("SELECT client, feed, cursor, last_pull FROM exchange_client WHERE link = :link ORDER BY client")
_ALL = text("SELECT link, client, feed, cursor, last_pull FROM exchange_client ORDER BY link, client")
_FORGET = text("DELETE FROM exchange_client WHERE link = :link")
_BEHIND = text("SELECT count(*), min(at) FROM change WHERE seq > :cursor AND type IN :types").bindparams(
    bindparam("types", expanding=True)
)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """That a client has everything up to `cursor`; `last_pull` is when it said so, in microseconds."""

    link: str
    client: str
    feed: str
    cursor: int
    last_pull: int


@dataclass(frozen=True, slots=True)
class Lag:
    """What a client has not confirmed yet: changes, and seconds since the oldest of them."""

    rows: int
    seconds: float


def save_confirmed(unit: Unit, confirmed: Iterable[Confirmed]) -> None:
    """Keep how far clients are."""
    rows = [
        {
            "link": item.link, "client": item.client, "feed": item.feed, "cursor": item.cursor,
            "last_pull": item.last_pull,
        }
        for item in confirmed
    ]  # fmt: skip
    if rows:
        unit.connection.execute(_SAVE, rows)


def confirmed_of(connection: Connection, link: str) -> dict[str, Confirmed]:
    """How far the clients of a link are, by name."""
    return {row.client: Confirmed(link, *row) for row in connection.execute(_OF_LINK, {"link": link})}


def all_confirmed(connection: Connection) -> list[Confirmed]:
    """How far every client of every link is."""
    return [Confirmed(*row) for row in connection.execute(_ALL)]


def forget_clients(unit: Unit, link: str) -> None:
    """The link has ended."""
    unit.connection.execute(_FORGET, {"link": link})


def lag(connection: Connection, cursor: int, types: Sequence[str], now: int) -> Lag:
    """What lies after a cursor of the types a client may read."""
    if not types:
        return Lag(0, 0.0)
    rows, oldest = connection.execute(_BEHIND, {"cursor": cursor, "types": list(types)}).one()
    return Lag(rows, max(0.0, (now - oldest) / SECOND) if rows else 0.0)
