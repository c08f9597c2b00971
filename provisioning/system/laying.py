"""Laying the files of the install into a box, and comparing what is there with what should be.

Laying again changes nothing. A file that the technician may change (`yours`) is written only where it is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from provisioning.system.accounts import ids, make_accounts, wanted
from provisioning.system.box import Box
from provisioning.system.tables import File, Folder, files, folders

State = Literal["good", "yours", "differs", "missing"]
SAID: dict[State, str] = {
    "good": "良好 / good",
    "yours": "由您改过,保留 / yours, kept",
    "differs": "不同 / differs",
    "missing": "缺少 / missing",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A part of the install and how it stands; `what` is a path, an account or a unit."""

    what: str
    state: State

    @property
    def is_well(self) -> bool:
        return self.state in ("good", "yours")


def lay(box: Box) -> list[str]:
    """Make accounts and folders, write the files that are missing or differ; returns what was changed.

    Raises:
        Broken: an account cannot be made.
    """
    changed = [f"{name} (账号 / account)" for name in make_accounts(box)]
    for folder in folders():
        path = box.at(folder.path)
        if not path.is_dir():
            path.mkdir(parents=True, mode=folder.mode)
            changed.append(folder.path)
        _own(box, path, folder.mode, folder.owner, folder.owner)
    for file in files():
        if _state(box, file) in ("differs", "missing"):
            _write(box, file)
            changed.append(file.path)
    return changed


def compare(box: Box) -> Iterator[Found]:
    """How accounts, folders and files stand. Changes nothing."""
    for account in wanted():
        yield Found(account[0], "missing" if ids(box, account[0]) is None else "good")
    for folder in folders():
        yield Found(folder.path, _state_of_folder(box, folder))
    for file in files():
        yield Found(file.path, _state(box, file))
    yield Found("/opt/wanmi/current", "good" if (box.current / ".venv/bin/wanmi").exists() else "missing")


def _state_of_folder(box: Box, folder: Folder) -> State:
    path = box.at(folder.path)
    if not path.is_dir():
        return "missing"
    status, account = path.stat(), ids(box, folder.owner) or (0, 0)
    # another file tree that was laid without root belongs to whoever did that
    is_owned = (status.st_uid, status.st_gid) == account or not (box.is_real or os.geteuid() == 0)
    return "good" if is_owned and status.st_mode & 0o777 == folder.mode else "differs"


def _state(box: Box, file: File) -> State:
    path = box.at(file.path)
    if not path.exists():
        return "missing"
    same = path.read_bytes() == file.source.read_bytes()
    if not same and file.yours:
        return "yours"
    return "good" if same and path.stat().st_mode & 0o777 == file.mode else "differs"


def _write(box: Box, file: File) -> None:
    path = box.at(file.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(file.source.read_bytes())
    _own(box, new, file.mode, "root", file.group)
    new.replace(path)


def _own(box: Box, path: Path, mode: int, owner: str, group: str) -> None:
    """Owner before mode, so that nobody else reads it meanwhile; without root, the mode alone."""
    user, owning = ids(box, owner) or (0, 0), ids(box, group) or (0, 0)
    if os.geteuid() == 0 and (path.stat().st_uid, path.stat().st_gid) != (user[0], owning[1]):
        os.chown(path, user[0], owning[1])
    if path.stat().st_mode & 0o777 != mode:
        path.chmod(mode)
