"""Requests that were answered once: the same key of the same account again gets the same answer, and does nothing."""

from __future__ import annotations

from sqlalchemy import Connection

from appliance.errors import Conflict
from appliance.records.sql import Sql
from appliance.records.writer import Unit

_ANSWERED = Sql("SELECT number, body_digest FROM idempotent_answer WHERE account = :account AND key = :key")
_ANSWER = Sql(
    "INSERT INTO idempotent_answer (account, key, body_digest, number, at) "
    "VALUES (:account, :key, :body_digest, :number, :at)"
)


def answered(connection: Connection, account: str, key: str, body_digest: str) -> str | None:
    """What this key was answered with, None when it is new.

    Raises:
        Conflict: the key was used with another body.
    """
    row = _ANSWERED.row(connection, {"account": account, "key": key})
    if row is None:
        return None
    if row[1] != body_digest:
        raise Conflict(
            f"Idempotency-Key {key!r} 已用于内容不同的请求(答复 {row[0]});请换一个新的键。",
            f"Idempotency-Key {key!r} was used with another body, answered with {row[0]}; use a new key.",
        )
    return str(row[0])


def remember(unit: Unit, account: str, key: str, body_digest: str, number: str) -> None:
    """Keep what a key was answered with: the number of a case, or of what else was made."""
    values = {"account": account, "key": key, "body_digest": body_digest, "number": number, "at": unit.now}
    _ANSWER.run(unit.connection, values)
