"""Keys of other systems: Open311 clients (`public`), device agents (`device`), the wall screen (`wall`)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.errors import Conflict, Invalid, NotFound
from appliance.people.sessions import token_hash
from appliance.records.acts import append_act
from appliance.records.writer import Unit

_NAME = text("SELECT 1 FROM api_key WHERE name = :name AND ended_at IS NULL")
_INSERT = text(
    "INSERT INTO api_key (key_hash, name, role, source, created_at) VALUES (:key_hash, :name, :role, :source, :now)"
)
_KEYS = text("SELECT name, role, source, created_at FROM api_key WHERE ended_at IS NULL ORDER BY name")
_KEY = text("SELECT name, role, source FROM api_key WHERE key_hash = :key_hash AND ended_at IS NULL")
_END = text("UPDATE api_key SET ended_at = :now WHERE name = :name AND ended_at IS NULL")
KEY_ROLES = ("public", "device", "wall")


def add_key(unit: Unit, name: str, *, role: str = "public", source: str = "web", by: str) -> str:
    """Make a key and return it; it is told once and never stored.

    Args:
        source: the case source of what comes in with this key.

    Raises:
        Conflict: the name is in use. Invalid: no such role.
    """
    if role not in KEY_ROLES:
        raise Invalid(f"密钥的角色须为 {'、'.join(KEY_ROLES)}。", f"A key's role is one of {', '.join(KEY_ROLES)}.")
    if unit.connection.execute(_NAME, {"name": name}).one_or_none() is not None:
        raise Conflict(f"已有名为 {name} 的密钥。", f"A key named {name} exists already.")
    key = secrets.token_urlsafe(24)
    values = {"key_hash": token_hash(key), "name": name, "role": role, "source": source, "now": unit.now}
    unit.connection.execute(_INSERT, values)
    append_act(unit, by, "key.add", name, {"role": role, "source": source})
    return key


@dataclass(frozen=True, slots=True)
class Key:
    """A key in use: its name, its role, and the case source of what comes in with it."""

    name: str
    role: str
    source: str | None


def find_key(connection: Connection, key: str) -> Key | None:
    """The key behind a secret, None when there is none or it was ended."""
    row = connection.execute(_KEY, {"key_hash": token_hash(key)}).one_or_none()
    return None if row is None else Key(row.name, row.role, row.source)


def list_keys(connection: Connection) -> list[dict[str, Any]]:
    """The keys in use, without their secrets."""
    return [{**row._mapping, "created_at": rfc3339(row.created_at)} for row in connection.execute(_KEYS)]


def end_key(unit: Unit, name: str, *, by: str) -> None:
    """End a key.

    Raises:
        NotFound: none of this name is in use.
    """
    if unit.connection.execute(_END, {"name": name, "now": unit.now}).rowcount == 0:
        raise NotFound(f"没有名为 {name} 的密钥。", f"There is no key named {name}.")
    append_act(unit, by, "key.end", name)
