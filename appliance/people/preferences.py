"""Preferences of an account: saved views and habits of the console, as JSON under a name. Each sees its own only."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.errors import FieldError, Invalid, NotFound, TooLarge
from appliance.records.writer import Unit

NAME = re.compile(r"[a-z_.-]{1,40}")
BYTES_AT_MOST = 32 * 1024
SETTINGS_AT_MOST = 50

_LIST = text("SELECT name, at FROM account_setting WHERE account = :account ORDER BY name")
_ONE = text("SELECT value, at FROM account_setting WHERE account = :account AND name = :name")
_COUNT = text("SELECT count(*) FROM account_setting WHERE account = :account AND name <> :name")
_PUT = text(
    "INSERT INTO account_setting (account, name, value, at) VALUES (:account, :name, :value, :now) "
    "ON CONFLICT (account, name) DO UPDATE SET value = excluded.value, at = excluded.at"
)
_DELETE = text("DELETE FROM account_setting WHERE account = :account AND name = :name RETURNING name")


def settings_of(connection: Connection, account: str) -> list[dict[str, Any]]:
    """The names of an account's settings, and when each was written."""
    rows = connection.execute(_LIST, {"account": account})
    return [{"name": row.name, "at": rfc3339(row.at)} for row in rows]


def find_setting(connection: Connection, account: str, name: str) -> dict[str, Any]:
    """One setting: `name`, `value`, `at`.

    Raises:
        NotFound: this account has none of this name.
    """
    row = connection.execute(_ONE, {"account": account, "name": name}).one_or_none()
    if row is None:
        raise _none(name)
    return {"name": name, "value": msgspec.json.decode(row.value), "at": rfc3339(row.at)}


def save_setting(unit: Unit, account: str, name: str, value: Any) -> None:
    """Write a setting.

    Raises:
        Invalid: a wrong name, or too many settings. TooLarge: the value is over 32 KB of JSON.
    """
    if not NAME.fullmatch(name):
        raise Invalid(
            "设置名须为 1 到 40 个小写字母、点、下划线、连字符。",
            "A setting's name has 1 to 40 small letters, dots, underscores or hyphens.",
            fields=(FieldError("name", "名称不对", "not such a name"),),
        )
    encoded = msgspec.json.encode(value)
    if len(encoded) > BYTES_AT_MOST:
        raise TooLarge(
            f"设置 {name} 有 {len(encoded)} 字节,最多 {BYTES_AT_MOST}。",
            f"The setting {name} has {len(encoded)} bytes, at most {BYTES_AT_MOST} fit.",
        )
    if unit.connection.execute(_COUNT, {"account": account, "name": name}).scalar_one() >= SETTINGS_AT_MOST:
        raise Invalid(
            f"每个账号最多 {SETTINGS_AT_MOST} 个设置;请先删除不用的。",
            f"An account has at most {SETTINGS_AT_MOST} settings; delete one first.",
        )
    unit.connection.execute(_PUT, {"account": account, "name": name, "value": encoded.decode(), "now": unit.now})


def delete_setting(unit: Unit, account: str, name: str) -> None:
    """Remove a setting.

    Raises:
        NotFound: there is none.
    """
    if unit.connection.execute(_DELETE, {"account": account, "name": name}).one_or_none() is None:
        raise _none(name)


def _none(name: str) -> NotFound:
    return NotFound(f"没有设置 {name[:40]}。", f"There is no setting {name[:40]}.")
