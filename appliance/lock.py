"""One node, one device agent for one home: an advisory lock on a file, held as long as the process lives."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from time import sleep
from typing import IO

from appliance.errors import BadHome

LOOKS, LOOK_SECONDS = 25, 0.02


def hold(home: Path, name: str = "node", zh: str = "节点", en: str = "node") -> IO[str]:
    """Take the lock `NAME.lock` of a home; keep the returned file open.

    Args:
        zh, en: what holds the lock, for the refusal.

    Raises:
        BadHome: another one runs on this home; its process id is named.
    """
    descriptor = os.open(home / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    file = os.fdopen(descriptor, "r+", encoding="ascii")
    if not _taken(file):
        owner = file.read().strip() or "?"
        file.close()
        raise BadHome(
            f"{home} 上已有一个{zh}在运行 (进程 {owner});一个家目录只能运行一个{zh}。",
            f"A {en} runs on {home} already (process {owner}); one home runs one {en}.",
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _taken(file: IO[str]) -> bool:
    """Whether the lock could be taken; somebody who only looks (`is_held`) has it for a moment."""
    for _ in range(LOOKS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            sleep(LOOK_SECONDS)
    return False


def is_held(home: Path, name: str = "node") -> bool:
    """Whether somebody holds the lock `NAME.lock` of a home now."""
    try:
        with (home / f"{name}.lock").open("r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
