"""The counties of a platform: who they are, how they are reached, how pulling them goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from appliance.errors import NotFound, WanmiError
from server.prefecture.tables import COUNTY, PULL_LOG

PULL, OUTBOUND, FILES = "pull", "outbound", "files"


@dataclass(frozen=True, slots=True)
class County:
    """A county as its row stands; the columns are described in `tables.py`."""

    code: str
    name: str
    address: str | None
    mode: str
    scopes: dict[str, list[str]]
    enrolled_at: int
    registered_at: int | None
    left_at: int | None
    types: str
    coming_types: str
    county_last: int | None
    tried_at: int | None
    pulled_at: int | None
    level_at: int | None
    next_at: int
    failures: int
    trouble_zh: str | None
    trouble_en: str | None

    @property
    def registered(self) -> bool:
        """Whether it told where it is reached, and has not left since."""
        return self.left_at is None and self.registered_at is not None

    @property
    def pulled(self) -> bool:
        """Whether we call it: it is registered, has not left, and does not call by itself."""
        return self.mode == PULL and self.registered and self.address is not None


def all_counties(connection: Connection, *, left: bool = False) -> list[County]:
    """The counties by code; those that left only if asked for."""
    query = select(COUNTY).order_by(COUNTY.c.code)
    if not left:
        query = query.where(COUNTY.c.left_at.is_(None))
    return [County(*row) for row in connection.execute(query)]


def find_county(connection: Connection, code: str) -> County | None:
    """The county of this code, None where none was ever enrolled."""
    row = connection.execute(select(COUNTY).where(COUNTY.c.code == code)).one_or_none()
    return None if row is None else County(*row)


def the_county(connection: Connection, code: str) -> County:
    """The county of this code.

    Raises:
        NotFound: it never joined, or it left.
    """
    found = find_county(connection, code)
    if found is None or found.left_at is not None:
        raise NotFound(f"县 {code[:20]} 没有接入本平台。", f"County {code[:20]} has not joined this platform.")
    return found


def put_enrolled(
    connection: Connection, code: str, name: str, address: str | None, scopes: Mapping[str, list[str]], now: int
) -> None:
    """Note that a county was enrolled, for the first time or again; what was pulled of it stays.

    One that is registered goes on as it did, at the address that it registered, until it registers another.
    """
    known = find_county(connection, code)
    values: dict[str, Any] = {"name": name, "scopes": dict(scopes), "enrolled_at": now, "left_at": None}
    if known is None:
        connection.execute(insert(COUNTY).values(code=code, mode=FILES, next_at=now, address=address, **values))
    else:
        change_county(connection, code, **values, **({} if known.registered else {"address": address}))


def put_registered(connection: Connection, county: County, address: str, now: int, next_at: int) -> None:
    """Note where a county is reached. A new one is called there; one that calls, or sends files, goes on with that."""
    mode = county.mode if county.registered else PULL
    change_county(
        connection, county.code, address=address, mode=mode, registered_at=now, next_at=next_at, failures=0,
        trouble_zh=None, trouble_en=None,
    )  # fmt: skip


def change_county(connection: Connection, code: str, **values: Any) -> None:
    """Write some columns of a county."""
    connection.execute(update(COUNTY).where(COUNTY.c.code == code).values(**values))


def log_pull(
    connection: Connection, county: str, now: int, event: str, zh: str, en: str, *, harm: bool = False
) -> None:
    """Append a line to the pull log."""
    connection.execute(insert(PULL_LOG).values(county=county, at=now, event=event, zh=zh, en=en, harm=harm))


def log_trouble(connection: Connection, county: str, now: int, error: WanmiError) -> None:
    """Append what went wrong to the pull log, once as long as it stays the same."""
    last = connection.execute(
        select(PULL_LOG.c.event, PULL_LOG.c.en)
        .where(PULL_LOG.c.county == county)
        .order_by(PULL_LOG.c.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None or tuple(last) != (error.kind, error.en):
        log_pull(connection, county, now, error.kind, error.zh, error.en, harm=True)
