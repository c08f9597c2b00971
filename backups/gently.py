"""Operators come first: what a backup does takes one processor at most, and of that what they leave.

Less weight alone is not enough. The scheduler lets a light thread finish its slice before it wakes an operator's, and
moves it from processor to processor; kept on one, it leaves the others to the node.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
NICE = 15


def gently(work: Callable[[], T]) -> T:
    """Do some work in a thread that steps back, with the threads that it starts; returns its result."""
    with ThreadPoolExecutor(1, initializer=_step_back) as thread:
        return thread.submit(work).result()


def gentle(*command: str) -> list[str]:
    """The same for a command; its disk accesses wait for others', too, and it ends with the thread that starts it.

    One that outlived us would go on reading what the next backup writes anew.
    """
    step_back = ("taskset", "-c", str(_processor()), "nice", "-n", str(NICE), "ionice", "-c", "3")
    return ["setpriv", "--pdeathsig", "KILL", *step_back, *command]


def _step_back() -> None:
    thread = threading.get_native_id()
    with suppress(OSError):  # a machine that forbids it gets its backup all the same
        os.sched_setaffinity(thread, {_processor()})
        os.setpriority(os.PRIO_PROCESS, thread, max(NICE, os.getpriority(os.PRIO_PROCESS, thread)))


def _processor() -> int:
    """The last that this process may use."""
    return max(os.sched_getaffinity(0))
