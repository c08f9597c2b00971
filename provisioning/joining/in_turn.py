"""One command at a time changes a home's links: join, leave and renewal wait for each other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.options import say
from appliance.settings import load

LOCK = "joining.lock"


@contextmanager
def in_turn(home: Path) -> Iterator[None]:
    """Wait until no other command changes the links of a home; what is read of them is read inside.

    Raises:
        BadHome: there is no home.
    """
    load(home)
    with os.fdopen(os.open(home / LOCK, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(
                "另一个 join、leave 或续期正在进行,等它结束 / another join, leave or renewal is at work, waiting for it"
            )
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
