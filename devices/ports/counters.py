"""What went over a port since the agent began. Written by the port's own thread, read by any."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counters:
    """Bytes and mishaps of one port.

    Attributes:
        opened: how often the port was opened; 1 on a port that never went away.
        lost: how often it went away while it was in use.
        errors: exchanges that failed: no answer, or an answer that could not be understood.
    """

    bytes_in: int = 0
    bytes_out: int = 0
    opened: int = 0
    lost: int = 0
    exchanges: int = 0
    errors: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)
