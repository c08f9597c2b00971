"""What the intake does beside registering: template keys, merging, verifying, filing, answering, earlier cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.i18n.phrases import phrases_for
from tui.fields import Choice
from tui.intake.draft import Facts
from tui.intake.follow import VERIFY, Follow, answered, file_at_once, may_all, merge_into
from tui.map.picker import PickPlaceScreen
from tui.show import short_number, state_text

if TYPE_CHECKING:
    from tui.context import Context
    from tui.screens.base import SeatScreen
    from tui.widgets.field_row import FieldRow

    Base = SeatScreen
else:
    Base = object

Record = dict[str, Any]
DIGITS = "1234567890"
COORDINATES = "坐标"
"""The type of a place that is a bare position."""


class IntakeSteps(Base):
    """The steps of one key each."""

    context: Context
    facts: Facts
    earlier: list[Record]
    templates: list[Record]

    if TYPE_CHECKING:

        def row(self, name: str) -> FieldRow: ...
        def take_class(self, kind: str, code: str) -> None: ...
        def take_place(self, place: Record) -> None: ...
        def send(self, follow: Follow) -> None: ...
        def keep_draft(self) -> None: ...

    def keys_now(self) -> list[tuple[str, str]]:
        """The keys that do something for this account and this draft."""
        labels, roles = self.context.labels, self.context.roles
        keys = [("^S", labels("key.register"))] if may_all(roles, "report") else []
        if self.facts.duplicates and may_all(roles, "merge"):
            keys.append(("F5", labels("key.register_merge")))
        if may_all(roles, "ask_verify"):
            keys.append(("F6", labels("key.register_verify")))
        if may_all(roles, "accept", "file"):
            keys.append(("F8", labels("key.register_file")))
        if self.facts.nearest_part is not None:
            keys.append(("F7", labels("key.take_part")))
        if self.templates:
            keys.append(("^T", labels("key.template")))
        if self.earlier or self.facts.duplicates:
            keys.append(("^O", labels("key.open_earlier")))
        return [*keys, ("F4", labels("key.pick_place")), ("Esc", labels("key.leave_draft"))]

    def _refused(self, *actions: str) -> bool:
        """Whether this account may not take the steps; says so."""
        if may_all(self.context.roles, *actions):
            return False
        self.say(self.context.labels("intake.not_yours"))
        return True

    def action_template(self) -> None:
        labels = self.context.labels
        if not self.templates:
            self.say(labels("intake.no_templates"))
            return
        choices = [
            Choice(f"{item['kind']}:{item['code']}", labels.pick(item["name"], item["english"]), digit)
            for digit, item in zip(DIGITS, self.templates, strict=False)
        ]
        self.console.hold_keys(1)
        self.pick("key.template", choices, self._take_template)

    def _take_template(self, value: str) -> None:
        kind, _, code = value.partition(":")
        self.take_class(kind, code)
        self.keep_draft()
        self.row("place").focus_line()

    def action_merge(self) -> None:
        if self._refused("merge"):
            return
        found = self.facts.duplicates
        if not found:
            self.say(self.context.labels("intake.no_duplicate"))
        elif len(found) == 1:
            self.send(merge_into(found[0]["number"]))
        else:
            self.pick("key.register_merge", self._listed(found), lambda number: self.send(merge_into(number)))

    def action_verify(self) -> None:
        if not self._refused("ask_verify"):
            self.send(VERIFY)

    def action_file(self) -> None:
        if self._refused("accept", "file"):
            return
        source = self.context.reference.book.sources.get(self.row("source").value)
        if source is not None and source.channel_kind != "public":
            self.send(file_at_once(""))
        else:
            self._ask_phrase("key.register_file", "reason", "accept", lambda reason: self.send(file_at_once(reason)))

    def action_answer(self) -> None:
        """A question that is answered at once; what was said stands in the description where it is typed."""
        if self._refused("answer"):
            return
        typed = self.row("description").value
        if typed:
            self.send(answered(typed))
        else:
            self._ask_phrase("key.register_answer", "note", "answer", lambda note: self.send(answered(note)))

    def _ask_phrase(self, title: str, field: str, action: str, then: Any) -> None:
        phrases = phrases_for(field, action, self.context.labels.language)
        choices = [Choice(text, text, digit) for digit, (_, text) in zip(DIGITS, phrases, strict=False)]
        self.pick(title, choices, then)

    def action_open_earlier(self) -> None:
        found = [*self.earlier, *self.facts.duplicates]
        unique = list({item["number"]: item for item in found}.values())[: len(DIGITS)]
        if unique:
            self.pick("key.open_earlier", self._listed(unique), self.console.open_number)

    def _listed(self, records: list[Record]) -> list[Choice]:
        labels = self.context.labels
        return [
            Choice(item["number"], f"{short_number(item['number'])} {item['name']} {state_text(item['state'], labels)}",
                   digit)
            for digit, item in zip(DIGITS, records, strict=False)
        ]  # fmt: skip

    def action_pick_place(self) -> None:
        """Pick the place on the map."""
        self.app.push_screen(PickPlaceScreen(self.context), self._picked)

    def _picked(self, found: tuple[float, float] | None) -> None:
        if found is not None:
            self.put_place(*found)

    def put_place(self, lon: float, lat: float) -> None:
        """A position that was found on the map."""
        self.take_place({"lon": lon, "lat": lat, "name": f"{lon:.6f},{lat:.6f}", "type": COORDINATES})
        self.keep_draft()
        self.row("description").focus_line()
