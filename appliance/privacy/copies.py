"""Whole copies of the database in the home: a deletion takes them away, since the person stands in them."""

from __future__ import annotations

import shutil
from pathlib import Path

BEFORE_UPGRADE = Path("backups") / "before-upgrade.db"
"""What an upgrade keeps of the database before it; once the new release runs, only a step back by hand needs it."""
STAGE = Path("backups") / "stage"
"""The pieces of the database as the last snapshot has them; the next one makes them anew."""


def forget_copies(home: Path) -> bool:
    """Remove the copies; whether there was one."""
    file = home / BEFORE_UPGRADE
    there = file.exists()
    file.unlink(missing_ok=True)
    return there


def forget_stage(home: Path) -> None:
    """Remove the pieces of the last snapshot, for a deletion on request; the rule leaves them to the next night."""
    shutil.rmtree(home / STAGE, ignore_errors=True)
