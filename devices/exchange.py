"""Doing one action of a driver on an open line, and what went over the wire meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from devices.drivers.interface import Driver, Facts
from devices.ports.line import SerialLine


@dataclass(slots=True)
class Exchange:
    """What was sent, and everything that came before the next sending."""

    request: bytes
    answer: bytes = b""


@dataclass(slots=True)
class Done:
    """What a device answered, and the exchanges that led there; `main` is the one that did it."""

    facts: Facts
    exchanges: list[Exchange] = field(default_factory=list)
    main: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON; bytes in hexadecimal."""
        wire = [{"request": item.request.hex(), "answer": item.answer.hex()} for item in self.exchanges]
        main = wire[self.main] if wire else {"request": "", "answer": ""}
        return {"facts": self.facts, **main, "exchanges": wire}


class Transcript:
    """Hears a line and keeps its exchanges."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def hear(self, direction: str, data: bytes) -> None:
        """A tap of a line."""
        if direction == "out":
            self.exchanges.append(Exchange(data))
        elif self.exchanges:
            self.exchanges[-1].answer += data


def perform(line: SerialLine, driver: Driver, action: str, value: str | None) -> Done:
    """Do an action; raises what the driver raises."""
    transcript = Transcript()
    line.taps.append(transcript.hear)
    try:
        facts = driver.do(line, action, value)
    finally:
        line.taps.remove(transcript.hear)
    exchanges = transcript.exchanges
    main = next((at for at, item in enumerate(exchanges) if driver.changes(item.request)), 0)
    return Done(facts, exchanges, main)
