"""Keeps the count of today's walked patrols fresh while somebody looks at it.

Whoever asks is answered at once with what is known; when that is older than the county's minutes a process begins to
count, one at a time. Where nobody looks nothing is counted here; the job `patrol-coverage` does the same.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic

import structlog

from appliance.cases.office import Office
from appliance.errors import Broken
from appliance.patrols.jobs import command_of, failed
from server.aside import run_aside


class PatrolCount:
    """The counting process of one node."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._began = float("-inf")
        self._running: asyncio.Task[None] | None = None

    def freshen(self) -> None:
        """Begin to count unless that was done a short while ago or is under way."""
        patience = self._office.settings.patrols.counted_minutes * 60
        if (self._running is None or self._running.done()) and monotonic() - self._began > patience:
            self._began = monotonic()
            self._running = asyncio.create_task(self._count(), name="patrol-count")

    async def close(self) -> None:
        """End a count that is under way; what it did so far stays."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def _count(self) -> None:
        command = command_of("counting", self._office.records.home, str(self._office.records.clock.now()))
        try:
            await run_aside(command, *failed("counting"))
        except Broken as error:
            structlog.get_logger("wanmi").error("patrol-count", error=error.en)
