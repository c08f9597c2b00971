"""How every device stands: what it told last, since when it is well or unwell, what went over its port.

Written by the threads of the ports, read by the reporter, the control socket and the keeper.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from time import time
from typing import Any

from devices.agent.plain import cut, plain
from devices.drivers.interface import Action, Event, Facts

KEPT_FACTS = ("TPV", "SKY", "TXT", "status", "identify")
"""Kinds of news that are shown until the next of their kind comes."""
WORD_AT_MOST, SENTENCE_AT_MOST = 40, 500
WELL = frozenset(("open", "2d", "3d", "answers"))


@dataclass(slots=True)
class Standing:
    """One device.

    Attributes:
        state: starting; open, 2d, 3d, answers when it is well; else what is wrong, in one word.
        since: when that began, in seconds since 1970.
        zh, en: what is wrong in a sentence, empty when nothing is.
    """

    name: str
    driver: str
    port: str
    state: str = "starting"
    since: float = field(default_factory=time)
    zh: str = ""
    en: str = ""
    rate: int | None = None
    facts: dict[str, Facts] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    listens: bool = False

    @property
    def well(self) -> bool:
        return self.state in WELL

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name, "driver": self.driver, "port": self.port, "state": self.state, "since": self.since,
            "well": self.well, "zh": self.zh, "en": self.en, "rate": self.rate, "facts": dict(self.facts),
            "counters": dict(self.counters), "actions": [told_action(action) for action in self.actions],
        }  # fmt: skip


class Board:
    """The standings of all devices; `version` grows with every change of a state or a fact."""

    def __init__(self) -> None:
        self.version = 0
        self._lock = threading.Lock()
        self._standings: dict[str, Standing] = {}

    def add(
        self, name: str, driver: str, port: str, actions: tuple[Action, ...] = (), *, listens: bool = False
    ) -> None:
        """A device.

        Args:
            listens: it talks by itself, so an open port says nothing of it yet.
        """
        with self._lock:
            self._standings[name] = Standing(name, driver, port, actions=actions, listens=listens)
            self.version += 1

    def note(self, name: str, event: Event) -> None:
        """What a port's thread told."""
        with self._lock:
            standing = self._standings[name]
            if event.kind in ("PORT", "HEALTH"):
                self._change(standing, event.facts)
            elif event.kind in KEPT_FACTS:
                standing.facts[event.kind] = plain(event.facts)
            self.version += 1

    def told(self, name: str, kind: str, facts: Facts) -> None:
        """The device answered."""
        with self._lock:
            standing = self._standings[name]
            standing.facts[kind] = plain(facts)
            self._change(standing, {"state": "answers"})
            self.version += 1

    def failed(self, name: str, state: str, zh: str, en: str) -> None:
        """The device did not answer, or refused."""
        with self._lock:
            self._change(self._standings[name], {"state": state, "zh": zh, "en": en})
            self.version += 1

    def count(self, name: str, counters: dict[str, int]) -> None:
        """What went over the port so far; no news by itself."""
        with self._lock:
            self._standings[name].counters = counters

    def standing(self, name: str) -> Standing | None:
        with self._lock:
            return self._standings.get(name)

    def all(self) -> list[dict[str, Any]]:
        """Every standing, ready for JSON."""
        with self._lock:
            return [standing.as_dict() for standing in self._standings.values()]

    @staticmethod
    def _change(standing: Standing, facts: Facts) -> None:
        state = cut(str(facts["state"]), WORD_AT_MOST)
        if state == "open" and standing.listens:
            state = "starting"
        if state != standing.state:
            standing.state, standing.since = state, time()
        standing.rate = facts.get("rate", standing.rate)
        standing.zh, standing.en = (
            ("", "")
            if standing.well
            else (cut(str(facts.get("zh", "")), SENTENCE_AT_MOST), cut(str(facts.get("en", "")), SENTENCE_AT_MOST))
        )


def told_action(action: Action) -> dict[str, Any]:
    """An action as it is told outside."""
    return {
        "name": cut(action.name, WORD_AT_MOST), "value": cut(action.value), "zh": cut(action.zh, SENTENCE_AT_MOST),
        "en": cut(action.en, SENTENCE_AT_MOST),
    }  # fmt: skip
