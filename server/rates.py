"""How often one address may ask the routes that need no sign-in."""

from __future__ import annotations

from time import monotonic

from appliance.errors import TooMany

ADDRESSES_AT_MOST = 20_000


class Rates:
    """A token bucket for each address, in memory.

    Args:
        count: so many requests, all at once or spread.
        seconds: in so much time the bucket is full again.
    """

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._per_second = count / seconds
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, address: str) -> None:
        """Take one from the address's bucket.

        Raises:
            TooMany: it is empty; `retry_after` in seconds.
        """
        now = monotonic()
        left, then = self._buckets.get(address, (float(self._count), now))
        left = min(self._count, left + (now - then) * self._per_second)
        if left < 1:
            seconds = int((1 - left) / self._per_second) + 1
            raise TooMany(
                f"查询太频繁,请 {seconds} 秒后再试。",
                f"Too many requests; try again in {seconds} seconds.",
                retry_after=seconds,
            )
        if len(self._buckets) >= ADDRESSES_AT_MOST:
            self._buckets.clear()
        self._buckets[address] = (left - 1, now)
