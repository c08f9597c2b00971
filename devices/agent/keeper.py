"""Once a second: ask devices how they are, keep the walls as bright as the plan says, note what went over the ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from time import monotonic
from zoneinfo import ZoneInfo

from appliance.device_settings import Light
from devices.agent.beat import Beat
from devices.agent.board import Board
from devices.agent.light import Wanted, wanted
from devices.drivers.interface import Facts
from devices.errors import DeviceError
from devices.exchange import Done
from devices.ports.owner import PortOwner

LONGEST_POLL = 600.0
AGAIN_SECONDS = 15.0
STUCK_SECONDS = 360.0
"""Longer than the longest command that a device may be busy with."""
Now = Callable[[], datetime]


class Keeper(Beat):
    """Polls and light. What an operator sets by hand stays until the plan's next change."""

    def __init__(
        self, owners: Mapping[str, PortOwner], board: Board, plan: Light, zone: ZoneInfo, poll_seconds: float,
        now: Now | None = None,
    ) -> None:  # fmt: skip
        super().__init__("keeper", 1.0)
        self._owners = owners
        self._board = board
        self._plan = plan
        self._now = now or (lambda: datetime.now(zone))
        self._poll_seconds = poll_seconds
        self._poll_at = dict.fromkeys(owners, 0.0)
        self._pauses = dict.fromkeys(owners, poll_seconds)
        self._set: dict[str, Wanted] = {}
        self._opened: dict[str, int] = {}
        self._again_at: dict[str, float] = {}
        self._polls: dict[str, tuple[Future[Facts], float]] = {}

    def beat(self) -> None:
        for name, owner in self._owners.items():
            self._board.count(name, owner.counters.as_dict())
            if not owner.driver.listens:
                self._poll(name, owner)
        if self._plan.enabled:
            plan = wanted(self._plan, self._now())
            for name, owner in self._owners.items():
                self._light(name, owner, plan)

    def _poll(self, name: str, owner: PortOwner) -> None:
        """Ask now and then; a device that does not answer is asked less and less often, as far as ten minutes."""
        under_way = self._polls.get(name)
        if under_way is not None and not under_way[0].done():
            if monotonic() - under_way[1] > STUCK_SECONDS:
                self._board.failed(name, "driver-failed", "驱动没有返回。", "The driver does not return.")
            return
        if monotonic() < self._poll_at[name] or not owner.open:
            return
        self._poll_at[name] = monotonic() + self._pauses[name]
        future = owner.poll()
        self._polls[name] = future, monotonic()
        future.add_done_callback(lambda future: self._polled(name, future))

    def poll_soon(self, name: str) -> None:
        """Something was changed at a device: ask how it is at the next beat."""
        self._poll_at[name] = 0.0

    def _polled(self, name: str, future: Future[Facts]) -> None:
        error = future.exception()
        if error is None:
            self._pauses[name] = self._poll_seconds
            self._board.told(name, "status", future.result())
        elif isinstance(error, DeviceError):
            self._pauses[name] = min(self._pauses[name] * 2, LONGEST_POLL)
            self._board.failed(name, error.kind, error.zh, error.en)
        else:
            self._board.failed(name, "driver-failed", f"驱动出错: {error!r}。", f"The driver failed: {error!r}.")

    def _light(self, name: str, owner: PortOwner, plan: Wanted) -> None:
        actions = {action.name for action in owner.driver.actions}
        if "brightness" not in actions or (self._plan.devices and name not in self._plan.devices) or not owner.open:
            return
        if self._opened.get(name) != owner.counters.opened:
            self._opened[name] = owner.counters.opened
            self._set.pop(name, None)
        last = self._set.get(name)
        if last == plan or monotonic() < self._again_at.get(name, 0.0):
            return
        self._set[name] = plan
        orders = []
        if "blank" in actions and (last is None or last.dark != plan.dark):
            orders.append(("blank", "on" if plan.dark else "off"))
        if not plan.dark and (last is None or last.brightness != plan.brightness or last.dark):
            orders.append(("brightness", str(plan.brightness)))
        for action, value in orders:
            owner.do(action, value).add_done_callback(lambda future: self._lit(name, future))

    def _lit(self, name: str, future: Future[Done]) -> None:
        """What failed is tried again after a while."""
        self.poll_soon(name)
        if future.exception() is not None:
            self._again_at[name] = monotonic() + AGAIN_SECONDS
            self._set.pop(name, None)
