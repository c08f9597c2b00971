"""Where the machine gets the time from."""

from __future__ import annotations

import shutil
import subprocess

SECONDS = 5.0
QUESTIONS = (
    ("chrony", ("chronyc", "-n", "tracking"), "Leap status     : Normal"),
    ("timesyncd", ("timedatectl", "show", "--property=NTPSynchronized"), "NTPSynchronized=yes"),
)
"""Name, the command that asks it, and what it says where it is synchronised."""


def source_of_time() -> tuple[str, bool] | None:
    """The service that keeps the time, and whether it is synchronised; None where there is none."""
    for name, command, good in QUESTIONS:
        if shutil.which(command[0]) is None:
            continue
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
        except (subprocess.TimeoutExpired, OSError):
            continue
        if done.returncode == 0:
            return name, good in done.stdout
    return None
