"""The serial ports of this machine, by names that stay when an adapter is plugged in again.

`/dev/serial/by-id/…` names the adapter; where two adapters carry the same or no serial number, `/dev/serial/by-path/…`
names the socket it is plugged into. `ttyUSB0` is never stored: the number changes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

BY_ID = Path("/dev/serial/by-id")
BY_PATH = Path("/dev/serial/by-path")


@dataclass(frozen=True, slots=True)
class Port:
    """A port: the name to keep, the device behind it now, and what its adapter tells of itself."""

    path: str
    device: str
    what: str
    vendor: int | None = None
    product: int | None = None
    serial_number: str | None = None


def ports() -> list[Port]:
    """Every serial port there is, adapters with a lasting name first."""
    found = []
    for info in list_ports.comports():
        path = lasting_name(info.device)
        found.append(Port(path, info.device, info.description or "", info.vid, info.pid, info.serial_number))
    return sorted(found, key=lambda port: (not port.path.startswith(str(BY_ID.parent)), port.path))


def lasting_name(device: str) -> str:
    """The lasting name of a device: by its adapter, else by its socket, else the device itself."""
    for folder in (BY_ID, BY_PATH):
        if not folder.is_dir():
            continue
        for link in sorted(folder.iterdir()):
            if os.path.realpath(link) == os.path.realpath(device):
                return str(link)
    return device


def is_lasting(path: str) -> bool:
    """Whether a configured path will still name the same adapter after it was plugged in again."""
    return not Path(path).name.startswith(("ttyUSB", "ttyACM"))


def holders(path: str) -> list[tuple[int, str]]:
    """Process id and name of everybody who has the port open, as far as this account may see them."""
    wanted = os.path.realpath(path)
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and wanted in _open_files(folder):
            found.append((int(folder.name), _name_of(folder)))
    return sorted(found)


def _open_files(process: Path) -> set[str]:
    """What a process has open; nothing where this account may not look, or the process just ended."""
    found = set()
    with suppress(OSError):
        for link in (process / "fd").iterdir():
            with suppress(OSError):
                found.add(os.readlink(link))
    return found


def _name_of(folder: Path) -> str:
    try:
        return (folder / "comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "?"
