"""The evidence viewer: walks through the files of a case, draws the pictures, saves what cannot be drawn."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.events import Resize
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from tui.cells import fit
from tui.client import FileTooLarge
from tui.messages import Told
from tui.pictures.decode import PictureProblem, decode
from tui.pictures.files import counterpart, facts, files_of, is_picture, save, saved_as
from tui.pictures.pane import PicturePane
from tui.show import short_number
from tui.type_ahead import TypeAhead
from tui.widgets.bars import Banner, KeyLine
from tui.widgets.line import Line
from tui.work import careful, worker

if TYPE_CHECKING:
    from tui.context import Context

Record = dict[str, Any]
SHOWN_BYTES_AT_MOST = 40 * 1024 * 1024
SAVED_BYTES_AT_MOST = 512 * 1024 * 1024
KEPT = 6
"""Pictures kept small in memory, so that going back is at once."""
SIDE_BY_SIDE_FROM = 120
SETTLE_SECONDS = 0.08


class EvidenceScreen(ModalScreen[None]):
    """The files of a case over whatever asked.

    Args:
        context: the seat.
        record: the case, as the node gave it.
    """

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    EvidenceScreen { background: $background; }
    EvidenceScreen > #evidence-title { height: 1; background: $primary; }
    EvidenceScreen > Horizontal { height: 1fr; }
    EvidenceScreen #other { display: none; border-left: solid $surface; padding: 0 0 0 1; }
    EvidenceScreen.-compared #other { display: block; }
    EvidenceScreen > #folder { display: none; }
    EvidenceScreen.-saving > #folder { display: block; }
    """
    BINDINGS = [
        Binding("right,space,down", "walk(1)", "key.next_file", id="evidence.next"),
        Binding("left,up", "walk(-1)", "key.previous_file", id="evidence.previous"),
        Binding("b", "compare", "key.compare", id="evidence.compare"),
        Binding("s", "save", "key.save", id="evidence.save"),
        Binding("escape,p", "back", "key.back", id="evidence.back"),
    ]

    class Decoded(Message):
        """A file of the walk: the picture, or a sentence instead."""

        def __init__(self, at: int, picture: Image.Image | None, said: str = "") -> None:
            super().__init__()
            self.at, self.picture, self.said = at, picture, said

    def __init__(self, context: Context, record: Record) -> None:
        super().__init__()
        self._seat = context
        self._record = record
        self.files = files_of(record)
        self.at = 0
        self._single = False
        self._kept: OrderedDict[str, Image.Image] = OrderedDict()

    def compose(self) -> ComposeResult:
        blocks = self._seat.braille is not False
        yield Static("", id="evidence-title", markup=False)
        with Horizontal():
            yield PicturePane(blocks=blocks)
            other = PicturePane(blocks=blocks)
            other.id = "other"
            yield other
        yield Line(id="folder")
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        labels = self._seat.labels
        self.query_one(KeyLine).show(
            [("<- ->", labels("key.next_file")), ("b", labels("key.compare")), ("s", labels("key.save"))],
            [("Esc", labels("key.back"))],
        )
        self._show()
        if isinstance(self.app, TypeAhead):
            self.app.let_keys_go()

    @property
    def compared(self) -> int | None:
        """The file that stands beside the present one."""
        wide = self.app.size.width >= SIDE_BY_SIDE_FROM
        return counterpart(self.files, self.at) if self.files and wide and not self._single else None

    @on(Resize)
    def _resized(self) -> None:
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        """Show the present file and the one beside it; what is not at hand is fetched."""
        labels, count = self._seat.labels, len(self.files)
        title = f" {labels('evidence.title')} {short_number(self._record['number'])}  {self.at + bool(count)}/{count}"
        self.query_one("#evidence-title", Static).update(fit(title, self.app.size.width))
        other = self.compared
        self.set_class(other is not None, "-compared")
        if other is None:
            self.query_one("#other", PicturePane).say("", "")
        if not self.files:
            self.query(PicturePane).first().say("", labels("evidence.none"))
            return
        for at in filter(lambda at: at is not None, (self.at, other)):
            self._show_one(int(at or 0))

    def _show_one(self, at: int) -> None:
        item, labels = self.files[at], self._seat.labels
        pane, text = self._pane(at), facts(self.files[at], self._record, labels)
        if pane is None:
            return
        if not is_picture(item):
            pane.say(text, labels("evidence.no_picture"))
        elif item["sha256"] in self._kept:
            self._kept.move_to_end(item["sha256"])
            pane.show(text, self._kept[item["sha256"]])
        else:
            pane.say(text, labels("evidence.loading"))
            worker(self, partial(self._decode, at), f"picture-{'main' if at == self.at else 'other'}")

    def _pane(self, at: int) -> PicturePane | None:
        """Where a file of the walk stands now; None when the walk went on."""
        if at == self.at:
            return self.query(PicturePane).first()
        return self.query_one("#other", PicturePane) if at == self.compared else None

    # Calls to the node.

    @careful
    async def _decode(self, at: int) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        labels = self._seat.labels
        try:
            content = await self._seat.client.download(self._path(self.files[at]), SHOWN_BYTES_AT_MOST)
            picture = await asyncio.to_thread(decode, content)
        except FileTooLarge:
            said = labels("evidence.too_large", megabytes=SHOWN_BYTES_AT_MOST // 1024 // 1024)
            self.post_message(self.Decoded(at, None, said))
        except PictureProblem as problem:
            self.post_message(self.Decoded(at, None, labels("evidence.broken", why=problem)))
        else:
            self.post_message(self.Decoded(at, picture))

    @careful
    async def _save(self, item: Record, folder: str) -> None:
        labels, target = self._seat.labels, saved_as(folder, self._record, item)
        try:
            await save(self._seat.client, self._path(item), SAVED_BYTES_AT_MOST, target, item["sha256"])
        except FileTooLarge:
            why = f"> {SAVED_BYTES_AT_MOST // 1024 // 1024} MB"
            self.post_message(Told(labels("evidence.not_saved", why=why)))
        except OSError as error:
            self.post_message(Told(labels("evidence.not_saved", why=f"{error.strerror} {error.filename or ''}")))
        else:
            self.post_message(Told(labels("evidence.saved", path=target), good=True))

    @staticmethod
    def _path(item: Record) -> str:
        return f"/api/v1/evidence/{item['sha256']}"

    # What the node told.

    @on(Decoded)
    def _decoded(self, event: Decoded) -> None:
        event.stop()
        item, pane = self.files[event.at], self._pane(event.at)
        if event.picture is not None:
            self._kept[item["sha256"]] = event.picture
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        if pane is not None:
            text = facts(item, self._record, self._seat.labels)
            if event.picture is not None:
                pane.show(text, event.picture)
            else:
                pane.say(text, event.said)

    @on(Told)
    def _told(self, event: Told) -> None:
        event.stop()
        self.query_one(Banner).say(event.text, good=event.good)

    @on(Worker.StateChanged)
    def _worker_ended(self, event: Worker.StateChanged) -> None:
        event.stop()
        if event.state is WorkerState.ERROR:
            what, error = event.worker.name, repr(event.worker.error)
            self.query_one(Banner).say(self._seat.labels("banner.internal", what=what, error=error))

    # What the operator does.

    def action_walk(self, step: int) -> None:
        if self.files:
            self.at = (self.at + step) % len(self.files)
            self._show()

    def action_compare(self) -> None:
        """Both pictures or one; on a narrow screen the other one instead of this."""
        if not self.files:
            return
        if self.app.size.width < SIDE_BY_SIDE_FROM:
            other = counterpart(self.files, self.at)
            self.at = self.at if other is None else other
        else:
            self._single = not self._single
        self._show()

    def action_save(self) -> None:
        if not self.files:
            return
        self.query_one(Banner).say("")
        self.add_class("-saving")
        line = self.query_one("#folder", Line)
        line.placeholder = self._seat.labels("evidence.folder")
        line.value = line.value or str(Path.cwd())
        line.focus()

    @on(Input.Submitted, "#folder")
    def _folder_given(self, event: Input.Submitted) -> None:
        event.stop()
        self._leave_saving()
        if event.value.strip():
            worker(self, partial(self._save, self.files[self.at], event.value.strip()), "save")

    def action_back(self) -> None:
        if self.has_class("-saving"):
            self._leave_saving()
        else:
            self.dismiss(None)

    def _leave_saving(self) -> None:
        self.remove_class("-saving")
        self.set_focus(None)
