"""Administrative acts: imports, accounts, settings, keys. Each is one chained row beside the history of cases.

Whoever changes reference data (limits, calendar, duties, departments) appends an act; caches go by the newest act.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.records import chain
from appliance.records.writer import Unit

_LAST = text("SELECT hash FROM admin_act ORDER BY id DESC LIMIT 1")
_INSERT = text(
    "INSERT INTO admin_act (at, actor, act, subject, detail, previous, hash) "
    "VALUES (:at, :actor, :act, :subject, :detail, :previous, :hash)"
)


def append_act(unit: Unit, actor: str, act: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    """Append one act to the chain.

    Args:
        actor: the account, or `technician` for a command on the box.
        act: what was done, for example `import` or `account.password`.
        subject: what it was done to.
        detail: facts without secrets and without personal data.
    """
    previous = unit.connection.execute(_LAST).scalar_one_or_none() or chain.FIRST
    content: dict[str, Any] = {"at": unit.now, "actor": actor, "act": act, "subject": subject, "detail": detail or {}}
    encoded = chain.encode(content["detail"])
    unit.connection.execute(
        _INSERT, {**content, "detail": encoded, "previous": previous, "hash": chain.link(previous, content)}
    )


def last_act(connection: Connection) -> int:
    """The number of the newest act; it changes whenever reference data may have changed."""
    return int(connection.execute(text("SELECT coalesce(max(id), 0) FROM admin_act")).scalar_one())


def broken_act(connection: Connection) -> tuple[int, int | None]:
    """Walk the chain: how many acts held, and the key of the first broken one (None when all hold)."""
    previous, held = chain.FIRST, 0
    rows = connection.execute(
        text("SELECT id, at, actor, act, subject, detail, previous, hash FROM admin_act ORDER BY id")
    )
    for row in rows:
        content = {"at": row.at, "actor": row.actor, "act": row.act, "subject": row.subject}
        content["detail"] = msgspec.json.decode(row.detail)
        if row.previous != previous or row.hash != chain.link(previous, content):
            return held, row.id
        previous, held = row.hash, held + 1
    return held, None
