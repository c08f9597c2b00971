"""A link's WireGuard tunnel: its name, where its file stands, whether it is up. It is off unless somebody starts it."""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path("keys") / "wireguard"
INTERFACES = Path("/sys/class/net")


def tunnel_name(url: str) -> str:
    """The network interface of a link's tunnel; at most 15 characters, as Linux wants it."""
    return f"wm-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def tunnel_file(home: Path, url: str) -> Path:
    """The configuration for `wg-quick`, with our private key."""
    return home / FOLDER / f"{tunnel_name(url)}.conf"


def tunnel_state(home: Path, url: str) -> str | None:
    """`up` or `down`; None where none was made."""
    if (INTERFACES / tunnel_name(url)).exists():
        return "up"
    return "down" if tunnel_file(home, url).exists() else None
