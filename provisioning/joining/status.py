"""`wanmi link status`: every platform above, and how far each of its clients is (ENROL.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from appliance.clock import rfc3339
from appliance.errors import WanmiError
from appliance.exchange.clients import confirmed_of, lag
from appliance.exchange.kept import Kept
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.links import LinkFolder, granted
from appliance.exchange.reading import feed_state
from appliance.exchange.settings import PULL, Link
from appliance.exchange.tunnels import tunnel_state
from appliance.records.store import Records


def link_status(home: Path, records: Records) -> dict[str, Any]:
    """The first link's keys, and all links under `links`."""
    now = records.clock.now()
    with records.read() as connection:
        links = [_status_or_trouble(home, connection, link, now) for link in records.settings.exchange.links]
    first = links[0] if links else _nowhere()
    return {**first, "joined": any(link["joined"] for link in links), "links": links}


def _nowhere() -> dict[str, Any]:
    names = (
        "url", "mode", "listen", "address", "last_pull", "lag_rows", "lag_seconds", "certificate_end", "last_exchange",
        "failed_at", "trouble", "tunnel",
    )  # fmt: skip
    return {"joined": False, **dict.fromkeys(names), "clients": []}


def _status_or_trouble(home: Path, connection: Connection, link: Link, now: int) -> dict[str, Any]:
    """The status of a link; one whose enrolment cannot be read says so and hides no other."""
    try:
        return _status(home, connection, link, now)
    except WanmiError as error:
        trouble = f"{error.zh} {error.en}"
    except (OSError, ValueError) as error:
        trouble = f"证书无法读取,请重新 wanmi join。 The certificate cannot be read, run wanmi join again: {error}"
    told = {"url": link.url, "mode": link.mode, "listen": link.listen, "address": link.address}
    return _nowhere() | told | {"trouble": trouble}


def _status(home: Path, connection: Connection, link: Link, now: int) -> dict[str, Any]:
    enrolment = LinkFolder(home, link.url).enrolment()
    told = _nowhere() | {"url": link.url, "mode": link.mode, "listen": link.listen, "address": link.address}
    told["tunnel"] = tunnel_state(home, link.url)
    if enrolment is None:
        return told
    state, confirmed = feed_state(connection), confirmed_of(connection, link.url)
    clients, behind = [], []
    for name, words in sorted(enrolment.scopes.items()):
        known = confirmed.get(name)
        if known is not None and known.feed != state.name:
            known = None
        grants = granted(link, enrolment, name)
        left = lag(connection, known.cursor if known else 0, grants.types() if grants else (), now)
        if known is not None:
            behind.append(left)
        clients.append(
            {
                "name": name, "scopes": words, "last_pull": rfc3339(known.last_pull) if known else None,
                "cursor": known.cursor if known else None, "lag_rows": left.rows,
            }
        )  # fmt: skip
    behind = behind or [lag(connection, 0, tuple(KINDS), now)]
    pulled = [item.last_pull for item in confirmed.values() if item.feed == state.name]
    return told | {
        "joined": True,
        "last_pull": rfc3339(max(pulled, default=None)),
        "lag_rows": max(left.rows for left in behind),
        "lag_seconds": round(max(left.seconds for left in behind), 1),
        "certificate_end": f"{enrolment.certificate_end():%Y-%m-%dT%H:%M:%SZ}",
        "clients": clients,
        **_exchange(home, link),
    }


def _exchange(home: Path, link: Link) -> dict[str, Any]:
    """How the last exchange of a link went that this node itself brings; `trouble` is None while all is well."""
    if link.mode == PULL:
        return {}
    last = Kept(home, link.url).last()
    trouble = f"{last.zh} {last.en}" if last.failed_at else None
    return {"last_exchange": last.at, "failed_at": last.failed_at, "trouble": trouble}
