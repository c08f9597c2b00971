"""The papers screen's calls to the node. They run in workers, touch no widget and end in a message."""

from __future__ import annotations

from functools import partial
from typing import Any

from textual.message import Message

from tui.messages import Told
from tui.papers.saving import PaperSaving
from tui.work import careful, worker

Record = dict[str, Any]


class PapersRead(Message):
    """The papers that come back."""

    def __init__(self, items: list[Record]) -> None:
        super().__init__()
        self.items = items


class PaperCalls(PaperSaving):
    """Reads what is due, hands in the return, has papers made."""

    def load(self) -> None:
        """Read what is due."""
        worker(self, self._load, "papers")

    @careful
    async def _load(self) -> None:
        self.post_message(PapersRead(await self.context.client.items("/api/v1/papers/due")))

    def submit_return(self, period: str) -> None:
        """Sign a return and hand it in."""
        worker(self, partial(self._submit, period), "submit")

    @careful
    async def _submit(self, period: str) -> None:
        await self.context.client.post(f"/api/v1/returns/{period}/submit", {})
        self.post_message(Told(self.context.labels("papers.submitted_now", period=period), good=True))
        await self._load()

    def make_papers(self) -> None:
        """Have the node make what was not made yet."""
        worker(self, self._make, "make")

    @careful
    async def _make(self) -> None:
        labels = self.context.labels
        self.post_message(Told(labels("papers.saving"), good=True))
        told = (await self.context.client.patient("POST", "/api/v1/jobs/make-papers"))["result"]
        if told["failed"]:
            why = "; ".join(f"{name} {said}" for name, said in told["failed"].items())
            self.post_message(Told(labels("papers.failed", why=why)))
        else:
            self.post_message(Told(labels("papers.made_now", count=len(told["made"])), good=True))
        await self._load()
