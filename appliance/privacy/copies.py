"""Whole copies of the database in the home: a deletion takes them away, since the person stands in them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import BadHome, Conflict
from appliance.lock import hold

BEFORE_UPGRADE = Path("backups") / "before-upgrade.db"
"""What an upgrade keeps of the database before it; once the new release runs, only a step back by hand needs it."""
STAGE = Path("backups") / "stage"
"""The pieces of the database as the last snapshot has them; the next one makes them anew."""


@contextmanager
def without_backup(home: Path) -> Iterator[None]:
    """No backup of a home begins meanwhile, so that none is made of pieces that are taken away under it.

    Raises:
        Conflict: one is under way.
    """
    (home / STAGE.parent).mkdir(mode=0o700, exist_ok=True)
    try:
        held = hold(home / STAGE.parent, "backup", "备份", "backup")
    except BadHome:
        raise Conflict(
            f"{home} 正在备份,什么也没有删除;请等备份结束后再删除。",
            f"A backup of {home} is under way and nothing was deleted; delete when it is done.",
        ) from None
    with held:
        yield


def forget_copies(home: Path) -> bool:
    """Remove the copies; whether there was one."""
    file = home / BEFORE_UPGRADE
    there = file.exists()
    file.unlink(missing_ok=True)
    return there


def forget_stage(home: Path) -> None:
    """Remove the pieces of the last snapshot, for a deletion on request; the rule leaves them to the next night."""
    shutil.rmtree(home / STAGE, ignore_errors=True)
