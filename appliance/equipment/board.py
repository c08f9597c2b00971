"""How the devices of all agents stand, as they told it last. In memory: an agent tells again within seconds."""

from __future__ import annotations

from typing import Any

from appliance.clock import SECOND
from appliance.errors import NotFound

SIGNS = "signs"
"""Stands for all signs of all agents."""
FORGOTTEN = 86_400 * SECOND
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
        self._reports = {name: kept for name, kept in self._reports.items() if now - kept[0] < FORGOTTEN}
        self._reports[agent] = (now, told)

    def check_name(self, device: str, now: int) -> None:
        """Refuse a name that no agent has told; while none has told anything every name will do.

        Raises:
            NotFound: with the names there are.
        """
        known = sorted({item["name"] for item in self.devices(now)})
        if known and device not in (*known, SIGNS):
            names = ", ".join(known)
            raise NotFound(f"没有设备 {device};有: {names}。", f"There is no device {device}; known: {names}.")

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
