"""Listens to the node: commands for devices, and that something changed, so that signs and messages are looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic
from typing import Any

import structlog

from devices.agent.doing import Doer, Outcome
from devices.agent.node import NodeAway, NodeClient, NodeRefused

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
REFUSED_AT_MOST, KEPT_AT_MOST = 200, 1000


class Hand(threading.Thread):
    """Does the commands of one device in the order of their numbers; a slow device keeps no other waiting."""

    def __init__(self, device: str, do: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(name=f"command-{device}", daemon=True)
        self._do = do
        self._waiting: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.start()

    def give(self, command: dict[str, Any]) -> None:
        """One more."""
        self._waiting.put(command)

    def run(self) -> None:
        while True:
            self._do(self._waiting.get())


class Listener(threading.Thread):
    """The event stream; commands of our devices are fetched, done and answered, each device's one after the other."""

    def __init__(self, client: NodeClient, answers: NodeClient, doer: Doer, changed: Callable[[], None]) -> None:
        super().__init__(name="listener", daemon=True)
        self._client = client
        self._answers = answers
        self._doer = doer
        self._changed = changed
        self._lock = threading.Lock()
        self._under_way: set[int] = set()
        self._hands: dict[str, Hand] = {}
        self._unanswered: dict[int, Outcome] = {}
        self._ending = threading.Event()

    def run(self) -> None:
        pause = FIRST_PAUSE
        while not self._ending.is_set():
            began = monotonic()
            try:
                with self._client.events() as events:
                    self._changed()
                    self._fetch()
                    for name, _data in events:
                        if self._ending.is_set():
                            return
                        if name == "command":
                            self._fetch()
                        elif name in ("change", "cursor", "message"):
                            self._changed()
            except (NodeAway, NodeRefused) as error:
                structlog.get_logger("wanmi").info("node", error=str(error))
            except Exception as error:  # a broken stream must not end the agent
                structlog.get_logger("wanmi").error("listener", error=repr(error))
            pause = FIRST_PAUSE if monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            self._ending.wait(pause)

    def end(self) -> None:
        """Ask the thread to end, without waiting for it."""
        self._ending.set()

    def close(self) -> None:
        """The thread ends with the stream's next event; it holds nothing that must be given back."""
        self._ending.set()
        self._client.close()

    def _fetch(self) -> None:
        for command in self._answers.get("/api/v1/devices/commands", waiting=True)["items"]:
            with self._lock:
                if command["id"] in self._under_way or not self._doer.owns(command["device"]):
                    continue  # another agent may own it; where none does it lapses
                self._under_way.add(command["id"])
            self._hand(command["device"]).give(command)

    def _hand(self, device: str) -> Hand:
        if device not in self._hands:
            self._hands[device] = Hand(device, self._do)
        return self._hands[device]

    def _do(self, command: dict[str, Any]) -> None:
        """Do a command, once: an answer that the node could not take is given when it asks again."""
        key = command["id"]
        with self._lock:
            outcome = self._unanswered.pop(key, None)
        if outcome is None:
            outcome = self._doer.do(command["device"], command["action"], command["value"])
        try:
            self._answers.post(f"/api/v1/devices/commands/{key}/answer", outcome.as_dict())
        except Exception as error:  # it was done, so it must not be done again: the answer waits for the next asking
            structlog.get_logger("wanmi").warning("answer", command=key, error=repr(error))
            if isinstance(error, NodeRefused):
                outcome = Outcome(outcome.ok, {}, outcome.zh[:REFUSED_AT_MOST], outcome.en[:REFUSED_AT_MOST])
            with self._lock:
                self._unanswered[key] = outcome
                while len(self._unanswered) > KEPT_AT_MOST:
                    self._unanswered.pop(next(iter(self._unanswered)))
        finally:
            with self._lock:
                self._under_way.discard(key)
