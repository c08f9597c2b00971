"""Finding the rate of a device that talks by itself: listen at one rate after the other, never write. Pure.

Only whole frames with a right checksum count: at a wrong rate come zeros, ones and now and then something that looks
like the beginning of a sentence (`gnss.md`, "Finding the speed"). Silence says nothing of the rate and moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

LISTEN_SECONDS = 3.0
NOISE_BYTES = 4096
"""So many bytes without a frame say as much as the whole time."""
FOUND = 2
LOST_SECONDS = 15.0
"""A rate that gave no frame for so long while bytes came is looked for again."""


class Hunt:
    """Which rate to listen at.

    Args:
        rates: in the order of likelihood.
        first: the last rate that was right.
    """

    def __init__(self, rates: Sequence[int], first: int | None = None) -> None:
        ordered = ([first] if first in rates else []) + [rate for rate in rates if rate != first]
        self._rates = [rate for rate in ordered if rate is not None]
        self._at = 0
        self._since: float | None = None
        self._known = 0
        self._bytes = 0
        self.found = False

    @property
    def rate(self) -> int:
        """The rate to listen at now."""
        return self._rates[self._at]

    def step(self, at: float, frames: int, heard: int) -> bool:
        """Whether to go on to another rate (`rate` is the new one).

        Args:
            at: seconds of a clock that never goes back.
            frames: whole frames heard on this port so far, at any rate.
            heard: bytes heard since the last step.
        """
        self._bytes += heard
        if self._since is None or not self._bytes:
            self._restart(at, frames)
        if frames - self._known >= FOUND:
            self.found = True
            self._restart(at, frames)
        if not self._over(at):
            return False
        self.found = False
        self._at = (self._at + 1) % len(self._rates)
        self._restart(at, frames)
        return len(self._rates) > 1

    def _over(self, at: float) -> bool:
        waited = at - (self._since or at)
        if self.found:
            return waited >= LOST_SECONDS
        return waited >= LISTEN_SECONDS or self._bytes >= NOISE_BYTES

    def _restart(self, at: float, frames: int) -> None:
        self._since, self._known, self._bytes = at, frames, 0
