"""Saving a paper from the node under a name that the operator gives; any screen may do it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tui.client import FileTooLarge
from tui.fields import Field, Form
from tui.messages import Told
from tui.papers.text import MEDIA
from tui.screens.form import FormScreen
from tui.seat.files import state_folder
from tui.work import careful, worker

if TYPE_CHECKING:
    from tui.screens.base import SeatScreen

    Base = SeatScreen
else:
    Base = object

BYTES_AT_MOST = 50 * 1024 * 1024


def paper_file(name: str) -> Path:
    """Where papers of this seat lie, unless another name is given."""
    return state_folder() / "papers" / name


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A file that is written whole or not at all, for its owner only.

    Raises:
        OSError: it cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_name(f".{target.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


class PaperSaving(Base):
    """Asks for the name of the file and saves the paper there."""

    def ask_file(self, path: str, about: str, file: Path) -> None:
        """Under which name to save the paper that the node answers at `path`."""
        form = Form(
            self.context.labels("key.save_paper"), about, "", (Field("file", required=True, default=str(file)),)
        )

        def filled(values: dict[str, str] | None) -> None:
            if values is not None:
                self.save_paper(path, values["file"])

        self.app.push_screen(FormScreen(self.context, form, None), filled)

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
            with whole_file(target) as file:
                await self.context.client.download_into(path, BYTES_AT_MOST, file, kind)
        except FileTooLarge:
            self.post_message(Told(labels("evidence.not_saved", why=f"> {BYTES_AT_MOST // 1024 // 1024} MB")))
        except OSError as error:
            self.post_message(Told(labels("evidence.not_saved", why=f"{error.strerror} {error.filename or ''}")))
        else:
            self.post_message(Told(labels("evidence.saved", path=target), good=True))
