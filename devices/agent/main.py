"""`wanmi devices agent`: everything of the agent put together, started, and ended in the opposite order.

One process (`wanmi up` starts it), an HTTP client of the node with a key of role `device`; it may run elsewhere.

    ports' threads → board (how every device stands) → reporter → node
                   → feeder (positions, calls; on the disk while the node is away) → node
    node → listener (commands, changes) → doer → ports;  technician → control socket → doer
    keeper (polls, light) · signs (figures, notices) · messenger (text messages, webhook) → ports
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, time
from typing import Any

import structlog

from appliance import settings as home_settings
from appliance.device_settings import Device
from appliance.lan import trust
from appliance.lock import hold
from appliance.settings import Settings
from devices.agent.board import Board
from devices.agent.chrony import ChronySocket
from devices.agent.control import Control
from devices.agent.doing import Doer
from devices.agent.feeder import Feeder, offset
from devices.agent.keeper import Keeper
from devices.agent.listener import Listener
from devices.agent.messenger import Messenger
from devices.agent.node import NodeClient, read_key
from devices.agent.reporter import Reporter
from devices.agent.signs import Signs
from devices.agent.spool import Spool
from devices.agent.strip import check_template
from devices.drivers.interface import Event
from devices.drivers.registry import make_driver
from devices.errors import BadSetup
from devices.ports.owner import PortOwner

LOOK_SECONDS = 2.0
"""How often the settings are looked at for a change."""


class Agent:
    """The agent of one home, opened; `close` gives everything back.

    Raises:
        BadSetup: a device names a driver or an option that does not exist. BadHome: no key, or another agent runs.
    """

    def __init__(self, home: Path, settings: Settings, node: str | None = None) -> None:
        self.board = Board()
        self.owners: dict[str, PortOwner] = {}
        self._open = ExitStack()
        self._parts: list[Any] = []
        self._chrony: dict[str, ChronySocket] = {}
        self._options: dict[str, dict[str, Any]] = {}
        try:
            self._put_together(home, settings, node or settings.agent.node)
        except BaseException:
            self._open.close()
            raise

    def start(self) -> None:
        for part in self._parts:
            part.start()

    def close(self) -> None:
        """Ask all parts to end, then wait for each a little; what hangs is left behind."""
        for part in self._parts:
            end = getattr(part, "end", None)
            if end is not None:
                end()
        self._open.close()

    def _put_together(self, home: Path, settings: Settings, url: str) -> None:
        self._open.enter_context(hold(home, "agent", "设备代理", "device agent"))
        check_agent(settings)
        key = read_key(home, settings.agent.key_file)
        clients = [NodeClient(url, key, trust(home, url)) for _ in range(6)]
        for client in clients:
            self._open.callback(client.close)
        spool = Spool(home / "run" / "positions.ndjson", settings.agent.spooled_positions)
        self.feeder = Feeder(clients[0], spool)
        for device in settings.devices:
            if device.enabled:
                self._add(device)
        signs = Signs(self.owners, settings.strip, clients[1], settings.zone, home / "run" / "notice.json")
        messenger = Messenger(self.owners, settings.messages, home, clients[2])
        keeper = Keeper(self.owners, self.board, settings.light, settings.zone, settings.agent.poll_seconds)
        doer = Doer(self.owners, self.board, signs.command, keeper.poll_soon, has_signs=signs.any)
        self.reporter = Reporter(self.board, self.feeder, clients[3], home / "run" / "agent.json")

        def changed() -> None:
            signs.wake()
            messenger.wake()

        def asked(request: dict[str, Any]) -> dict[str, Any]:
            if request["action"] == "list":
                return self.reporter.report()
            return doer.do(request["device"], request["action"], request.get("value")).as_dict()

        listener = Listener(clients[4], clients[5], doer, changed)
        control = Control(home, asked)
        self._parts = [
            self.feeder, *self.owners.values(), keeper, signs, messenger, self.reporter, listener, control,
        ]  # fmt: skip
        for part in self._parts:
            self._open.callback(_ended(part))

    def _add(self, device: Device) -> None:
        driver = make_driver(device.driver, device.options)
        self.board.add(device.name, device.driver, device.port, driver.actions, listens=driver.listens)
        self._options[device.name] = driver.options
        if driver.options.get("chrony"):
            self._chrony[device.name] = ChronySocket(str(driver.options["chrony"]))
            self._open.callback(self._chrony[device.name].close)
        rate = None if device.baud == "auto" else int(device.baud)
        self.owners[device.name] = PortOwner(
            device.name, device.port, driver, self._heard, rate=rate, framing=device.framing
        )

    def _heard(self, name: str, event: Event) -> None:
        """What a device told; called in its port's thread."""
        if event.kind == "TPV":
            self._fix(name, event)
        elif event.kind == "CALL":
            self.feeder.call(event.facts["number"], event.facts["seat"])
        elif event.kind in ("PORT", "HEALTH"):
            structlog.get_logger("wanmi").info("device", device=name, **event.facts)
        self.board.note(name, event)

    def _fix(self, name: str, event: Event) -> None:
        facts, options = event.facts, self._options[name]
        if "time" in facts and facts.get("timeBelieved", True):
            arrived = time() - (monotonic() - event.at)
            facts["offset"] = round(offset(facts["time"], arrived) + float(options.get("delay", 0.0)), 4)
            if name in self._chrony and facts["mode"] >= 2 and facts.get("plausible", False):
                self._chrony[name].send(arrived, facts["offset"])
        self.feeder.fix(name, options, event)


