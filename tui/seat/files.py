"""The console's own small files: preferences and the draft that must survive a crash.

Folders by the XDG rules: `$XDG_CONFIG_HOME/wanmi` (else ~/.config/wanmi) for what a person writes, and
`$XDG_STATE_HOME/wanmi` (else ~/.local/state/wanmi) for what the console keeps. Files are readable by their owner only
and replaced whole. A file that cannot be read or written is no reason to stop working.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

PREFERENCES = "console.json"


def config_folder() -> Path:
    """Where a person's own settings of the console lie."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "wanmi"


def state_folder() -> Path:
    """Where the console keeps what it must remember."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "wanmi"


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; empty when there is none or it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> bool:
    """Replace a file whole, mode 0600; whether that was possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False)
        beside.replace(path)
    except OSError:
        return False
    return True


class Preferences:
    """Language, theme and the like of this seat, kept between sessions."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or state_folder() / PREFERENCES
        self._values = read_json(self._path)

    def get(self, name: str, default: Any = None) -> Any:
        """A preference, or the default."""
        return self._values.get(name, default)

    def set(self, name: str, value: Any) -> bool:
        """Keep a preference; whether it could be written."""
        self._values = {**read_json(self._path), name: value}
        return write_json(self._path, self._values)


class DraftFile:
    """What somebody has typed into the intake of one node and not registered yet."""

    def __init__(self, url: str, account: str, folder: Path | None = None) -> None:
        whose = hashlib.sha256(f"{account}@{url}".encode()).hexdigest()[:16]
        self.path = (folder or state_folder()) / f"draft-{whose}.json"

    def read(self) -> dict[str, Any]:
        """The draft; empty when there is none."""
        return read_json(self.path)

    def keep(self, draft: dict[str, Any]) -> bool:
        """Keep a draft; whether it could be written."""
        return write_json(self.path, draft)

    def remove(self) -> None:
        """Forget it."""
        with contextlib.suppress(OSError):
            self.path.unlink()
