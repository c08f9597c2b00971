"""Positions and calls on their way to the node: at once when it is there, from the disk when it comes back.

A fix becomes a position when it is measured, plausible and not older than the last one sent by the device's interval.
Its time is the receiver's where that can be believed and agrees with this machine within a minute; else this machine's.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import monotonic, time
from typing import Any

import structlog

from devices.agent.node import NodeAway, NodeClient, NodeRefused
from devices.agent.spool import Spool
from devices.drivers.interface import Event, Facts

BATCH = 5000
WAITING_AT_MOST = 50_000
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 3.0
DROPPED = frozenset((409, 422))
"""Refusals of what was sent; after any other one the same may be taken later."""
CLOSE_SECONDS = 5.0
CALL_SECONDS = 60.0
"""A call that could not be told within a minute rings no more."""
AGREED_SECONDS = 60.0
WITHHELD = "000"
"""Stands for the number of a caller who withholds it."""


@dataclass(slots=True)
class Call:
    """Somebody called at a modem."""

    number: str
    seat: str
    at: float


class Feeder(threading.Thread):
    """Sends in a thread of its own; `position` and `call` only put into a queue and never wait."""

    def __init__(self, client: NodeClient, spool: Spool) -> None:
        super().__init__(name="feeder", daemon=True)
        self.sent = 0
        self.refused = 0
        self.away = False
        self.trouble = ""
        self._client = client
        self._spool = spool
        self._lines: deque[bytes] = deque(maxlen=WAITING_AT_MOST)
        self._calls: deque[Call] = deque(maxlen=100)
        self._sent_at: dict[str, float] = {}
        self._woken = threading.Condition()
        self._ending = False

    @property
    def waiting(self) -> int:
        """Positions that the node does not have yet."""
        return len(self._lines) + len(self._spool)

    def fix(self, name: str, options: Facts, event: Event) -> None:
        """A TPV of a receiver."""
        facts = event.facts
        if "lat" not in facts or not facts.get("plausible", True):
            return
        every = float(options.get("every", 1.0))
        last = self._sent_at.get(name)
        if last is not None and event.at - last < every * 0.9:
            return
        self._sent_at[name] = event.at
        line: dict[str, Any] = {"at": moment_of(facts, event.at), "lon": facts["lon"], "lat": facts["lat"]}
        if options.get("account"):
            line["account"] = options["account"]
        else:
            line["device"] = options.get("who") or name
        if "speed" in facts and 0 <= facts["speed"] <= 120:
            line["speed"] = facts["speed"]
        with self._woken:
            self._lines.append(json.dumps(line).encode())
            self._woken.notify()

    def call(self, number: str, seat: str) -> None:
        """Somebody calls at a modem."""
        with self._woken:
            self._calls.append(Call(number, seat, monotonic()))
            self._woken.notify()

    def run(self) -> None:
        pause = FIRST_PAUSE
        while not self._ending:
            with self._woken:
                if not self._lines and not self._calls and (not len(self._spool) or self.away):
                    self._woken.wait(pause if self.away else None)
            if self._ending:
                break
            try:
                self._send()
                self.away, self.trouble, pause = False, "", FIRST_PAUSE
            except Exception as error:  # a full disk, an odd answer: nothing ends the feeder, and nothing is dropped
                self._troubled(error)
                with self._woken:
                    self._woken.wait_for(lambda: self._ending, pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        self._keep()

    def end(self) -> None:
        """Ask the thread to end, without waiting for it."""
        with self._woken:
            self._ending = True
            self._woken.notify()

    def close(self) -> None:
        """End; what was not sent is on the disk."""
        self.end()
        if self.is_alive():
            self.join(CLOSE_SECONDS)

    def _troubled(self, error: Exception) -> None:
        if repr(error) != self.trouble:
            structlog.get_logger("wanmi").warning("positions", error=repr(error))
        self.away, self.trouble = True, repr(error)
        self._keep()

    def _send(self) -> None:
        while self._calls:
            call = self._calls[0]
            if monotonic() - call.at <= CALL_SECONDS and call.seat:
                body = {"number": call.number or WITHHELD, "seat": call.seat}
                self._post(partial(self._client.post, "/api/v1/calls", body))
            self._calls.popleft()
        while len(self._spool):
            lines = self._spool.first(BATCH)
            self._post_positions(lines)
            self._spool.drop(len(lines))
        if self._lines:
            lines = [self._lines.popleft() for _ in range(min(len(self._lines), BATCH))]
            try:
                self._post_positions(lines)
            except Exception:
                self._lines.extendleft(reversed(lines))
                raise

    def _post_positions(self, lines: list[bytes]) -> None:
        answer = self._post(partial(self._client.post_lines, "/api/v1/positions", lines))
        if answer is not None:
            self.sent += answer["read"] - len(answer["refused"])
            self.refused += len(answer["refused"])
        else:
            self.refused += len(lines)

    def _post(self, send: Callable[[], Any]) -> Any:
        """What the node answered, None when it refused; the same again would be refused again."""
        try:
            return send()
        except NodeRefused as error:
            if error.status not in DROPPED:
                raise NodeAway(str(error)) from None
            structlog.get_logger("wanmi").warning("refused", error=error.en)
            return None

    def _keep(self) -> None:
        with self._woken:
            lines = list(self._lines)
            self._lines.clear()
        if not lines:
            return
        try:
            self._spool.add(lines)
        except OSError as error:
            self.trouble = repr(error)
            self._lines.extendleft(reversed(lines))


def moment_of(facts: Facts, at: float) -> str:
    """When a fix was, as RFC 3339.

    Args:
        at: when its first byte came, on the monotonic clock.
    """
    arrived = time() - (monotonic() - at)
    told = facts.get("time")
    if told is not None and facts.get("timeBelieved", True) and abs(offset(told, arrived)) <= AGREED_SECONDS:
        return str(told)
    return datetime.fromtimestamp(arrived, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def offset(told: str, arrived: float) -> float:
    """Seconds by which the receiver's time is ahead of this machine's clock."""
    text = told.replace(":60.", ":59.") if ":60." in told else told
    return datetime.fromisoformat(text).timestamp() - arrived
