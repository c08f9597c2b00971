"""Registers on the oversight screen: entering a record by the register's form, closing an entry."""

from __future__ import annotations

from functools import partial
from typing import Any

from tui.fields import MOMENT, PICK, TEXT, Field, Form
from tui.oversight.calls import FORM_SECONDS, FormReady, OversightCalls
from tui.work import careful, worker

Record = dict[str, Any]
REGISTER = "register"
WRITERS = frozenset(("acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin"))
ENTRY, CLOSE = "entry", "close"
OWN = "own_"
"""Before the names of a register's own fields, so that none is taken for the number or the note of the entry."""


class Registers(OversightCalls):
    """Keys of the ledgers' page that write."""

    @property
    def register(self) -> str:
        """The register under the cursor or open, empty where it is a ledger that fills itself."""
        if self.inside is not None:
            kind, key = self.inside.kind, self.inside.key
            return key if kind == "ledger" and self.ledger_kind(key) == REGISTER else ""
        item = self.selected
        return item["ledger"] if self.page == "ledgers" and item is not None and item["kind"] == REGISTER else ""

    def ledger_kind(self, ledger: str) -> str:
        """The kind of a ledger of the page."""
        raise TypeError("the screen knows its ledgers")

    def register_keys(self) -> list[tuple[str, str]]:
        """What the key line says of them."""
        labels = self.context.labels
        if not self.register or self.context.roles.isdisjoint(WRITERS):
            return []
        keys = [("e", labels("key.enter_record"))]
        return [*keys, ("c", labels("key.close_entry"))] if _is_open(self.selected_inside) else keys

    def action_enter(self) -> None:
        if not self.may_here("ledgers", WRITERS):
            return
        if not self.register:
            self.say(self.context.labels("ledger.fills_itself"))
            return
        self.console.hold_keys(FORM_SECONDS)
        worker(self, partial(self._build, self.register, None), "form")

    def action_close_entry(self) -> None:
        if not self.may_here("ledgers", WRITERS):
            return
        entry = self.selected_inside
        if not self.register or not _is_open(entry):
            self.say(self.context.labels("ledger.no_open_entry"))
            return
        self.console.hold_keys(FORM_SECONDS)
        worker(self, partial(self._build, self.register, entry), "form")

    @careful
    async def _build(self, register: str, entry: Record | None) -> None:
        forms = await self.context.client.items("/api/v1/ledgers/forms")
        form = next(form for form in forms if form["ledger"] == register)
        made = self._entry_form(form) if entry is None else self._closing_form(form, entry)
        self.post_message(FormReady(made, "ledger.entered" if entry is None else "ledger.closed"))

    def _entry_form(self, form: Record) -> Form:
        labels = self.context.labels
        fields = (Field("number", label=labels("column.number")), *self._fields(form, ENTRY), Field("note"))
        title = f"{labels('key.enter_record')} {labels.pick(form['name'], form['english'])}"
        return Form(title, labels("ledger.number_hint"), f"/api/v1/ledgers/{form['ledger']}", fields, shape=_nested)

    def _closing_form(self, form: Record, entry: Record) -> Form:
        labels = self.context.labels
        told = " ".join(str(value) for value in entry["fields"].values())
        about = f"{entry['number'] or ''} {told}\n{labels('ledger.for_good')}".strip()
        title = f"{labels('key.close_entry')} {labels.pick(form['name'], form['english'])}"
        path = f"/api/v1/ledgers/{form['ledger']}/{entry['id']}/close"
        return Form(title, about, path, self._fields(form, CLOSE), shape=_nested)

    def _fields(self, form: Record, at: str) -> tuple[Field, ...]:
        """The register's own fields of the entry or of the closing."""
        labels, departments = self.context.labels, self.context.reference.department_choices()
        kinds = {"moment": MOMENT, "department": PICK}
        return tuple(
            Field(
                f"{OWN}{each['field']}", kinds.get(each["type"], TEXT), each["needed"],
                departments if each["type"] == "department" else (), label=labels.pick(each["name"], each["english"]),
            )
            for each in form["fields"] if each["at"] == at
        )  # fmt: skip


def _is_open(entry: Record | None) -> bool:
    return entry is not None and entry.get("fields") is not None and entry["closed_at"] is None


def _nested(body: Record) -> Record:
    """The body as the node wants it: the register's own fields in a member of their own."""
    own = {name.removeprefix(OWN): value for name, value in body.items() if name.startswith(OWN)}
    return {name: value for name, value in body.items() if not name.startswith(OWN)} | {"fields": own}
