"""A sign or wall on a real pseudo-terminal, and the driver that a county would use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from devices.drivers.interface import Driver, Facts
from devices.fakes.fake import Fake
from devices.fakes.host import Host
from devices.ports.line import SerialLine


@dataclass(slots=True)
class Wired:
    """A driver, its fake device, the line between them, and what went over it."""

    driver: Driver
    fake: Fake
    line: SerialLine
    sent: list[bytes]

    def do(self, action: str, value: str | None = None) -> Facts:
        return self.driver.do(self.line, action, value)

    @property
    def state(self) -> Mapping[str, Any]:
        return self.fake.state()


@contextmanager
def wired(driver: Driver, fake: Fake, **host: Any) -> Iterator[Wired]:
    """Plug the fake in and open its port at its own rate, as the driver wants it."""
    with Host(fake, **host) as cable, SerialLine.open(cable.path, fake.rate, driver.framing) as line:
        sent: list[bytes] = []
        line.taps.append(lambda direction, data: sent.append(data) if direction == "out" else None)
        yield Wired(driver, fake, line, sent)
