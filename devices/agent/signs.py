"""Keeps the text of the signs: the county's figures as they change, or an urgent notice until its time is over.

A notice survives the agent: it stands in the home's `run/notice.json`.
"""

from __future__ import annotations

import json
import re
import threading
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
from devices.agent.reporter import write_whole
from devices.agent.strip import Notice, text_of
from devices.errors import BadValue, DeviceError, NotSupported
from devices.exchange import Done
from devices.ports.owner import PortOwner

AGAIN_SECONDS = 15.0
SHOW_SECONDS = 30.0
MINUTES = re.compile(r"\[(\d{1,5})\]\s*(.*)", re.DOTALL).fullmatch
LONGEST_MINUTES = 7 * 24 * 60.0
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
        self._figures_at = 0.0
        self._lock = threading.Lock()

    @property
    def any(self) -> bool:
        """Whether there is a sign at all."""
        return bool(self._owners)

    def command(self, action: str, value: str) -> dict[str, Any]:
        """`notice` shows a text now, `[MINUTES] TEXT` or a text alone; `normal` goes back to the figures.

        Raises:
            NotSupported: another action, or no sign. BadValue: no text. DeviceError: no sign took the notice; it is
            kept, and shown as soon as one can.
        """
        if not self._owners:
            raise NotSupported("没有可显示文字的设备。", "There is no device that shows a text.")
        if action == "normal":
            with self._lock:
                self._end_notice()
            self._figures_at = 0.0
            self.wake()
            return {"signs": sorted(self._owners), "until": None, "failed": {}}
        if action != "notice":
            raise NotSupported(f"没有动作 {action};可用: notice、normal。", f"No action {action}; notice, normal.")
        notice = self._read_notice(value)
        with self._lock:
            self.notice = notice
            write_whole(self._file, {"text": notice.text, "until": notice.until})
        failed = self._show_now(notice.text)
        if len(failed) == len(self._owners):
            raise next(iter(failed.values()))
        until = datetime.fromtimestamp(notice.until, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        shown = sorted(self._owners.keys() - failed.keys())
        return {"signs": shown, "until": until, "failed": {name: error.en for name, error in failed.items()}}

    def beat(self) -> None:
        with self._lock:
            if self.notice is not None and time() >= self.notice.until:
                self._end_notice()
            notice = self.notice
        if not self._plan.enabled and notice is None and not self._shown:
            return
        text = self._text(notice)
        if text is not None:
            for name, owner in self._owners.items():
                self._show(name, owner, text)

    def _end_notice(self) -> None:
        self.notice = None
        self._file.unlink(missing_ok=True)

    def _show_now(self, text: str) -> dict[str, DeviceError]:
        """Show a text on every sign and wait for the answers; what failed, by the sign's name."""
        orders = {name: owner.do("text", text) for name, owner in self._owners.items()}
        failed: dict[str, DeviceError] = {}
        for name, order in orders.items():
            try:
                order.result(SHOW_SECONDS)
                self._shown[name] = (text, self._owners[name].counters.opened, monotonic())
            except DeviceError as error:
                failed[name] = error
            except Exception as error:  # a driver's fault, or too slow: the beat tries again
                order.cancel()
                failed[name] = DeviceError(f"{name} 没有显示: {error!r}。", f"{name} did not show it: {error!r}.")
        return failed

    def _text(self, notice: Notice | None) -> str | None:
        """What is to be shown; None while the figures are not known or were asked for a moment ago."""
        now = datetime.now(self._zone)
        if notice is not None:
            return notice.text
        if not self._plan.enabled:
            return ""
        if monotonic() < self._figures_at:
            return None
        self._figures_at = monotonic() + self._plan.seconds * 0.9
        try:
            self._figures = self._client.get("/api/v1/wall")
        except (NodeAway, NodeRefused):
            if self._figures is None:
                return None
        return text_of(self._plan, self._figures or {}, now)

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
        order.add_done_callback(lambda future: self._showed(name, text, future))

    def _showed(self, name: str, text: str, future: Future[Done]) -> None:
        """What failed is tried again; a sign that was cleared for good is left to whoever writes on it."""
        if future.exception() is not None:
            self._again_at[name] = monotonic() + AGAIN_SECONDS
        if future.exception() is not None or not text:
            self._shown.pop(name, None)

    def _read_notice(self, value: str) -> Notice:
        found = MINUTES(value.strip())
        length = min(float(found[1]), LONGEST_MINUTES) if found else self._plan.notice_minutes
        text = (found[2] if found else value).strip()
        if not text:
            raise BadValue("通知没有内容。", "The notice has no text.")
        return Notice(text, time() + length * 60)

    def _kept(self) -> Notice | None:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            return Notice(str(kept["text"]), float(kept["until"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
