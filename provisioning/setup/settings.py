"""Values in `wanmi.toml`, changed in place: the technician's comments and order stay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from appliance.errors import Invalid
from appliance.settings import FILE
from provisioning.joining.written import alone, write_settings


def change_settings(home: Path, changes: Mapping[str, Any]) -> None:
    """Write values by their dotted keys, `backup.to` for instance.

    Raises:
        Invalid: a value is wrong, or the file has a form that cannot be changed in place; nothing is written.
    """
    with alone(home):
        document = tomlkit.parse((home / FILE).read_text(encoding="utf-8"))
        for key, value in changes.items():
            block, _, name = key.rpartition(".")
            table: Any = document if not block else document.setdefault(block, tomlkit.table())
            if not hasattr(table, "keys"):
                raise Invalid(f"{home / FILE} 中的 {block} 不是一个表。", f"{block} in {home / FILE} is no table.")
            table[name] = value
        write_settings(home, document)
