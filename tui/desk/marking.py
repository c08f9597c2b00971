"""Many cases at once: marking rows, one form for all of them, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import on
from textual.message import Message

from tui.client import NodeAway, Refused
from tui.fields import Form
from tui.keys import ActionKey, assign_keys
from tui.messages import CaseSeen, NodeLost, Told
from tui.screens.base import SeatScreen
from tui.screens.form import FormScreen
from tui.screens.told import ToldScreen
from tui.show import short_number
from tui.work import careful, worker

if TYPE_CHECKING:
    from tui.desk.queue import Queue

Record = dict[str, Any]
ONE_CASE_ONLY = frozenset(["into", "supervision", "code", "part", "lon", "description", "address", "evidence"])
"""What an action needs that cannot be the same for several cases."""
PROGRESS_STEP = 10


class BulkKeysRead(Message):
    """The actions that every marked case allows."""

    def __init__(self, numbers: list[str], items: list[Record]) -> None:
        super().__init__()
        self.numbers, self.items = numbers, items


class BulkDone(Message):
    """What became of the marked cases: those that moved, and the sentences of those that did not."""

    def __init__(self, title: str, done: list[str], refused: dict[str, str]) -> None:
        super().__init__()
        self.title, self.done, self.refused = title, done, refused


class DeskMarking(SeatScreen):
    """Marks and what is done with them."""

    action_keys: tuple[ActionKey, ...]
    offers: dict[tuple[str, int], list[Record]]

    if TYPE_CHECKING:

        @property
        def queue(self) -> Queue: ...
        def reserved_keys(self) -> set[str]: ...
        def draw_lines(self) -> None: ...

    def action_mark(self) -> None:
        """Mark or unmark the case under the cursor and go one down."""
        record = self.queue.selected
        if record is not None:
            number = record["number"]
            self.queue.mark(number, number not in self.queue.marked)
            self.queue.action_cursor_down()
            self._marks_changed()

    def action_mark_all(self) -> None:
        """Mark every case that is loaded; when all are marked, none."""
        wanted = len(self.queue.marked) < len(self.queue.records)
        for number in self.queue.records:
            self.queue.mark(number, wanted)
        self._marks_changed()

    def unmark(self) -> bool:
        """Take all marks away; whether there were any."""
        numbers = list(self.queue.marked)
        for number in numbers:
            self.queue.mark(number, False)
        if numbers:
            self._marks_changed()
        return bool(numbers)

    def _marks_changed(self) -> None:
        self.draw_lines()
        worker(self, self._read_bulk_keys(list(self.queue.marked)), "bulk-keys")

    @careful
    async def _read_bulk_keys(self, numbers: list[str]) -> None:
        offers = [await self._offer(self.queue.records[number]) for number in numbers if number in self.queue.records]
        names = set.intersection(*({item["action"] for item in offer} for offer in offers)) if offers else set()
        items = [item for item in offers[0] if item["action"] in names] if offers else []
        fitting = [item for item in items if ONE_CASE_ONLY.isdisjoint(item["needs"])]
        self.post_message(BulkKeysRead(numbers, fitting))

    async def _offer(self, record: Record) -> list[Record]:
        """What this account may do with a case, asked once for each version of it."""
        key = (record["number"], record["version"])
        if key not in self.offers:
            self.offers[key] = await self.context.client.items("/api/v1/actions", number=record["number"])
        return self.offers[key]

    @on(BulkKeysRead)
    def _bulk_keys_read(self, event: BulkKeysRead) -> None:
        if event.numbers and event.numbers == list(self.queue.marked):
            self.action_keys = assign_keys(event.items, self.reserved_keys(), self.context.own_keys)
            self.draw_lines()

    def start_bulk(self, key: ActionKey) -> None:
        """Open one form for all marked cases."""
        if any(job.group == "bulk" and job.is_running for job in self.workers):
            self.say(self.context.labels("bulk.running"))
            return
        records = [self.queue.records[number] for number in self.queue.marked]
        worker(self, self._build_bulk(records, key), "form")

    @careful
    async def _build_bulk(self, records: list[Record], key: ActionKey) -> None:
        form = await self.context.forms.bulk(records, key)
        self.call_later(self._show_bulk, form, key.action, records)

    def _show_bulk(self, form: Form, action: str, records: list[Record]) -> None:
        if not self.is_current:
            return
        self.say("")

        def filled(body: Record | None) -> None:
            if body is not None:
                worker(self, self._carry_out(form.title, action, records, body), "bulk")

        self.app.push_screen(FormScreen(self.context, form, None), filled)

    @careful
    async def _carry_out(self, title: str, action: str, records: list[Record], body: Record) -> None:
        done: list[str] = []
        refused: dict[str, str] = {}
        for at, record in enumerate(records):
            number = record["number"]
            if at % PROGRESS_STEP == 0:
                self.post_message(Told(self.context.labels("bulk.progress", done=at, all=len(records)), good=True))
            own = dict(body)
            if own.get("department") == "":
                own["department"] = record["department_suggested"] or record["department"] or ""
            try:
                path = f"/api/v1/cases/{number}/actions/{action}"
                answer = await self.context.client.post(path, own, version=record["version"])
            except NodeAway:
                lost = self.context.labels("form.not_sent")
                refused |= {other["number"]: lost for other in records[at:]}
                self.app.post_message(NodeLost())
                break
            except Refused as error:
                if error.status == 401:
                    raise
                refused[number] = error.detail
            else:
                done.append(number)
                self.post_message(CaseSeen(answer))
        self.post_message(BulkDone(title, done, refused))

    @on(BulkDone)
    def _bulk_done(self, event: BulkDone) -> None:
        labels = self.context.labels
        for number in event.done:
            self.queue.mark(number, False)
        self._marks_changed()
        text = labels("bulk.done", action=event.title, done=len(event.done), refused=len(event.refused))
        self.say(text, good=not event.refused)
        if event.refused and self.is_current:
            lines = [f"{short_number(number)}  {sentence}" for number, sentence in event.refused.items()]
            self.app.push_screen(ToldScreen(labels, text, lines))
