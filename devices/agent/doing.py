"""Doing what the node, the console or the technician asks: one command, one outcome, never an exception."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from typing import Any

import structlog

from appliance.errors import WanmiError
from devices.agent.board import Board
from devices.agent.plain import plain
from devices.ports.owner import PortOwner

SECONDS = 300.0
"""A text message of many parts over a slow network takes longest."""
SIGNS = "signs"
"""The name that stands for all devices of the strip, for `notice` and `normal`."""
Notices = Callable[[str, str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command: the device's answer, or a sentence that says why not."""

    ok: bool
    answer: dict[str, Any]
    zh: str = ""
    en: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"ok": self.ok, "answer": self.answer, "zh": self.zh, "en": self.en}


class Doer:
    """Knows the ports' owners by the names of their devices; `changed` is told which device obeyed a command."""

    def __init__(
        self,
        owners: Mapping[str, PortOwner],
        board: Board,
        notices: Notices,
        changed: Callable[[str], None],
        *,
        has_signs: bool = True,
    ) -> None:
        self._has_signs = has_signs
        self._owners = owners
        self._board = board
        self._notices = notices
        self._changed = changed
        self._one_at_a_time = threading.Lock()

    def owns(self, name: str) -> bool:
        """Whether this agent has the device; another agent may have it."""
        return name in self._owners or (name == SIGNS and self._has_signs)

    def do(self, name: str, action: str, value: str | None) -> Outcome:
        """Do a command and wait for what comes of it."""
        try:
            if name == SIGNS:
                with self._one_at_a_time:
                    return Outcome(True, self._notices(action, value or ""))
            return self._on_device(name, action, value)
        except WanmiError as error:
            return Outcome(False, {}, error.zh, error.en)
        except TookTooLong:
            return Outcome(False, {}, f"{name} {SECONDS:.0f} 秒内没有完成。", f"{name} took over {SECONDS:.0f} s.")
        except Exception as error:  # a driver's fault is the answer to this command and to no other
            structlog.get_logger("wanmi").error("command", device=name, action=action, error=repr(error))
            return Outcome(False, {}, f"驱动出错: {error!r}。", f"The driver failed: {error!r}.")

    def _on_device(self, name: str, action: str, value: str | None) -> Outcome:
        owner = self._owners.get(name)
        if owner is None:
            known = ", ".join(self._owners) or "(none)"
            return Outcome(False, {}, f"没有设备 {name};有: {known}。", f"There is no device {name}; known: {known}.")
        order = owner.do(action, value)
        try:
            done = order.result(SECONDS)
        except TookTooLong:
            order.cancel()
            raise
        if action in ("status", "identify"):
            self._board.told(name, action, done.facts)
        else:
            self._changed(name)
        return Outcome(True, plain(done.as_dict()))
