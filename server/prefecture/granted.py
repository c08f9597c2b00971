"""What a county shows us: by the scopes of the enrolment that counts there, which its certificate tells.

A county puts a new enrolment in force some time after we signed it, or not at all. So it is not our newest word that
says how its records are to be read, but the certificate that it shows.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from sqlalchemy import Connection, select

from appliance.exchange.kinds.all import KINDS
from appliance.exchange.scopes import REPORTER, SCOPES, Grants, grants_of
from server.prefecture.counties import County
from server.prefecture.settings import CLIENT
from server.prefecture.tables import CERTIFICATE


@dataclass(frozen=True, slots=True)
class Granted:
    """The types of the feed that may be read, and in words how they are shown.

    A replica that was taken in under other words lacks rows, or holds some that we may not see any more.
    """

    types: tuple[str, ...]
    words: str


def granted_by(
    connection: Connection, county: County, serial: str | None, feeds: Container[str] | None = None
) -> Granted:
    """What a county grants us.

    Args:
        serial: of the certificate that it showed; None where it came by a token.
        feeds: the types that it says itself; without them those of its scopes.
    """
    scopes = _scopes_of(connection, county, serial)
    grants = grants_of(scopes.get(CLIENT, []), allowed=SCOPES)
    types = tuple(
        name for name, kind in KINDS.items() if (kind.scope in grants.areas if feeds is None else name in feeds)
    )
    return Granted(types, " ".join(_word(name, grants, serial) for name in types))


def _scopes_of(connection: Connection, county: County, serial: str | None) -> dict[str, list[str]]:
    query = select(CERTIFICATE.c.scopes).where(CERTIFICATE.c.serial == serial, CERTIFICATE.c.county == county.code)
    found: dict[str, list[str]] | None = connection.execute(query).scalar_one_or_none()
    return county.scopes if found is None else found


def _word(name: str, grants: Grants, serial: str | None) -> str:
    """A type as it is shown: the areas to which it is narrowed; reporters in full only if the technician let them.

    Whether he did is told nowhere, so that every enrolment with that scope counts as another way to show cases.
    """
    areas = grants.areas.get(KINDS[name].scope, ())
    reporters = f"+{serial or ''}" if name == "case" and REPORTER in grants.areas else ""
    return name + (f"@{','.join(sorted(areas))}" if areas else "") + reporters
