"""What stands in the ledgers of a period: rows, cases, their share, and the limit that a county sets for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, text

from appliance.clock import HOUR, rfc3339
from appliance.ledgers.values import BEHALF, CALLBACK, REGISTER, Ledger, ledgers
from appliance.scoring.periods import Period
from appliance.settings import Settings

WARN_AT = 0.8
"""From this part of its limit on a share is told as near to it."""

_HISTORY = (
    "SELECT h.id, h.number, h.action, h.actor, h.actor_name, h.role, h.on_behalf_of, h.at, h.detail, h.note, c.name, "
    "c.address, c.state, c.department FROM case_action h JOIN cases c ON c.id = h.case_id "
    "WHERE h.at >= :start AND h.at < :as_of AND h.id > :after AND {what} ORDER BY h.id LIMIT :limit"
)
_OF_ACTIONS = text(_HISTORY.format(what="h.action IN :actions AND (:channel = '' OR c.channel = :channel)")).bindparams(
    bindparam("actions", expanding=True)
)
_ON_BEHALF = text(_HISTORY.format(what="h.on_behalf_of IS NOT NULL"))
_COUNT = (
    "SELECT count(*) AS rows, count(DISTINCT h.case_id) AS cases FROM case_action h JOIN cases c ON c.id = h.case_id "
    "WHERE h.at >= :start AND h.at < :as_of AND {what}"
)
_COUNT_ACTIONS = text(
    _COUNT.format(what="h.action IN :actions AND (:channel = '' OR c.channel = :channel)")
).bindparams(bindparam("actions", expanding=True))
_COUNT_BEHALF = text(_COUNT.format(what="h.on_behalf_of IS NOT NULL"))
_LATE = (
    "FROM cases c WHERE c.channel = 'public' AND c.checked_at IS NOT NULL AND c.state IN ('checked', 'closed') "
    "AND c.checked_at + :patience >= :start AND c.checked_at + :patience < :as_of "
    "AND NOT EXISTS (SELECT 1 FROM case_action h WHERE h.case_id = c.id AND h.action = 'callback' "
    "AND h.at < c.checked_at + :patience)"
)
_CALLBACKS = text(
    "SELECT c.id, c.number, c.name, c.address, c.state, c.department, c.checked_at AS at, c.registered_by "
    f"{_LATE} AND c.id > :after ORDER BY c.id LIMIT :limit"  # our own text
)
_COUNT_CALLBACKS = text(f"SELECT count(*) AS rows, count(*) AS cases {_LATE}")
_ENTRIES = text(
    "SELECT e.*, c.name, c.address, c.state, c.department FROM ledger_entry e LEFT JOIN cases c ON c.number = e.number "
    "WHERE e.ledger = :ledger AND e.at >= :start AND e.at < :as_of AND e.id > :after ORDER BY e.id LIMIT :limit"
)
_COUNT_ENTRIES = text(
    "SELECT count(*) AS rows, count(DISTINCT number) AS cases FROM ledger_entry "
    "WHERE ledger = :ledger AND at >= :start AND at < :as_of"
)


def overview(
    connection: Connection, period: Period, facts: Mapping[str, int], settings: Settings
) -> list[dict[str, Any]]:
    """Every ledger of a period: rows, cases, the share, and how it stands to the county's limit.

    Args:
        facts: the platform's facts of the period.
    """
    found = []
    for ledger in ledgers().values():
        counted = connection.execute(*_count(ledger, period, settings)).one()
        whole = facts.get(ledger.share_of, 0) if ledger.share_of else 0
        share, limit = (counted.cases / whole if whole else None), settings.scoring.shares.get(ledger.ledger)
        found.append(
            {
                "ledger": ledger.ledger, "name": ledger.chinese, "english": ledger.english, "kind": ledger.kind,
                "rows": counted.rows, "cases": counted.cases, "share_of": ledger.share_of or None, "share": share,
                "limit": limit, "standing": standing(share, limit),
            }
        )  # fmt: skip
    return found


def standing(share: float | None, limit: float | None) -> str | None:
    """How a share stands to its limit: `within`, `near`, `passed`; None where there is no share or no limit."""
    if share is None or limit is None:
        return None
    return "passed" if share > limit else "near" if share >= limit * WARN_AT else "within"


def page(
    connection: Connection, ledger: Ledger, period: Period, settings: Settings, *, after: int, limit: int
) -> list[dict[str, Any]]:
    """The rows of a ledger in a period, above a key."""
    values: dict[str, Any] = {"start": period.start, "as_of": period.as_of, "after": after, "limit": limit}
    if ledger.kind == REGISTER:
        rows = connection.execute(_ENTRIES, values | {"ledger": ledger.ledger})
        return [_entry(ledger, row) for row in rows]
    if ledger.kind == BEHALF:
        return [_history(row) for row in connection.execute(_ON_BEHALF, values)]
    if ledger.kind == CALLBACK:
        rows = connection.execute(_CALLBACKS, values | {"patience": _patience(settings)})
        return [_waiting(row) for row in rows]
    values |= {"actions": list(ledger.actions), "channel": ledger.channel}
    return [_history(row) for row in connection.execute(_OF_ACTIONS, values)]


def _count(ledger: Ledger, period: Period, settings: Settings) -> tuple[Any, dict[str, Any]]:
    values: dict[str, Any] = {"start": period.start, "as_of": period.as_of}
    if ledger.kind == REGISTER:
        return _COUNT_ENTRIES, values | {"ledger": ledger.ledger}
    if ledger.kind == BEHALF:
        return _COUNT_BEHALF, values
    if ledger.kind == CALLBACK:
        return _COUNT_CALLBACKS, values | {"patience": _patience(settings)}
    return _COUNT_ACTIONS, values | {"actions": list(ledger.actions), "channel": ledger.channel}


def _patience(settings: Settings) -> int:
    return int(settings.desk.callback_hours * HOUR)


def _waiting(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "number": row.number, "case": row.name, "address": row.address, "state": row.state,
        "department": row.department, "at": rfc3339(row.at), "actor": row.registered_by or "", "note": None,
    }  # fmt: skip


def _history(row: Any) -> dict[str, Any]:
    detail = msgspec.json.decode(row.detail) if isinstance(row.detail, str) else row.detail or {}
    return {
        "id": row.id, "number": row.number, "case": row.name, "address": row.address, "state": row.state,
        "department": detail.get("department") or row.department, "action": row.action, "at": rfc3339(row.at),
        "actor": row.actor, "actor_name": row.actor_name, "role": row.role, "on_behalf_of": row.on_behalf_of,
        "note": row.note,
    }  # fmt: skip


def _entry(ledger: Ledger, row: Any) -> dict[str, Any]:
    fields, closing = _told(ledger, row.entered), _told(ledger, row.closing)
    return {
        "id": row.id, "number": row.number, "case": row.name, "address": row.address, "state": row.state,
        "department": row.department, "at": rfc3339(row.at), "actor": row.entered_by, "note": row.note,
        "fields": fields, "closing": closing or None, "closed_by": row.closed_by, "closed_at": rfc3339(row.closed_at),
    }  # fmt: skip


def _told(ledger: Ledger, stored: Any) -> dict[str, Any]:
    """Kept fields as people read them: moments as RFC 3339, money in yuan."""
    kept = (msgspec.json.decode(stored) if isinstance(stored, str) else stored) or {}
    types = {field.field: field.type for field in ledger.fields}
    return {name: _shown(types.get(name, "text"), value) for name, value in kept.items()}


def _shown(type_: str, value: Any) -> Any:
    if type_ == "moment":
        return rfc3339(value)
    return value / 100 if type_ == "money" else value
