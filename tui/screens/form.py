"""A small form over the desk: its fields one below the other, Enter goes on and sends at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from tui.client import NodeAway, Refused, SignedOut
from tui.fields import FILES, Field, FieldProblem, Form, body_of
from tui.messages import NodeLost, SessionEnded
from tui.type_ahead import TypeAhead
from tui.widgets.field_row import LABEL_CELLS, FieldRow
from tui.work import worker

if TYPE_CHECKING:
    from tui.context import Context

Record = dict[str, Any]
SENDING_SECONDS = 5.0
LABEL_AT_MOST = 28


class FormScreen(ModalScreen[Record | None]):
    """Fills and posts one form; ends with the node's answer, None when given up."""

    DEFAULT_CSS = """
    FormScreen { align: center middle; background: $background; }
    FormScreen > VerticalScroll {
        width: 76; max-width: 100%; height: auto; max-height: 100%; border: solid $primary; padding: 0 1;
    }
    FormScreen #problem { color: $error; height: auto; }
    FormScreen #about { color: $text-muted; height: auto; margin: 0 0 1 0; }
    FormScreen #hint { color: $text-muted; margin: 1 0 0 0; }
    """
    BINDINGS = [
        Binding("enter", "send", "key.send", id="form.enter", show=False),
        Binding("ctrl+s", "send", "key.send", id="form.send"),
        Binding("escape", "give_up", "key.cancel", id="form.cancel"),
    ]
    AUTO_FOCUS = ""

    class Sent(Message):
        """The node took it."""

        def __init__(self, answer: Record) -> None:
            super().__init__()
            self.answer = answer

    class NotSent(Message):
        """The node refused, or a file could not be read; `version` when the case was read anew."""

        def __init__(self, text: str, version: int | None = None) -> None:
            super().__init__()
            self.text, self.version = text, version

    def __init__(self, context: Context, form: Form, version: int | None) -> None:
        super().__init__()
        self._seat = context
        self._form = form
        self._version = version
        self._sending = False

    def compose(self) -> ComposeResult:
        labels = self._seat.labels
        with VerticalScroll(can_focus=False):
            yield Static(Text(self._form.title, "bold"), id="title")
            yield Static(self._form.about, id="about", markup=False)
            words = [self._label(field) + ("*" if field.required else "") for field in self._form.fields]
            cells = min(max([LABEL_CELLS, *(cell_len(word) + 1 for word in words)]), LABEL_AT_MOST)
            for field, word in zip(self._form.fields, words, strict=True):
                yield FieldRow(field, word, cells)
            yield Static("", id="problem", markup=False)
            yield Static(labels("form.hint"), id="hint", markup=False)

    def on_mount(self) -> None:
        rows = list(self.query(FieldRow))
        if rows:
            self.call_after_refresh(rows[0].focus_line)
        else:
            self._let_keys_go()

    @on(FieldRow.Done)
    def _field_done(self, event: FieldRow.Done) -> None:
        event.stop()
        rows = list(self.query(FieldRow))
        at = rows.index(event.row)
        if at + 1 < len(rows):
            rows[at + 1].focus_line()
        else:
            self.action_send()

    def action_send(self) -> None:
        if self._sending:
            return
        for row in self.query(FieldRow):
            row.settle()
        values = {row.field.name: row.value for row in self.query(FieldRow)}
        try:
            body = body_of(self._form, values)
        except FieldProblem as problem:
            row = self.query_one(f"#field-{problem.field}", FieldRow)
            self._problem(self._seat.labels(problem.label, field=self._label(row.field), why=problem.why))
            row.focus_line()
            return
        if not self._form.path:
            self.dismiss(body)
            return
        files = [values[field.name] for field in self._form.fields if field.kind == FILES and values[field.name]]
        self._sending = True
        if isinstance(self.app, TypeAhead):
            self.app.hold_keys(SENDING_SECONDS)
        worker(self, self._send(body, " ".join(files).split()), "send")

    def action_give_up(self) -> None:
        self.dismiss(None)

    async def _send(self, body: Record, paths: list[str]) -> None:
        client, form = self._seat.client, self._form
        try:
            for path in paths:
                sha256 = await client.upload(Path(path).expanduser(), form.stage)
                body.setdefault("evidence", []).append({"sha256": sha256, "stage": form.stage})
            version = self._version if form.versioned else None
            answer = await client.post(form.path, body, version=version, once=form.once)
        except OSError as error:
            self.post_message(self.NotSent(f"{error.filename}: {error.strerror}"))
        except NodeAway:
            self.app.post_message(NodeLost())
            self.post_message(self.NotSent(self._seat.labels("form.not_sent")))
        except SignedOut as error:
            self.app.post_message(SessionEnded(error.detail))
        except Refused as error:
            self.post_message(self.NotSent(*await self._after_refusal(error)))
        else:
            self.post_message(self.Sent(answer))

    async def _after_refusal(self, error: Refused) -> tuple[str, int | None]:
        """The sentence, and the new version when the case was stale: the form stays and can be sent again."""
        if error.status != 409 or "version" not in error.problem or self._form.number is None:
            return error.detail, None
        try:
            record = await self._seat.client.get(f"/api/v1/cases/{self._form.number}")
        except (NodeAway, Refused):
            return error.detail, None
        return f"{error.detail} {self._seat.labels('form.again')}", int(record["version"])

    @on(Sent)
    def _sent(self, event: Sent) -> None:
        event.stop()
        self.dismiss(event.answer)
        self._let_keys_go()

    @on(NotSent)
    def _not_sent(self, event: NotSent) -> None:
        event.stop()
        self._sending = False
        self._let_keys_go()
        if event.version is not None:
            self._version = event.version
        self._problem(event.text)

    @on(Worker.StateChanged)
    def _worker_ended(self, event: Worker.StateChanged) -> None:
        event.stop()
        if event.state is WorkerState.ERROR:
            text = self._seat.labels("banner.internal", what=event.worker.name, error=repr(event.worker.error))
            self.post_message(self.NotSent(text))

    def _label(self, field: Field) -> str:
        return field.label or self._seat.labels(f"field.{field.name}")

    def _let_keys_go(self) -> None:
        if isinstance(self.app, TypeAhead):
            self.app.let_keys_go()

    def _problem(self, text: str) -> None:
        self.query_one("#problem", Static).update(text)
