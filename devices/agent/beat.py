"""A thread that does something every so often, or at once when it is woken; a fault is told and does not end it."""

from __future__ import annotations

import threading

import structlog

CLOSE_SECONDS = 5.0
"""A beat that takes longer is left behind; the process ends all the same."""


class Beat(threading.Thread):
    """Subclasses override `beat`; `close` ends the thread after the beat that is under way."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._seconds = seconds
        self._woken = threading.Event()
        self._ending = False

    def beat(self) -> None:
        """What is done every so often."""
        raise TypeError("a beat does something")

    def wake(self) -> None:
        """Do it now."""
        self._woken.set()

    def run(self) -> None:
        while not self._ending:
            self._woken.clear()
            try:
                self.beat()
            except Exception as error:  # one bad beat must not be the last one
                structlog.get_logger("wanmi").error(self.name, error=repr(error))
            self._woken.wait(self._seconds)

    def end(self) -> None:
        """Ask the thread to end, without waiting for it."""
        self._ending = True
        self._woken.set()

    def close(self) -> None:
        self.end()
        if self.is_alive():
            self.join(CLOSE_SECONDS)
