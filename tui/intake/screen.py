"""Intake 接警: a case registered while the caller talks, by ASCII keys alone.

Class by code, name or pinyin initials, or by a template key; place by address, pinyin, part code, coordinates or on the
map. What the node will make of it (grid, community, collector, department, limit, duplicates) stands below while it is
typed. A draft is kept on this seat from the first key, so neither a crash nor a dropped line loses what a caller said.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from appliance.codes.values import CodeClass
from tui.cells import wrap
from tui.fields import PICK, TEXT, Choice, Field
from tui.intake.calls import (
    ConditionsRead,
    EarlierRead,
    FactsRead,
    IntakeCalls,
    NotRegistered,
    PlacesRead,
    Registered,
    SourcesRead,
    TemplatesRead,
)
from tui.intake.draft import Draft, Facts, facts_text
from tui.intake.follow import REGISTER, Follow
from tui.intake.keeping import DraftKeeping
from tui.intake.steps import IntakeSteps
from tui.intake.template_line import TemplateLine
from tui.reference import condition_choices
from tui.screens.base import SeatScreen
from tui.show import short_number, state_text
from tui.widgets.bars import Banner, KeyLine, TitleLine
from tui.widgets.field_row import FieldRow

Record = dict[str, Any]
NAMES = ("phone", "class", "condition", "place", "description", "reporter", "source")
USUAL_SOURCE = "hotline_12319"
SENDING_SECONDS = 5.0
"""What is typed while the node registers waits for the next form."""


class IntakeScreen(IntakeSteps, DraftKeeping, IntakeCalls, SeatScreen):
    """One new case."""

    TITLE_KEY = "screen.intake"
    DEFAULT_CSS = """
    IntakeScreen #fields { height: auto; max-height: 60%; padding: 0 1; }
    IntakeScreen #system { height: 1fr; border-top: solid $surface; padding: 0 1; }
    """
    BINDINGS = [
        Binding("ctrl+s", "register", "key.register", id="intake.register"),
        Binding("f5", "merge", "key.register_merge", id="intake.merge"),
        Binding("f6", "verify", "key.register_verify", id="intake.verify"),
        Binding("f7", "take_part", "key.take_part", id="intake.part"),
        Binding("f8", "file", "key.register_file", id="intake.file"),
        Binding("ctrl+y", "answer", "key.register_answer", id="intake.answer"),
        Binding("ctrl+t", "template", "key.template", id="intake.template"),
        Binding("ctrl+o", "open_earlier", "key.open_earlier", id="intake.earlier"),
        Binding("f4", "pick_place", "key.pick_place", id="intake.place"),
        Binding("ctrl+n", "clear", "key.clear", id="intake.clear"),
        Binding("escape", "leave", "key.leave_draft", id="intake.leave"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.draft = Draft(once=uuid4().hex)
        self.facts = Facts()
        self.earlier: list[Record] = []
        self.templates: list[Record] = []
        self.kept: dict[str, str] = {}
        self.places: dict[str, Record] = {}

    def compose(self) -> ComposeResult:
        reference = self.context.reference
        fields = {
            "source": Field("source", PICK, True, default=USUAL_SOURCE),
            "phone": Field("phone", TEXT),
            "reporter": Field("reporter", TEXT),
            "class": Field("class", PICK, True, finder=reference.class_choices),
            "condition": Field("condition", PICK),
            "place": Field("place", PICK, True, finder=lambda typed: []),
            "description": Field("description", TEXT, choices=reference.phrase_choices(self.context.labels)),
        }
        yield TitleLine()
        yield TemplateLine(self.context)
        with VerticalScroll(id="fields", can_focus=False):
            for name in NAMES:
                yield FieldRow(fields[name], self.context.labels(f"field.{name}"))
        with VerticalScroll(id="system", can_focus=False):
            yield Static("", id="facts", markup=False)
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        self.relabel()
        self.load_sources()
        self.load_templates()
        self.restore_draft()
        self.call_after_refresh(self.row("phone").focus_line)

    def on_screen_resume(self) -> None:
        self.console.let_keys_go()

    def row(self, name: str) -> FieldRow:
        """A field of the form."""
        return self.query_one(f"#field-{name}", FieldRow)

    def relabel(self) -> None:
        super().relabel()
        labels = self.context.labels
        for name in NAMES:
            self.row(name).relabel(labels(f"field.{name}"))
        self.query_one(TemplateLine).show(self.templates)
        self._draw_facts()

    # What is typed.

    @on(FieldRow.Edited)
    def _edited(self, event: FieldRow.Edited) -> None:
        event.stop()
        name = event.row.field.name
        if name == "place":
            self.find_places(event.typed)
        elif name == "class":
            self._class_changed()
        elif name == "phone" and event.typed.isdigit() and len(event.typed) >= 7 and self.context.sees_phones:
            self.find_earlier(event.typed)
        self.keep_draft()

    @on(FieldRow.Done)
    def _done(self, event: FieldRow.Done) -> None:
        event.stop()
        name = event.row.field.name
        if name == "class":
            self._class_changed()
        if name == "place":
            self.place_changed()
        self.keep_draft()
        if name == "description":
            self.action_register()
            return
        self.row(NAMES[(NAMES.index(name) + 1) % len(NAMES)]).focus_line()

    def _class_changed(self) -> None:
        found = self.code_class
        self.facts.limits = []
        if found is None:
            self._draw_facts()
            return
        self.find_conditions(found.kind, found.code)
        self.find_facts(self.code_class, self.place)

    def place_changed(self) -> None:
        """Ask anew what the node makes of the place."""
        self.find_facts(self.code_class, self.place)

    @property
    def code_class(self) -> CodeClass | None:
        """The class chosen, or the first that fits what is typed."""
        candidate = self.row("class").candidate
        if candidate is None:
            return None
        kind, _, code = candidate.value.partition(":")
        return self.context.reference.code_class(kind, code)

    @property
    def place(self) -> Record | None:
        """The place chosen, or the first that fits what is typed."""
        candidate = self.row("place").candidate
        return self.places.get(candidate.value) if candidate else None

    def take_class(self, kind: str, code: str) -> None:
        """Choose a class, as a template or a kept draft does."""
        found = self.context.reference.code_class(kind, code)
        if found is not None:
            self.row("class").take(Choice(f"{kind}:{code}", f"{found.name} {found.code} {found.class_name}"))
            self._class_changed()

    def take_place(self, place: Record) -> None:
        """Choose a place that was looked up, picked or kept."""
        key = f"{place['lon']},{place['lat']}"
        self.places = {key: place}
        self.row("place").take(Choice(key, place_text(place)))
        self.place_changed()

    # What the node told.

    @on(SourcesRead)
    def _sources_read(self, event: SourcesRead) -> None:
        labels = self.context.labels
        row = self.row("source")
        choices = tuple(Choice(item["code"], labels.pick(item["name"], item["english"])) for item in event.items)
        row.field = Field("source", PICK, True, choices, USUAL_SOURCE)
        row.set_value(self.kept.pop("source", "") or row.value or USUAL_SOURCE)

    @on(TemplatesRead)
    def _templates_read(self, event: TemplatesRead) -> None:
        self.templates = event.items
        self.query_one(TemplateLine).show(self.templates)

    @on(ConditionsRead)
    def _conditions_read(self, event: ConditionsRead) -> None:
        self.facts.limits = event.limits
        choices = condition_choices(event.limits)
        row = self.row("condition")
        kept = self.kept.pop("condition", "") or row.value
        row.field = Field("condition", PICK, False, choices)
        known = any(choice.value == kept for choice in choices)
        row.set_value(kept if known else choices[0].value if choices else "")
        self._draw_facts()

    @on(PlacesRead)
    def _places_read(self, event: PlacesRead) -> None:
        self.places = {f"{item['lon']},{item['lat']},{at}": item for at, item in enumerate(event.items)}
        self.row("place").offer([Choice(key, place_text(item)) for key, item in self.places.items()])
        self.place_changed()

    @on(EarlierRead)
    def _earlier_read(self, event: EarlierRead) -> None:
        self.earlier = event.items
        self._draw_facts()

    @on(FactsRead)
    def _facts_read(self, event: FactsRead) -> None:
        event.facts.limits = self.facts.limits
        self.facts = event.facts
        self._draw_facts()

    @on(Registered)
    def _registered(self, event: Registered) -> None:
        labels, record = self.context.labels, event.record
        self.clear()
        number, state = short_number(record["number"]), state_text(record["state"], labels)
        said = labels("intake.registered", number=number, state=state)
        if event.problem:
            said = labels("intake.registered_but", registered=said, problem=event.problem)
        self.say(said, good=not event.problem)

    def _draw_facts(self) -> None:
        labels, reference = self.context.labels, self.context.reference
        width = max(self.app.size.width - 4, 40)
        rows = facts_text(self.facts, self.limit(), labels, reference)
        if self.earlier:
            listed = "  ".join(
                f"{short_number(item['number'])} {reference.class_text(item, labels)} "
                f"{state_text(item['state'], labels)}"
                for item in self.earlier[:4]
            )
            rows.insert(0, f"{labels('intake.earlier', count=len(self.earlier))} {listed}")
        lines = [Text(line, no_wrap=True) for row in rows for line in wrap(row, width)]
        self.query_one("#facts", Static).update(Text("\n").join(lines))
        self.draw_keys(self.keys_now())

    def limit(self) -> Record | None:
        """The limit of the chosen condition, the first where none is chosen."""
        limits, value = self.facts.limits, self.row("condition").value
        if not limits:
            return None
        return limits[int(value) - 1 if value.isdigit() and 0 < int(value) <= len(limits) else 0]

    # What the operator does.

    def action_register(self) -> None:
        self.send(REGISTER)

    def send(self, follow: Follow) -> None:
        """Register what stands in the form, and take the steps that follow.

        What was sent once without an answer is sent again as it was: the node may have it already.
        """
        labels = self.context.labels
        found, place = self.code_class, self.place
        for name, missing in (("class", found is None), ("place", place is None)):
            if missing:
                self.say(labels("form.required", field=labels(f"field.{name}")))
                self.row(name).focus_line()
                return
        assert found is not None
        assert place is not None
        if not self.draft.sent:
            self.draft.phrase = self.row("description").chosen is not None
            values = {name: self.row(name).value for name in NAMES}
            self.draft.fill(values, found, place, self.limit(), self.facts.located)
            self.draft.sent = True
        self.keep_draft()
        self.console.hold_keys(SENDING_SECONDS)
        self.register(self.draft, follow)

    @on(NotRegistered)
    def _not_registered(self, event: NotRegistered) -> None:
        """The node refused, so it has nothing of it: what is changed now counts."""
        self.draft.sent = False
        self.keep_draft()
        self.say(event.text)

    def action_take_part(self) -> None:
        nearest = self.facts.nearest_part
        if nearest is not None:
            self.draft.part = nearest["code"]
            self.keep_draft()
            self.say(self.context.labels("intake.part_taken", part=nearest["code"]), good=True)

    def action_clear(self) -> None:
        self.say("")
        self.clear()

    async def action_leave(self) -> None:
        await self.console.action_go("desk")

    def clear(self) -> None:
        """An empty form for the next caller; the source stays. A caller that rang meanwhile comes in."""
        self.draft = Draft(once=uuid4().hex)
        self.facts, self.earlier, self.places, self.kept = Facts(), [], {}, {}
        for name in NAMES:
            if name != "source":
                self.row(name).set_value("")
        self.row("phone").focus_line()
        self.forget_draft()
        self._draw_facts()
        if self.console.waiting_call:
            number, self.console.waiting_call = self.console.waiting_call, ""
            self.ring(number)

    def ring(self, number: str) -> None:
        """A caller's number from the telephone system; what stands in the form of another caller stays there."""
        typed = [self.row(name).line.value.strip() for name in ("phone", "class", "place", "description", "reporter")]
        if any(typed) and typed[0] != number:
            self.console.waiting_call = number
            self.app.bell()
            self.say(self.context.labels("intake.ringing", number=number))
            return
        self.row("phone").set_value(number)
        self.row("class").focus_line()
        self.keep_draft()
        if self.context.sees_phones:
            self.find_earlier(number)


def place_text(item: Record) -> str:
    """A looked-up place on one line: name, address, type, code."""
    parts = (item.get("name"), item.get("address"), item.get("type"), item.get("code"))
    return "  ".join(dict.fromkeys(str(part) for part in parts if part))
