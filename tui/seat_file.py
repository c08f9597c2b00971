"""What a seat keeps on its own machine: how its terminal draws. Neither password nor session nor anything of a case.

One JSON file, `console.json` in `$WANMI_CONSOLE_HOME`, else in `wanmi/` under `$XDG_CONFIG_HOME` or `~/.config`.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any


def folder() -> Path:
    """Where the file lies."""
    if given := os.environ.get("WANMI_CONSOLE_HOME"):
        return Path(given)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "wanmi"


def kept() -> dict[str, Any]:
    """Everything that is kept; empty where there is nothing, or nothing readable."""
    try:
        found = json.loads((folder() / "console.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def keep(key: str, value: Any) -> None:
    """Keep a value; a seat that may write nowhere goes on without."""
    with suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        target = folder() / "console.json"
        temporary = target.with_suffix(".new")
        temporary.write_text(json.dumps({**kept(), key: value}, ensure_ascii=False, indent=1), encoding="utf-8")
        temporary.replace(target)
