"""A person's own keys: `keys.toml` in the console's configuration folder.

    [keys]                 # by the name that the help shows with each key
    "desk.search" = "ctrl+f"

    [actions]              # by the name of the workflow's action
    dispatch = "x"

The file is checked whole: one wrong line and none of it is used, and the console says which.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from textual.binding import Binding

from appliance.cases.workflow import workflow
from appliance.errors import FieldError, Invalid
from appliance.nearest import nearest
from tui.seat.files import config_folder

NAME = "keys.toml"


@dataclass(frozen=True, slots=True)
class KeyMap:
    """Keys by the names of bindings, and by the names of actions; empty for none of one's own."""

    keys: dict[str, str] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)


def keymap_file() -> Path:
    """Where a person's own keys stand."""
    return config_folder() / NAME


def read_keymap(known: Iterable[str], path: Path | None = None) -> KeyMap:
    """The key map of the person at this seat; an empty one where there is no file.

    Args:
        known: the names of all bindings.

    Raises:
        Invalid: the file cannot be read, names what is not there, or gives one key twice.
    """
    file = path or keymap_file()
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return KeyMap()
    except (OSError, ValueError) as error:
        raise Invalid(f"{file}: 读不懂: {error}", f"{file}: cannot be read: {error}") from None
    for table in found:
        if table not in ("keys", "actions"):
            raise _wrong(file, table, "没有这个表", "no such table", ("keys", "actions"))
    keys = _table(file, "keys", found.get("keys", {}), frozenset(known))
    actions = _table(file, "actions", found.get("actions", {}), frozenset(workflow().actions))
    for name, key in actions.items():
        if len(key) != 1:
            raise _wrong(file, f"actions.{name}", "动作键须是一个字符", "the key of an action is one character", ())
    return KeyMap(keys, actions)


def binding_names(classes: Iterable[type]) -> set[str]:
    """The names of all bindings that these classes have themselves."""
    return {
        binding.id
        for owner in classes
        for binding in getattr(owner, "BINDINGS", ())
        if isinstance(binding, Binding) and binding.id
    }


def _table(file: Path, name: str, found: object, known: frozenset[str]) -> dict[str, str]:
    if not isinstance(found, dict):
        raise _wrong(file, name, "应为表", "must be a table", ())
    used: dict[str, str] = {}
    for key, value in found.items():
        if key not in known:
            raise _wrong(file, f"{name}.{key}", "没有这个名称", "no such name", nearest(key, sorted(known)))
        if not isinstance(value, str) or not value.strip():
            raise _wrong(file, f"{name}.{key}", "应为键名", "must be the name of a key", ())
        if value in used.values():
            raise _wrong(file, f"{name}.{key}", f"{value} 用了两次", f"{value} is used twice", ())
        used[key] = value
    return used


def _wrong(file: Path, field_name: str, zh: str, en: str, near: Iterable[str]) -> Invalid:
    listed = tuple(near)
    return Invalid(
        f"{file}: {field_name}: {zh}" + (f";最接近: {'、'.join(listed)}" if listed else ""),
        f"{file}: {field_name}: {en}" + (f"; nearest: {', '.join(listed)}" if listed else ""),
        fields=(FieldError(field_name, zh, en, listed),),
    )
