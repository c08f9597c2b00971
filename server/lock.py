"""One node for one home: an advisory lock on a file in the home, held as long as the process lives."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from appliance.errors import BadHome


def hold(home: Path) -> IO[str]:
    """Take the lock of a home; keep the returned file open.

    Raises:
        BadHome: another node runs on this home; its process id is named.
    """
    path = home / "node.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    file = os.fdopen(descriptor, "r+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = file.read().strip() or "?"
        file.close()
        raise BadHome(
            f"{home} 上已有一个节点在运行 (进程 {owner});一个家目录只能运行一个节点。",
            f"A node runs on {home} already (process {owner}); one home runs one node.",
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
