"""What a fake device is: bytes in, bytes out, as its document says, with moods. No port and no clock of its own."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(slots=True)
class Moods:
    """How a fake device behaves badly. All off: it behaves as the document says.

    Attributes:
        busy: it answers "busy" the first so many times, where its protocol can say so; else it says nothing.
        refusing: it answers every command that changes something with a refusal of its protocol.
        slow: seconds it thinks before each answer.
        noisy: the share of its bytes, 0 to 1, that the line damages.
        silent: it hears and says nothing.
        echo: the line gives back what is sent (two-wire RS-485).
    """

    busy: int = 0
    refusing: bool = False
    slow: float = 0.0
    noisy: float = 0.0
    silent: bool = False
    echo: bool = False


class Fake(ABC):
    """A device without a wire; `host.py` gives it a pseudo-terminal, the pace of its rate, the line's moods."""

    key: ClassVar[str]
    rate: ClassVar[int] = 9600

    def __init__(self, moods: Moods | None = None, options: Mapping[str, Any] | None = None) -> None:
        self.moods = moods or Moods()
        self.options = dict(options or {})

    def receive(self, data: bytes) -> bytes:
        """The answer to what came, empty where there is none (yet)."""
        return b""

    def talk(self, seconds: float) -> bytes:
        """What it says by itself after this much more time has passed."""
        return b""

    def state(self) -> Mapping[str, Any]:
        """What one would see looking at it: brightness, text, whether it is dark. For tests and for training."""
        return {}
