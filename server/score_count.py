"""Keeps what scores are made of counted while somebody looks: in a process of its own, one for each period at a time.

A closed period is never counted. Who asks for one that was counted a short while ago is answered from the tables.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from sqlalchemy import Connection

from appliance.cases.office import Office
from appliance.errors import Broken, Conflict
from appliance.scoring.jobs import FAILED, command_of
from appliance.scoring.periods import Period
from appliance.scoring.store import read_period
from server.aside import run_aside

MINUTE = 60_000_000


class ScoreCount:
    """The counting processes of one node."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._running: dict[str, asyncio.Task[None]] = {}

    def fresh_after(self) -> int:
        """What was counted at this moment or later is shown as it is."""
        return self._office.records.clock.now() - int(self._office.settings.scoring.counted_minutes * MINUTE)

    def is_fresh(self, connection: Connection, period: Period) -> bool:
        """Whether a period can be shown from the tables."""
        row = read_period(connection, period.name)
        return row is not None and (row.closed_at is not None or row.counted_at >= self.fresh_after())

    async def count(self, name: str) -> None:
        """Count a period and wait for it; who asks meanwhile waits for the same count.

        Raises:
            Broken: the process failed.
        """
        task = self._running.get(name)
        if task is None or task.done():
            task = self._running[name] = asyncio.create_task(self._count(name), name=f"score-count-{name}")
        await asyncio.shield(task)

    async def close(self) -> None:
        """End the counts that are under way; what was kept before stays."""
        for task in self._running.values():
            task.cancel()
            with suppress(asyncio.CancelledError, Broken):
                await task

    async def _count(self, name: str) -> None:
        records = self._office.records
        try:
            with suppress(Conflict):  # closed meanwhile: it is read as it was frozen
                await run_aside(command_of(records.home, records.clock.now(), "count", name), *FAILED)
        finally:
            self._running.pop(name, None)
