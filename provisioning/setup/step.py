"""What a step of the first visit is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from provisioning.setup.facts import Facts

if TYPE_CHECKING:
    from provisioning.setup.talk import Talk


@dataclass(frozen=True, slots=True)
class Standing:
    """How a step stands, as read from the home: done, and what is there in a few words."""

    done: bool
    zh: str
    en: str


class Step(Protocol):
    """One step; it keeps nothing itself: what is done is in the home."""

    def standing(self, facts: Facts) -> Standing:
        """How the step stands by what is in the home."""
        ...

    def run(self, home: Path, talk: Talk) -> None:
        """Ask, do, and tell.

        Raises:
            WanmiError: refused; nothing half done. Back: the technician turned back.
        """
        ...


class Back(Exception):
    """The technician turned back to the list of steps."""
