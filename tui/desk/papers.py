"""Paper from the desk: the dispatch slip, printed by the seat's own command or saved; notice and letter of a case."""

from __future__ import annotations

import asyncio
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.fields import Choice
from tui.messages import Told
from tui.papers.saving import PaperSaving, paper_file
from tui.seat.files import state_folder
from tui.work import careful, worker

if TYPE_CHECKING:
    from tui.desk.queue import Queue

PRINT = "WANMI_PRINT"
"""The command that prints plain text from its standard input, as in `lp -d hall`; no shell runs it."""


class DeskPapers(PaperSaving):
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

    def action_case_paper(self) -> None:
        """The rectification notice 整改通知 or a supervision letter 督办函 of the case under the cursor, as a file."""
        labels, record = self.context.labels, self.queue.selected
        if record is None:
            return
        papers = _papers_of(record)
        if not papers:
            self.say(labels("paper.none_of_case"))
            return
        names = {path: f"{labels('paper.' + name.partition('-')[0])} {note}" for path, (name, note) in papers.items()}

        def chosen(path: str) -> None:
            about = f"{names[path]} {record['number']}\n.pdf .html"
            self.ask_file(path, about, paper_file(f"{papers[path][0]}.pdf"))

        if len(papers) == 1:
            chosen(next(iter(papers)))
        else:
            choices = [Choice(path, name, str(at)) for at, (path, name) in enumerate(names.items(), 1)]
            self.pick("key.case_paper", choices, chosen)

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


def _papers_of(record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The papers that a case has, by where the node answers them: the file's name and the supervision's words."""
    number, found = record["number"], {}
    if record["department"] is not None:
        found[f"/api/v1/papers/notice/{number}"] = (f"notice-{number}", "")
    for each in record["supervisions"]:
        found[f"/api/v1/papers/letter/{number}/{each['id']}"] = (f"letter-{number}-{each['id']}", each["note"])
    return found


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
