"""Paper from the desk: the dispatch slip, printed by the seat's own command or saved as a page."""

from __future__ import annotations

import asyncio
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tui.messages import Told
from tui.seat.files import state_folder
from tui.work import careful, worker

if TYPE_CHECKING:
    from tui.desk.queue import Queue
    from tui.screens.base import SeatScreen

    Base = SeatScreen
else:
    Base = object

PRINT = "WANMI_PRINT"
"""The command that prints plain text from its standard input, as in `lp -d hall`; no shell runs it."""


class DeskPapers(Base):
    """Prints."""

    if TYPE_CHECKING:

        @property
        def queue(self) -> Queue: ...

    def action_pictures(self) -> None:
        """The files of the case under the cursor."""
        from tui.pictures.screen import EvidenceScreen  # loads the picture library, which few sessions need at once

        record = self.queue.selected
        if record is not None:
            self.app.push_screen(EvidenceScreen(self.context, record))

    def action_print_slip(self) -> None:
        """The dispatch slip 派遣单 of the case under the cursor."""
        record = self.queue.selected
        if record is not None:
            worker(self, self._print_slip(record["number"]), "slip")

    @careful
    async def _print_slip(self, number: str) -> None:
        try:
            command = shlex.split(os.environ.get(PRINT, ""))
        except ValueError as error:
            self.post_message(Told(self.context.labels("slip.not_printed", problem=f"{PRINT}: {error}")))
            return
        path = f"/api/v1/cases/{number}/slip"
        if not command:
            page = await self.context.client.text(path, "text/html")
            file = state_folder() / "slips" / f"{number}.html"
            try:
                file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                file.touch(mode=0o600)
                file.write_text(page, encoding="utf-8")
            except OSError as error:
                self.post_message(Told(f"{file}: {error.strerror}"))
                return
            self.post_message(Told(self.context.labels("slip.saved", file=file, setting=PRINT), good=True))
            return
        problem = await _printed(command, await self.context.client.text(path, "text/plain"))
        if problem:
            self.post_message(Told(self.context.labels("slip.not_printed", problem=problem)))
        else:
            self.post_message(Told(self.context.labels("slip.printed", command=Path(command[0]).name), good=True))


async def _printed(command: list[str], text: str) -> str:
    """Give a text to a command; what went wrong, empty when nothing did."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    _, said = await process.communicate(text.encode())
    return "" if process.returncode == 0 else said.decode(errors="replace").strip()[-200:] or f"{command[0]}?"
