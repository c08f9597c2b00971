"""Taking the install off a machine: everything but the data, or the data too."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from provisioning.system import services
from provisioning.system.box import Box
from provisioning.system.tables import files

SOFTWARE = ("/opt/wanmi", "/usr/local/lib/wanmi")
DATA = ("/var/lib/wanmi", "/var/lib/wanmi-seat")
WRITTEN = "/etc/wanmi"
"""What the technician wrote; it goes with the data."""


def remove(box: Box) -> list[str]:
    """Stop the units, remove software and files. Data, /etc/wanmi, accounts and packages stay. Returns what went."""
    services.disable(box)
    return list(_gone(box, [file.path for file in files() if not file.yours] + list(SOFTWARE)))


def purge(box: Box) -> list[str]:
    """Remove the data and /etc/wanmi, too. It is gone for good; backups elsewhere stay."""
    return list(_gone(box, (*DATA, WRITTEN)))


def has_data(box: Box) -> bool:
    """Whether there is a home to lose."""
    return any(box.at(path).exists() for path in DATA)


def _gone(box: Box, paths: list[str] | tuple[str, ...]) -> Iterator[str]:
    for path in map(box.at, paths):
        name = "/" + str(Path(path).relative_to(box.root))
        if path.is_symlink():
            # whoever laid the data elsewhere may have more in that folder
            name = f"{name} (只是链接,{path.readlink()} 仍在 / the link alone, that folder stays)"
            path.unlink()
        elif path.is_dir():
            _empty(path)
            if path.is_mount():
                name = f"{name} (里面的全部;它是挂载点 / all that is in it; a disk is mounted there)"
            else:
                path.rmdir()
        elif path.exists():
            path.unlink()
        else:
            continue
        yield name


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
