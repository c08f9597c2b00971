"""The terminal the console stands on: there must be one, and when it goes the console goes with it."""

from __future__ import annotations

import os
import select
import sys
from threading import Thread

from appliance.errors import Invalid

HUNG_UP = 129
"""Exit code of a program whose terminal went away (128 + SIGHUP)."""


def require_terminal() -> None:
    """Refuse a start without a terminal at both ends.

    Raises:
        Invalid: standard input or output is a file or a pipe.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Invalid(
            "操作台需要终端:请在终端或 SSH 会话里运行(ssh 命令加 -t)。",
            "the console needs a terminal: run it in a terminal window or an SSH session (ssh with -t).",
        )


def end_with_terminal() -> None:
    """End this process when the terminal hangs up, also where SIGHUP is ignored (nohup, setsid).

    A terminal that is gone reads as an endless end of file, on which the input loop would spin.
    """
    Thread(target=_wait_for_hang_up, args=(sys.stdin.fileno(),), name="hang-up", daemon=True).start()


def _wait_for_hang_up(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, 0)  # hang-up and error are always reported
    poll.poll()
    os._exit(HUNG_UP)
