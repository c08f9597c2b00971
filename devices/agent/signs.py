"""Keeps the text of the signs: the county's figures as they change, or an urgent notice until its time is over.

A notice survives the agent: it stands in the home's `run/notice.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, time
from typing import Any
from zoneinfo import ZoneInfo

from appliance.device_settings import Strip
from devices.agent.beat import Beat
from devices.agent.node import NodeAway, NodeClient, NodeRefused
from devices.agent.strip import Notice, text_of
from devices.doing import Done
from devices.errors import BadValue, NotSupported
from devices.ports.owner import PortOwner

AGAIN_SECONDS = 15.0
AFRESH_SECONDS = 600.0
"""A text is sent again after so long: a sign that lost its power for a moment shows nothing and tells nobody."""


class Signs(Beat):
    """Texts on all devices of the strip that can show one."""

    def __init__(
        self, owners: Mapping[str, PortOwner], plan: Strip, client: NodeClient, zone: ZoneInfo, file: Path
    ) -> None:
        super().__init__("signs", plan.seconds)
        self._owners = {
            name: owner
            for name, owner in owners.items()
            if any(action.name == "text" for action in owner.driver.actions)
            and (not plan.devices or name in plan.devices)
        }
        self._plan = plan
        self._client = client
        self._zone = zone
        self._file = file
        self.notice = self._kept()
        self._shown: dict[str, tuple[str, int, float]] = {}
        self._again_at: dict[str, float] = {}
        self._figures: dict[str, Any] | None = None

    def command(self, action: str, value: str) -> dict[str, Any]:
        """`notice` shows a text now, `MINUTES TEXT` or a text alone; `normal` goes back to the figures.

        Raises:
            NotSupported: another action, or no sign. BadValue: no text.
        """
        if not self._owners:
            raise NotSupported("没有可显示文字的设备。", "There is no device that shows a text.")
        if action == "normal":
            self.notice = None
            self._file.unlink(missing_ok=True)
        elif action == "notice":
            self.notice = self._read_notice(value)
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file.write_text(json.dumps({"text": self.notice.text, "until": self.notice.until}), encoding="utf-8")
        else:
            raise NotSupported(f"没有动作 {action};可用: notice、normal。", f"No action {action}; notice, normal.")
        self.wake()
        until = None if self.notice is None else datetime.fromtimestamp(self.notice.until, UTC).isoformat()
        return {"signs": sorted(self._owners), "until": until}

    def beat(self) -> None:
        if not self._plan.enabled and self.notice is None and not self._shown:
            return
        if self.notice is not None and time() >= self.notice.until:
            self.notice = None
            self._file.unlink(missing_ok=True)
        text = self._text()
        if text is not None:
            for name, owner in self._owners.items():
                self._show(name, owner, text)

    def _text(self) -> str | None:
        """What is to be shown; None while the figures are not known."""
        now = datetime.now(self._zone)
        if self.notice is not None:
            return text_of(self._plan, {"month": {"rate": None}}, now, self.notice)
        if not self._plan.enabled:
            return ""
        try:
            self._figures = self._client.get("/api/v1/wall")
        except (NodeAway, NodeRefused):
            if self._figures is None:
                return None
        return text_of(self._plan, self._figures or {}, now, None)

    def _show(self, name: str, owner: PortOwner, text: str) -> None:
        wanted = (text, owner.counters.opened)
        shown = self._shown.get(name)
        fresh = shown is not None and monotonic() - shown[2] < AFRESH_SECONDS
        if not owner.open or (shown is not None and shown[:2] == wanted and fresh):
            return
        if monotonic() < self._again_at.get(name, 0.0):
            return
        self._shown[name] = (*wanted, monotonic())
        order = owner.do("text", text) if text else owner.do("clear")
        order.add_done_callback(lambda future: self._showed(name, future))

    def _showed(self, name: str, future: Future[Done]) -> None:
        if future.exception() is not None:
            self._again_at[name] = monotonic() + AGAIN_SECONDS
            self._shown.pop(name, None)

    def _read_notice(self, value: str) -> Notice:
        minutes, _, rest = value.strip().partition(" ")
        if minutes.isascii() and minutes.isdigit() and rest.strip():
            length, text = min(float(minutes), 7 * 24 * 60.0), rest.strip()
        else:
            length, text = self._plan.notice_minutes, value.strip()
        if not text:
            raise BadValue("通知没有内容。", "The notice has no text.")
        return Notice(text, time() + length * 60)

    def _kept(self) -> Notice | None:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            return Notice(str(kept["text"]), float(kept["until"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
