"""The evaluation screen's calls to the node. They run in workers, touch no widget and end in a message."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.messages import Told
from tui.papers.text import waiting
from tui.work import careful, worker

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.context import Context

    Base = Screen[None]
else:
    Base = object

Record = dict[str, Any]
ROOT = "/api/v1/scores"


class ScoresRead(Message):
    """The scores of a period and scope, and the packs in force."""

    def __init__(self, scores: Record, packs: list[Record]) -> None:
        super().__init__()
        self.scores, self.packs = scores, packs


class TrendRead(Message):
    """The closed periods of a subject."""

    def __init__(self, scope: str, subject: str, items: list[Record]) -> None:
        super().__init__()
        self.scope, self.subject, self.items = scope, subject, items


class FigureRead(Message):
    """The cases behind a figure."""

    def __init__(self, found: Record) -> None:
        super().__init__()
        self.found = found


class DueRead(Message):
    """How many papers are to be made or signed, and how many of them are overdue."""

    def __init__(self, waiting: int, overdue: int) -> None:
        super().__init__()
        self.waiting, self.overdue = waiting, overdue


class EvaluationCalls(Base):
    """Reads scores, trends and cases; closes a period."""

    context: Context

    def load(self, period: str, scope: str, pack: str) -> None:
        """Read the scores of a period; the running month where it is empty."""
        worker(self, partial(self._load, period, scope, pack), "scores")

    @careful
    async def _load(self, period: str, scope: str, pack: str) -> None:
        client = self.context.client
        packs = await client.items(f"{ROOT}/packs")
        scores = await client.get(ROOT, period=period, scope=scope, pack=pack or None)
        self.post_message(ScoresRead(scores, packs))

    def load_due(self) -> None:
        """Read what papers are due."""
        worker(self, self._load_due, "due")

    @careful
    async def _load_due(self) -> None:
        states = [item["state"] for item in waiting(await self.context.client.items("/api/v1/papers/due"))]
        self.post_message(DueRead(len(states), states.count("overdue")))

    def load_trend(self, scope: str, subject: str, kind: str) -> None:
        """Read the closed periods of a subject."""
        worker(self, partial(self._load_trend, scope, subject, kind), "trend")

    @careful
    async def _load_trend(self, scope: str, subject: str, kind: str) -> None:
        found = await self.context.client.get(f"{ROOT}/trend", scope=scope, subject=subject, kind=kind)
        self.post_message(TrendRead(scope, subject, found["items"]))

    def load_cases(self, period: str, scope: str, subject: str, code: str) -> None:
        """Read the cases behind a figure."""
        worker(self, partial(self._load_cases, period, scope, subject, code), "cases")

    @careful
    async def _load_cases(self, period: str, scope: str, subject: str, code: str) -> None:
        query = {"period": period, "scope": scope, "subject": subject, "code": code}
        self.post_message(FigureRead(await self.context.client.get(f"{ROOT}/cases", **query)))

    def close_period(self, name: str, scope: str, pack: str) -> None:
        """Close a period and read it again."""
        worker(self, partial(self._close_period, name, scope, pack), "close")

    @careful
    async def _close_period(self, name: str, scope: str, pack: str) -> None:
        await self.context.client.post(f"{ROOT}/periods/{name}/close", {})
        self.post_message(Told(self.context.labels("evaluation.closed_now", period=name), good=True))
        await self._load(name, scope, pack)
