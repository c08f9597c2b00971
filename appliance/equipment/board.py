"""How the devices of all agents stand, as they told it last. In memory: an agent tells again within seconds."""

from __future__ import annotations

from typing import Any

from appliance.clock import SECOND

SILENT = 45 * SECOND
"""An agent reports every ten seconds; one that was silent for so long does not run."""


class Board:
    """The newest report of each agent; written and read in one thread (the event loop)."""

    def __init__(self) -> None:
        self._reports: dict[str, tuple[int, dict[str, Any]]] = {}

    def report(self, agent: str, told: dict[str, Any], now: int) -> None:
        """What an agent told.

        Args:
            agent: the name of its key.
        """
        self._reports[agent] = (now, told)

    def devices(self, now: int) -> list[dict[str, Any]]:
        """Every device with its agent; `heard` is false where the agent fell silent."""
        return [
            {**device, "agent": agent, "heard": now - at < SILENT, "told_at": at}
            for agent, (at, told) in sorted(self._reports.items())
            for device in told["devices"]
        ]

    def agents(self, now: int) -> list[dict[str, Any]]:
        """Every agent and how its positions fare."""
        return [
            {"agent": agent, "told_at": at, "heard": now - at < SILENT, "positions": told["positions"]}
            for agent, (at, told) in sorted(self._reports.items())
        ]
