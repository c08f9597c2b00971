"""Profiles for the seats' machines: Windows Terminal and PuTTY, ready to be imported."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from appliance.errors import Invalid
from provisioning.system.tables import DATA

PROFILES = ("windows-terminal.json", "putty.reg")
ADDRESS = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]{0,251}[0-9A-Za-z])?|[0-9A-Fa-f:]{2,39}")


def write_profiles(folder: Path, address: str | None = None) -> list[Path]:
    """Write the profiles for a box that seats reach under an address (this machine's name by itself).

    Raises:
        Invalid: that is no host name and no IP address.
    """
    where = address or socket.gethostname()
    if not ADDRESS.fullmatch(where):
        raise Invalid(
            f"--address {where!r} 不是主机名或 IP 地址;写作 192.168.1.10。",
            f"--address {where!r} is no host name or IP address; write it as 192.168.1.10.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in PROFILES:
        text = (DATA / name).read_text(encoding="utf-8").replace("@ADDRESS@", where)
        path = folder / name
        # Windows reads lines that end with both signs
        path.write_bytes(text.replace("\n", "\r\n").encode())
        written.append(path)
    return written
