"""Keeps the exchange process beside a running node: begins it when the home is joined, begins it again when it dies."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

import structlog

from appliance.errors import WanmiError
from appliance.exchange.links import FOLDER, joined
from appliance.exchange.settings import FILES
from appliance.settings import FILE, load

LOOK_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS, END_SECONDS = 1.0, 30.0, 60.0, 10.0


class Keeper(threading.Thread):
    """Looks every second; `close` ends the process and the thread."""

    def __init__(self, home: Path) -> None:
        super().__init__(name="wanmi-exchange", daemon=True)
        self._home = home
        self._ending = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._seen: tuple[float, bool] = (0.0, False)

    def run(self) -> None:
        pause, next_try = FIRST_PAUSE, 0.0
        started = 0.0
        while not self._ending.wait(LOOK_SECONDS):
            if self._child is not None and self._child.poll() is not None:
                code, self._child = self._child.returncode, None
                pause = (
                    FIRST_PAUSE
                    if monotonic() - started > STEADY_SECONDS or code == 0
                    else min(pause * 2, LONGEST_PAUSE)
                )
                next_try = monotonic() + pause
                if code:
                    structlog.get_logger("wanmi").error("exchange ended", code=code, again_in=pause)
            if self._child is None and monotonic() >= next_try and self._is_joined():
                started = monotonic()
                try:
                    self._child = subprocess.Popen(
                        [sys.executable, "-m", "appliance", "exchange", "--home", str(self._home), "--with-node"],
                        stdin=subprocess.PIPE,
                    )
                except OSError as error:  # no memory or no handle left; the node has both again some time
                    pause = min(pause * 2, LONGEST_PAUSE)
                    next_try = monotonic() + pause
                    structlog.get_logger("wanmi").error("exchange not begun", error=str(error), again_in=pause)

    def close(self) -> None:
        """End the process and the thread."""
        self._ending.set()
        self.join()
        if self._child is not None:
            assert self._child.stdin is not None
            self._child.stdin.close()
            try:
                self._child.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def _is_joined(self) -> bool:
        """Whether any platform comes in or is called; the settings are read again only when they changed."""
        try:
            files = [self._home / FILE, *(self._home / "keys" / FOLDER).glob("*")]
            changed = max(path.stat().st_mtime for path in files)
            if changed != self._seen[0]:
                links = joined(self._home, load(self._home).exchange, lambda *_: None)
                self._seen = (changed, any(link.mode != FILES for link, _ in links))
        except (OSError, ValueError, WanmiError):
            return False
        return self._seen[1]
