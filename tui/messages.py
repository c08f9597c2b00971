"""What workers tell the screens; widgets change only in the handlers of these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from textual.message import Message

Record = dict[str, Any]


class NodeLost(Message):
    """The node does not answer."""


class NodeBack(Message):
    """The node answers again."""


class SessionEnded(Message):
    """The node wants a new sign-in."""

    def __init__(self, detail: str) -> None:
        super().__init__()
        self.detail = detail


class Told(Message):
    """A sentence for the operator: a refusal, or that something is done."""

    def __init__(self, text: str, *, good: bool = False) -> None:
        super().__init__()
        self.text, self.good = text, good


class PageRead(Message):
    """A page of the queue."""

    def __init__(self, items: list[Record], following: str | None, *, more: bool) -> None:
        super().__init__()
        self.items, self.following, self.more = items, following, more


class CaseSeen(Message):
    """A case as it is now."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record


class SummaryRead(Message):
    """The figures of the moment."""

    def __init__(self, summary: Record) -> None:
        super().__init__()
        self.summary = summary


class ChangeHeard(Message):
    """A case changed at the node."""

    def __init__(self, number: str) -> None:
        super().__init__()
        self.number = number


class VehiclesMoved(Message):
    """Where some vehicles are now."""

    def __init__(self, items: list[Record]) -> None:
        super().__init__()
        self.items = items


class CallHeard(Message):
    """A caller rings at this seat."""

    def __init__(self, number: str) -> None:
        super().__init__()
        self.number = number


@dataclass(slots=True)
class Surroundings:
    """What belongs to a case beside its record: history, actions on offer, duplicates, what lies near."""

    number: str
    history: list[Record] = field(default_factory=list)
    actions: list[Record] = field(default_factory=list)
    duplicates: list[Record] = field(default_factory=list)
    near: list[Record] = field(default_factory=list)
    grids: list[Record] = field(default_factory=list)
    parts: list[Record] = field(default_factory=list)
    clock: Record = field(default_factory=dict)


class SurroundingsRead(Message):
    """The surroundings of the selected case."""

    def __init__(self, found: Surroundings) -> None:
        super().__init__()
        self.found = found