def check_agent(settings: Settings) -> None:
    """Refuse settings that the agent cannot work with.

    Raises:
        BadSetup: a driver, an option, a field of a text or a device's name that does not exist.
    """
    check_template(settings.strip)
    names = {device.name for device in settings.devices}
    for device in settings.devices:
        if device.enabled:
            make_driver(device.driver, device.options)
    for block, wanted in (("light", settings.light.devices), ("strip", settings.strip.devices)):
        if unknown := sorted(set(wanted) - names):
            raise BadSetup(
                f"[{block}] devices 里没有设备 {unknown[0]};有: {'、'.join(sorted(names)) or '(无)'}。",
                f"[{block}] devices names {unknown[0]}, no device of these: {', '.join(sorted(names)) or '(none)'}.",
            )


def run(home: Path, node: str | None = None) -> None:
    """Run the agent of a home until SIGTERM or Ctrl-C; changed settings are taken over by beginning anew.

    Args:
        node: the node's address, over the one of the settings.

    Raises:
        BadHome, BadSetup: at the start; a later change that is wrong is told and the running agent goes on.
    """
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    seen = _stamp(home)  # before they are read, so that no change in between is missed
    running = home_settings.load(home)
    agent = Agent(home, running, node)
    agent.start()
    while not ending.wait(LOOK_SECONDS):
        stamp = _stamp(home)
        if stamp == seen:
            continue
        seen = stamp
        changed = _changed(home, running)
        if changed is not None:
            agent.close()
            if ending.is_set():
                return
            again = ["-m", "appliance", "devices", "agent", "--home", str(home), *(["--node", node] if node else [])]
            os.execv(sys.executable, [sys.executable, *again])
    agent.close()


def _changed(home: Path, running: Settings) -> Settings | None:
    """The new settings, when they are good and concern the agent."""
    try:
        settings = home_settings.load(home)
        check_agent(settings)
        read_key(home, settings.agent.key_file)
    except Exception as error:  # whatever is wrong with them, the running agent knows better
        structlog.get_logger("wanmi").error("settings", error=str(error))
        return None
    names = ("devices", "agent", "light", "strip", "messages", "time_zone")
    return settings if any(getattr(settings, name) != getattr(running, name) for name in names) else None


def _stamp(home: Path) -> tuple[int, int]:
    try:
        found = (home / home_settings.FILE).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino


def _ended(part: Any) -> Callable[[], None]:
    def end() -> None:
        if getattr(part, "is_alive", lambda: True)():
            part.close()

    return end
