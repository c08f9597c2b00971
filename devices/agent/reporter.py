"""Tells the node, and the home's `run/agent.json`, how every device stands: soon after news, and every few seconds."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from devices.agent.beat import Beat
from devices.agent.board import Board
from devices.agent.feeder import Feeder
from devices.agent.node import NodeAway, NodeClient, NodeRefused

SECONDS = 1.0
UNASKED_SECONDS = 10


class Reporter(Beat):
    """At most once a second when something changed, else every ten seconds."""

    def __init__(self, board: Board, feeder: Feeder, client: NodeClient, file: Path) -> None:
        super().__init__("reporter", SECONDS)
        self._board = board
        self._feeder = feeder
        self._client = client
        self._file = file
        self._told = -1
        self._beats = 0
        self.refused = ""

    def beat(self) -> None:
        self._beats += 1
        version = self._board.version
        if version == self._told and self._beats % UNASKED_SECONDS:
            return
        report = self.report()
        try:
            self._client.post("/api/v1/devices", {name: report[name] for name in ("at", "pid", "devices", "positions")})
            self._told, self.refused = version, ""
        except NodeAway:
            pass
        except NodeRefused as error:
            if error.en != self.refused:
                structlog.get_logger("wanmi").error("report", error=error.en)
            self.refused = error.en
        with suppress(OSError):  # a full disk must not hide the devices from the node
            write_whole(self._file, report)

    def report(self) -> dict[str, Any]:
        """The whole standing of the agent."""
        feeder = self._feeder
        return {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "pid": os.getpid(), "refused": self.refused, "devices": self._board.all(),
            "positions": {
                "sent": feeder.sent, "refused": feeder.refused, "waiting": feeder.waiting, "away": feeder.away,
            },
        }  # fmt: skip


def write_whole(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees the old or the new file, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False)
    new.replace(path)
