"""The owner of a port: one thread that opens it, listens, runs commands one by one, and comes back when it left.

Nothing else touches the port while its owner lives. The thread sleeps until bytes come, a command is handed in, or the
driver's time has come; a dead device costs it one failed opening every few seconds.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from devices.drivers.interface import Driver, Event, Facts
from devices.errors import DeviceError, PortLost, PortMissing
from devices.exchange import Done, perform
from devices.ports.counters import Counters
from devices.ports.finding import at_found_rate
from devices.ports.hunting import Hunt
from devices.ports.line import SerialLine, Tap

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
PAUSE_SECONDS = 0.25
"""Silence after which a driver is told that its device paused."""
QUIET_SECONDS = 1.0
JOBS_AT_MOST = 100
CLOSE_SECONDS = 5.0
Sink = Callable[[str, Event], None]
"""Takes events: the device's name, what happened. Called in the owner's thread; it must not wait."""


@dataclass(slots=True)
class Job(Generic[T]):
    """A piece of work for the open line, and where its result goes."""

    work: Callable[[SerialLine], T]
    result: Future[T]


class PortOwner:
    """Owns one port for one driver. `start` it, `close` it when done.

    Args:
        path: the port's lasting name; looked up anew at every opening.
        rate: bits a second; None finds it: a talking device by listening, another one by its probe.
        taps: hear everything that goes over the line.
    """

    def __init__(
        self,
        name: str,
        path: str,
        driver: Driver,
        sink: Sink,
        *,
        rate: int | None = None,
        framing: str | None = None,
        taps: tuple[Tap, ...] = (),
    ) -> None:
        self.name = name
        self.path = path
        self.driver = driver
        self.counters = Counters()
        self.trouble: DeviceError | None = None
        self.rate = rate
        self._sink = sink
        self._fixed_rate = rate
        self._framing = framing or driver.framing
        self._taps = taps
        self._jobs: deque[Job[Any]] = deque()
        self._lock = threading.Lock()
        self._ending = False
        self._reader, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._thread = threading.Thread(target=self._live, name=f"port-{name}", daemon=True)

    @property
    def open(self) -> bool:
        """Whether the port is open now."""
        return self.trouble is None and self.counters.opened > self.counters.lost

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Ask the thread to end, without waiting for it."""
        self._ending = True
        self._wake()

    def close(self) -> None:
        """Give the port back and end the thread; what was still waiting fails. A driver that hangs is left behind."""
        self.end()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        self._fail_jobs(self._ended())
        if self._thread.is_alive():
            return
        for descriptor in (self._reader, self._waker):
            with suppress(OSError):
                os.close(descriptor)

    def submit(self, work: Callable[[SerialLine], T]) -> Future[T]:
        """Run work on the line in the owner's thread; its future fails at once where the port is not there."""
        result: Future[T] = Future()
        with self._lock:
            refusal = self._ended() if self._ending else self.trouble
            if refusal is None and len(self._jobs) >= JOBS_AT_MOST:
                refusal = DeviceError(
                    f"{self.name} 等待的命令太多。", f"Too many commands are waiting for {self.name}."
                )
            if refusal is None:
                self._jobs.append(Job(work, result))
        if refusal is not None:
            result.set_exception(refusal)
        else:
            self._wake()
        return result

    def do(self, action: str, value: str | None = None) -> Future[Done]:
        """An action of the driver."""
        return self.submit(lambda line: perform(line, self.driver, action, value))

    def poll(self) -> Future[Facts]:
        """Ask the device how it is."""
        return self.submit(self.driver.poll)

    def _live(self) -> None:
        pause = FIRST_PAUSE
        while not self._ending:
            opened_at = monotonic()
            try:
                self._serve()
            except DeviceError as error:
                self._in_trouble(error)
            except Exception as error:  # a fault of one driver must not end the box; it is told like any other trouble
                self._in_trouble(DeviceError(f"驱动出错: {error!r}。", f"The driver failed: {error!r}."))
            pause = FIRST_PAUSE if monotonic() - opened_at > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            if not self._ending:
                self._sleep(pause)

    def _serve(self) -> None:
        hunt = Hunt(self.driver.rates, self.rate) if self.driver.listens and self._fixed_rate is None else None
        rate = hunt.rate if hunt is not None else self._fixed_rate or self.rate or self.driver.rates[0]
        with SerialLine.open(self.path, rate, self._framing, self.counters) as line:
            line.taps.extend(self._taps)
            self.driver.opened()
            if self._fixed_rate is None and not self.driver.listens:
                at_found_rate(line, self.driver, self.rate, lambda: self._ending)
            self.rate = line.rate
            with self._lock:
                self.trouble = None
            self._emit([Event("PORT", {"state": "open", "rate": line.rate}, monotonic())])
            self._listen(line, hunt)

    def _listen(self, line: SerialLine, hunt: Hunt | None) -> None:
        byte_at = quiet_at = monotonic()
        paused = True
        while not self._ending:
            wait = QUIET_SECONDS if paused else PAUSE_SECONDS
            watched: list[Any] = [line, self._reader]
            ready, _, _ = select.select(watched, [], [], wait)
            if self._reader in ready:
                os.read(self._reader, 4096)
                self._run_jobs(line)
            at, heard = monotonic(), 0
            if line in ready:
                data = line.take()
                heard, byte_at, paused = len(data), at, False
                self._emit(self.driver.heard(data, at))
            if (at - byte_at >= PAUSE_SECONDS and not paused) or at - quiet_at >= QUIET_SECONDS:
                paused = paused or at - byte_at >= PAUSE_SECONDS
                quiet_at = at
                self._emit(self.driver.quiet(at))
            if hunt is not None and hunt.step(at, self.driver.recognised, heard):
                line.set_rate(hunt.rate)
            if hunt is not None and hunt.found:
                self.rate = hunt.rate
            if self.driver.listens and at - byte_at > self.driver.silent_seconds:
                raise PortLost(
                    f"{self.path} 上 {self.driver.silent_seconds:.0f} 秒没有数据,重新打开。",
                    f"No byte on {self.path} for {self.driver.silent_seconds:.0f} s; it is opened anew.",
                )

    def _run_jobs(self, line: SerialLine) -> None:
        while not self._ending:
            with self._lock:
                if not self._jobs:
                    return
                job = self._jobs.popleft()
            if not job.result.set_running_or_notify_cancel():
                continue
            try:
                job.result.set_result(job.work(line))
            except PortLost as error:
                job.result.set_exception(error)
                raise
            except Exception as error:  # the one who handed the work in hears of it
                job.result.set_exception(error)

    def _emit(self, events: list[Event]) -> None:
        for event in events:
            self._sink(self.name, event)

    def _in_trouble(self, error: DeviceError) -> None:
        with self._lock:
            news = self.trouble is None or self.trouble.en != error.en
            self.trouble = error
        self._fail_jobs(error)
        if news:
            facts = {"state": error.kind, "zh": error.zh, "en": error.en}
            self._emit([Event("PORT", facts, monotonic())])

    def _fail_jobs(self, error: DeviceError) -> None:
        while self._jobs:
            with self._lock:
                job = self._jobs.popleft() if self._jobs else None
            if job is not None and job.result.set_running_or_notify_cancel():
                job.result.set_exception(error)

    def _ended(self) -> DeviceError:
        return PortMissing(f"{self.name} 已停止。", f"{self.name} was stopped.")

    def _sleep(self, seconds: float) -> None:
        """Wait out a pause; the end cuts it short, a command does not."""
        until = monotonic() + seconds
        while not self._ending and (left := until - monotonic()) > 0:
            ready, _, _ = select.select([self._reader], [], [], left)
            if ready:
                os.read(self._reader, 4096)

    def _wake(self) -> None:
        with suppress(OSError):
            os.write(self._waker, b".")
