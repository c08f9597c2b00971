"""How each county stands: last pull, lag, back-off, certificate, a snapshot under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from appliance.clock import SECOND, rfc3339
from appliance.exchange.landing import ReplicaState
from server.prefecture.counties import County, all_counties
from server.prefecture.down import WAITING
from server.prefecture.replicas import coming, state_in
from server.prefecture.store import Platform
from server.prefecture.tables import CERTIFICATE, PULL_LOG, SENT
from server.prefecture.views import live


@dataclass(frozen=True, slots=True)
class CountyStatus:
    """One county.

    Attributes:
        lag_rows: changes that the county is known to have beyond ours; None before it was taken in.
        lag_seconds: since when the replica has not been known to hold everything; None before it first did.
        back_off_seconds: until it is called again after failures; None when the last call went well.
        snapshot: the type that comes next and the records taken in, while a snapshot is under way.
        waiting: what waits to be sent down.
    """

    county: str
    name: str
    mode: str
    address: str | None
    last_pull: str | None
    cursor: int | None
    lag_rows: int | None
    lag_seconds: float | None
    failures: int
    back_off_seconds: float | None
    trouble_zh: str | None
    trouble_en: str | None
    certificate_end: str | None
    snapshot: dict[str, Any] | None
    waiting: int

    def behind(self, seconds: float) -> bool:
        """Whether its replica is older than that, or was never whole."""
        return self.lag_seconds is None or self.lag_seconds > seconds


def statuses(platform: Platform) -> list[CountyStatus]:
    """How the counties of the platform stand now, by code."""
    now = platform.clock.now()
    with platform.begin() as connection:
        return [_status(connection, county, now) for county in all_counties(connection)]


def log_lines(connection: Connection, code: str | None, at_most: int) -> list[Any]:
    """The newest lines of the pull log, newest first."""
    query = select(PULL_LOG).order_by(PULL_LOG.c.id.desc()).limit(at_most)
    return list(connection.execute(query if code is None else query.where(PULL_LOG.c.county == code)))


def _status(connection: Connection, county: County, now: int) -> CountyStatus:
    at, growing = state_in(connection, live(county.code)), state_in(connection, coming(county.code))
    end = connection.execute(
        select(func.max(CERTIFICATE.c.ends_at)).where(
            CERTIFICATE.c.county == county.code, CERTIFICATE.c.revoked_at.is_(None)
        )
    ).scalar_one()
    waiting = connection.execute(
        select(func.count()).select_from(SENT).where(SENT.c.county == county.code, SENT.c.state == WAITING)
    ).scalar_one()
    return CountyStatus(
        county=county.code, name=county.name, mode=county.mode, address=county.address,
        last_pull=rfc3339(county.pulled_at), cursor=at.cursor if at else None, lag_rows=_rows(county, at),
        lag_seconds=None if county.level_at is None or at is None else max(0.0, (now - county.level_at) / SECOND),
        failures=county.failures,
        back_off_seconds=max(0.0, (county.next_at - now) / SECOND) if county.failures else None,
        trouble_zh=county.trouble_zh, trouble_en=county.trouble_en, certificate_end=rfc3339(end),
        snapshot=_growing(growing), waiting=waiting,
    )  # fmt: skip


def _rows(county: County, at: ReplicaState | None) -> int | None:
    if county.county_last is None or at is None:
        return None
    return max(0, county.county_last - at.cursor)


def _growing(at: ReplicaState | None) -> dict[str, Any] | None:
    return (
        None if at is None else {"type": at.type, "after": at.key, "records": at.items, "since": rfc3339(at.pulled_at)}
    )
