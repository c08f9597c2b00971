"""Operators come first: what a backup does takes one processor at most, and of that what they leave.

Less weight alone is not enough. The scheduler lets a light thread finish its slice before it wakes an operator's, and
moves it from processor to processor; kept on one, it leaves the others to the node.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
NICE = 15
PR_SET_PDEATHSIG = 1
_PRCTL = ctypes.CDLL(None).prctl


def gently(work: Callable[[], T]) -> T:
    """Do some work in a thread that steps back, with the threads that it starts; returns its result."""
    with ThreadPoolExecutor(1, initializer=_step_back) as thread:
        return thread.submit(work).result()


def gentle(*command: str) -> list[str]:
    """The same for a command; its disk accesses wait for others', too."""
    return ["taskset", "-c", str(_processor()), "nice", "-n", str(NICE), "ionice", "-c", "3", *command]


def end_with_parent() -> None:
    """Between fork and exec: end with the thread that starts us.

    A command that outlived it would go on reading what the next backup writes anew. It is one call of the kernel, for
    Python may do no more there; setpriv(1) may not be used where a unit may change no capabilities.
    """
    _PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)


def _step_back() -> None:
    thread = threading.get_native_id()
    with suppress(OSError):  # a machine that forbids it gets its backup all the same
        os.setpriority(os.PRIO_PROCESS, thread, max(NICE, os.getpriority(os.PRIO_PROCESS, thread)))
        os.sched_setaffinity(thread, {_processor()})


def _processor() -> int:
    """The last that this process may use."""
    return max(os.sched_getaffinity(0))
