"""The disk under a folder, and what it says of its health (SMART)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from time import time
from typing import Any

BLOCK = Path("/sys/dev/block")
NOTED = Path("/run/wanmi-disk/health.json")
"""What the unit `wanmi-disk` of an installed box was told by every disk: only root may ask them."""
NOTED_SECONDS = 86_400.0
SMART_SECONDS = 20.0


def device_of(folder: Path) -> str | None:
    """The whole disk that a folder is on, as `/dev/sda`; None for memory, networks and stacks of several disks."""
    number = os.stat(folder).st_dev
    place = BLOCK / f"{os.major(number)}:{os.minor(number)}"
    if not place.exists():
        return None
    found = place.resolve()
    whole = found.parent if (found / "partition").exists() else found
    device = Path("/dev") / whole.name
    return str(device) if device.exists() and not list(whole.glob("slaves/*")) else None


def health_of(device: str) -> bool | None:
    """Whether a disk says that it is well; None where it says nothing."""
    said = _noted().get(device) or _asked(device)
    passed = said.get("smart_status", {}).get("passed") if isinstance(said, dict) else None
    return passed if isinstance(passed, bool) else None


def _noted() -> dict[str, Any]:
    try:
        if time() - NOTED.stat().st_mtime > NOTED_SECONDS:
            return {}
        noted = json.loads(NOTED.read_bytes())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _asked(device: str) -> Any:
    command = ["smartctl", "--json", "--health", device]
    try:
        return json.loads(subprocess.run(command, capture_output=True, check=False, timeout=SMART_SECONDS).stdout)
    except (subprocess.TimeoutExpired, ValueError, OSError):
        return None
