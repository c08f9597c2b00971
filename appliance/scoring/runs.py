"""What a walk through a case's history is made of: rows, clock runs, and which row does which clock's work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

ENDED = frozenset(("closed", "void", "rejected"))
ONLY_REPORTS = frozenset(("merged", "answered", "returned_up"))
"""Such cases count as reports and as nothing else."""
HANDLED = frozenset(("handled", "checking", "checked", "closed"))
WITH_UNIT = frozenset(("dispatched", "handling"))

DOES = {
    "verify": frozenset(("verify_true", "verify_false")), "check": frozenset(("check_pass", "check_fail")),
    "accept": frozenset(("accept", "ask_verify", "reject")), "file": frozenset(("file",)),
    "dispatch": frozenset(("dispatch",)), "handle": frozenset(("finish",)), "ask_check": frozenset(("ask_check",)),
    "close": frozenset(("close",)),
}  # fmt: skip
"""The rows that do the work of a clock."""
STAGE_ROLE = {
    "accept": "acceptor", "file": "shift_leader", "dispatch": "dispatcher", "ask_check": "acceptor",
    "close": "shift_leader",
}  # fmt: skip
"""Who is charged with a run that nobody has done: the last person in this role who acted on the case."""
PLATFORM = ""


class Row(NamedTuple):
    """A history row as far as scores look at it."""

    case: int
    action: str
    actor: str
    role: str
    at: int
    to_state: str
    clock_started: str | None
    clock_stopped: str | None
    due_at: int | None
    detail: dict[str, Any] | str | None

    def told(self, name: str) -> Any:
        """A member of `detail`, None where there is none; what is still JSON is decoded only when it is asked for."""
        detail = self.detail
        if isinstance(detail, str):
            detail = msgspec.json.decode(detail)
        return detail.get(name) if detail else None


class Facts(NamedTuple):
    """What is known of the case itself at `as_of`.

    Attributes:
        own_collector: the person named by the case's duty grid.
    """

    channel: str
    source: str
    street: str | None
    grid: str | None
    own_collector: str | None


@dataclass(slots=True)
class Run:
    """A running clock: what it is, when it is due, for whom."""

    clock: str
    due: int | None
    subject: str | None = None

    def on_time(self, at: int) -> bool:
        """Whether a stop at this time is on time; equal is on time, without a limit it always is."""
        return self.due is None or at <= self.due
