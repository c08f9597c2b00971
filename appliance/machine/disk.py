"""The disk under a folder."""

from __future__ import annotations

import os
from pathlib import Path

BLOCK = Path("/sys/dev/block")


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
