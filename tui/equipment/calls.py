"""The devices screen's calls to the node. They run in workers, touch no widget and end in a message."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from textual.message import Message

from tui.client import Refused
from tui.messages import Told
from tui.work import careful, worker

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.context import Context

    Base = Screen[None]
else:
    Base = object

Record = dict[str, Any]
LOOK_SECONDS, LOOKS = 0.25, 400
"""How often, and how many times, an answer is looked for: a text message takes longest."""
SEES_MESSAGES = frozenset(("shift_leader", "dispatcher", "admin", "technician"))


class EquipmentRead(Message):
    """Devices, positions, the last commands, the last messages (empty where this account may not see them)."""

    def __init__(self, devices: list[Record], positions: list[Record], commands: list[Record],
                 messages: list[Record]) -> None:  # fmt: skip
        super().__init__()
        self.devices, self.positions, self.commands, self.messages = devices, positions, commands, messages


class EquipmentCalls(Base):
    """Reads how the devices stand, and hands commands in."""

    context: Context

    def load(self) -> None:
        """Read everything again."""
        worker(self, partial(self._load), "devices")

    def order(self, device: str, action: str, value: str | None) -> None:
        """Hand in a command and tell what came of it."""
        worker(self, partial(self._order, device, action, value), "order")

    @careful
    async def _load(self) -> None:
        client, session = self.context.client, self.context.session
        try:
            devices = await client.items("/api/v1/devices")
        except Refused as error:
            if error.status != 403:
                raise
            self.post_message(Told(error.detail))
            return
        positions = await client.items("/api/v1/positions")
        commands = await client.items("/api/v1/devices/commands", limit="10")
        sees = session is not None and not session.roles.isdisjoint(SEES_MESSAGES)
        messages = await client.items("/api/v1/messages", limit="100") if sees else []
        self.post_message(EquipmentRead(devices, positions, commands, messages))

    @careful
    async def _order(self, device: str, action: str, value: str | None) -> None:
        client, labels = self.context.client, self.context.labels
        body = {"action": action} if value is None else {"action": action, "value": value}
        command = await client.post(f"/api/v1/devices/{quote(device, safe='')}/commands", body)
        self.post_message(Told(labels("devices.sent", device=device, action=action), good=True))
        for _ in range(LOOKS):
            await asyncio.sleep(LOOK_SECONDS)
            command = await client.get(f"/api/v1/devices/commands/{command['id']}")
            if command["ok"] is not None:
                break
        if command["ok"]:
            facts = (command["answer"] or {}).get("facts") or {}
            shown = "  ".join(f"{key} {item}" for key, item in facts.items() if isinstance(item, str | int | float))
            self.post_message(Told(labels("devices.answered", device=device, facts=shown), good=True))
        elif command["ok"] is None:
            self.post_message(Told(labels("devices.no_agent", device=device)))
        else:
            self.post_message(Told(labels.pick(command["zh"], command["en"])))
        self.load()
