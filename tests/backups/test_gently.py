"""A backup steps back for operators; whoever ends it ends all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from backups.gently import NICE
from tests.devices.waiting import until

STARTING = """
import subprocess
from backups.gently import end_with_parent, gentle
reader = subprocess.Popen(gentle("tail", "-f", "/dev/null"), preexec_fn=end_with_parent)
print(reader.pid, flush=True)
reader.wait()
"""
OWN_WEIGHT = """
import os, threading
from backups.gently import gently
print(gently(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
"""


def test_a_backup_that_is_killed_leaves_nobody_who_reads_on() -> None:
    """The next backup may write the same files anew at once."""
    backup = subprocess.Popen([sys.executable, "-c", STARTING], stdout=subprocess.PIPE, text=True)
    assert backup.stdout is not None
    reader = Path("/proc") / backup.stdout.readline().strip()
    until(lambda: (reader / "comm").read_text().strip() == "tail", "it reads")
    backup.kill()
    backup.communicate()
    try:
        until(lambda: not reader.exists() or "(zombie)" in (reader / "status").read_text(), "nobody reads on")
    finally:
        if reader.exists():
            os.kill(int(reader.name), signal.SIGKILL)


def test_who_starts_it_with_less_weight_still_gets_a_backup() -> None:
    assert weight_under(0) == NICE
    assert weight_under(19) == 19


def weight_under(nice: int) -> int:
    """The weight of a backup's thread in a process of some weight, whose account may not take any back."""
    like_others = ("setpriv", "--bounding-set=-sys_nice") if os.geteuid() == 0 else ()
    command = [*like_others, "nice", "-n", str(nice), sys.executable, "-c", OWN_WEIGHT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)
