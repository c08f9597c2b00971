"""The papers screen's calls to the node. They run in workers, touch no widget and end in a message."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.client import FileTooLarge, NodeClient
from tui.messages import Told
from tui.papers.text import MEDIA
from tui.work import careful, worker

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.context import Context

    Base = Screen[None]
else:
    Base = object

Record = dict[str, Any]
BYTES_AT_MOST = 50 * 1024 * 1024


class PapersRead(Message):
    """The papers that come back."""

    def __init__(self, items: list[Record]) -> None:
        super().__init__()
        self.items = items


class PaperCalls(Base):
    """Reads what is due, saves a paper, hands in the return, has papers made."""

    context: Context

    def load(self) -> None:
        """Read what is due."""
        worker(self, self._load, "papers")

    @careful
    async def _load(self) -> None:
        self.post_message(PapersRead(await self.context.client.items("/api/v1/papers/due")))

    def save_paper(self, path: str, named: str) -> None:
        """Save a paper under the name that the operator gave; the ending says the format."""
        worker(self, partial(self._save, path, Path(named).expanduser()), "save")

    @careful
    async def _save(self, path: str, target: Path) -> None:
        labels = self.context.labels
        kind = MEDIA.get(target.suffix.lower().removeprefix("."))
        if kind is None:
            self.post_message(Told(labels("papers.ending", endings=" .".join(MEDIA))))
            return
        self.post_message(Told(labels("papers.saving"), good=True))
        try:
            await _saved(self.context.client, path, kind, target)
        except FileTooLarge:
            self.post_message(Told(labels("evidence.not_saved", why=f"> {BYTES_AT_MOST // 1024 // 1024} MB")))
        except OSError as error:
            self.post_message(Told(labels("evidence.not_saved", why=f"{error.strerror} {error.filename or ''}")))
        else:
            self.post_message(Told(labels("evidence.saved", path=target), good=True))

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


async def _saved(client: NodeClient, path: str, kind: str, target: Path) -> None:
    """Write a paper whole or not at all, for its owner only.

    Raises:
        OSError: it cannot be written. FileTooLarge.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_name(f".{target.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            await client.download_into(path, BYTES_AT_MOST, file, kind)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
