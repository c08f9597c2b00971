"""What an operator does with the case under the cursor: actions, requests, decisions, entries on behalf of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.fields import Choice, Field, Form
from tui.keys import ActionKey
from tui.messages import CaseSeen, Surroundings, Told
from tui.screens.form import FormScreen
from tui.show import short_number, state_text
from tui.work import worker

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tui.desk.queue import Queue
    from tui.screens.base import SeatScreen

    Base = SeatScreen
else:
    Base = object

Record = dict[str, Any]
FORM_SECONDS = 2.0
MARKERS = frozenset(("shift_leader", "leader"))
EMERGENCY = "emergency"


class DeskActing(Base):
    """Opens forms and posts them; the answer changes the row in place."""

    action_keys: tuple[ActionKey, ...]
    around: Surroundings | None

    if TYPE_CHECKING:

        @property
        def queue(self) -> Queue: ...
        def build_form(self, building: Awaitable[Form]) -> Awaitable[None]: ...
        def start_bulk(self, key: ActionKey) -> None: ...

    def start_action(self, key: ActionKey) -> None:
        """Open the form of an action for the selected case, or for all that are marked."""
        if self._is_read_only():
            return
        if self.queue.marked:
            self.start_bulk(key)
            return
        record = self.queue.selected
        if record is not None:
            fitting = self.around is not None and self.around.number == record["number"]
            duplicates = self.around.duplicates if self.around and fitting else []
            worker(self, self.build_form(self.context.forms.action(record, key, duplicates)), "form")

    def _is_read_only(self) -> bool:
        if self.console.away:
            self.say(self.context.labels("desk.read_only"))
        return self.console.away

    def show_form(self, form: Form) -> None:
        """Open a form; its answer changes the row in place. One that comes after the desk was left is not opened."""
        if not self.is_current:
            return
        record = self.queue.records.get(form.number or "")
        self.say("")

        def done(answer: Record | None) -> None:
            if answer is not None:
                self.post_message(CaseSeen(answer))
                text = self.context.labels(
                    "desk.done", action=form.title, number=short_number(answer["number"]),
                    state=state_text(answer["state"], self.context.labels),
                )  # fmt: skip
                self.post_message(Told(text, good=True))

        self.app.push_screen(FormScreen(self.context, form, record["version"] if record else None), done)

    def action_all_actions(self) -> None:
        if not self.action_keys:
            self.say(self.context.labels("desk.no_action"))
        else:
            choices = [Choice(key.action, self.context.labels.pick(key.chinese, key.english), key.key)
                       for key in self.action_keys]  # fmt: skip
            self.pick("key.all_actions", choices, self.start_named)

    def start_named(self, action: str) -> None:
        """Open the form of an action, if it is still on offer."""
        key = next((key for key in self.action_keys if key.action == action), None)
        if key is None:
            self.say(self.context.labels("desk.no_action"))
        else:
            self.start_action(key)

    def action_request(self) -> None:
        if self._is_read_only():
            return
        record = self.queue.selected
        if record is not None and self.context.forms.may_request(record):
            self.show_form(self.context.forms.request(record))
        elif record is not None:
            self.say(self.context.labels("desk.no_request"))

    def action_emergency(self) -> None:
        """Mark the case as an emergency, or take the mark back; both are told to the emergency centre at once."""
        labels, record = self.context.labels, self.queue.selected
        if record is None or self._is_read_only():
            return
        if self.context.roles.isdisjoint(MARKERS):
            self.say(labels("desk.no_emergency"))
            return
        marked = EMERGENCY in record["flags"]
        form = Form(
            labels("desk.emergency_over" if marked else "key.emergency"), f"{record['number']} {record['name']}",
            f"/api/v1/cases/{record['number']}/emergency", (Field("note", required=True),), record["number"],
            fixed=((EMERGENCY, not marked),),
        )  # fmt: skip
        self.show_form(form)

    def action_decide(self) -> None:
        if self._is_read_only():
            return
        record = self.queue.selected
        waiting = self.context.forms.waiting_for_me(record) if record else []
        if record is None or not waiting:
            self.say(self.context.labels("desk.nothing_waits"))
        elif len(waiting) == 1:
            self.show_form(self.context.forms.decision(record, waiting[0]))
        else:
            by_id = {str(request["id"]): request for request in waiting}
            labels = self.context.labels
            choices = [
                Choice(key, f"{labels('request.' + request['kind'])} {request['reason']}", str(at))
                for at, (key, request) in enumerate(by_id.items(), 1)
            ]
            self.pick(
                "key.decide", choices, lambda key: self.show_form(self.context.forms.decision(record, by_id[key]))
            )

    def action_on_behalf(self) -> None:
        if self._is_read_only():
            return
        record = self.queue.selected
        keys = self.context.forms.behalf_keys(record) if record else []
        if record is None or not keys:
            self.say(self.context.labels("desk.no_behalf"))
            return
        labels = self.context.labels
        by_action = {key.action: (key, role) for key, role in keys}
        choices = [Choice(key.action, labels.pick(key.chinese, key.english), key.key) for key, _ in keys]

        def start(action: str) -> None:
            self.console.hold_keys(FORM_SECONDS)
            worker(self, self.build_form(self.context.forms.on_behalf(record, *by_action[action])), "form")

        self.pick("key.on_behalf", choices, start)
