"""Releases side by side in /opt/wanmi/releases; `current` is a link that changes at one stroke."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from appliance.errors import NotFound
from provisioning.system.box import Box


def release(box: Box, name: str) -> Path:
    """The folder of a release that was built.

    Raises:
        NotFound: there is none of this name, or it is half built.
    """
    folder = box.releases / name
    if "/" in name or not (folder / ".venv" / "bin" / "wanmi").exists():
        raise NotFound(
            f"{box.releases} 里没有版本 {name};请先运行 install.sh。",
            f"{box.releases} has no release {name}; run install.sh.",
        )
    return folder


def running(box: Box) -> str | None:
    """The name of the release that runs, None where none was installed."""
    return os.readlink(box.current).rpartition("/")[2] if box.current.is_symlink() else None


def switch(box: Box, name: str) -> None:
    """Let `current` be a release. The link is replaced at one stroke, and is relative."""
    new = box.opt / ".current.new"
    new.unlink(missing_ok=True)
    new.symlink_to(Path("releases") / name)
    new.replace(box.current)


def forget_old(box: Box, before: str) -> list[str]:
    """Remove all releases but the one that runs and the one before it. Returns the names of those removed."""
    kept = {running(box), before}
    gone = sorted((folder for folder in box.releases.iterdir() if folder.name not in kept), key=lambda path: path.name)
    for folder in gone:
        shutil.rmtree(folder)
    return [folder.name for folder in gone]
