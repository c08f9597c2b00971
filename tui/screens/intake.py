"""Intake 接警: a case registered while the caller talks, by ASCII keys alone.

Class by code, name or pinyin initials; place by address, pinyin, part code or coordinates. What the node will make of
it (grid, community, collector, department, limit, duplicates) stands below while it is typed. Escape leaves the draft.
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
from tui.intake_draft import Draft, Facts, facts_text
from tui.reference import condition_choices
from tui.screens.base import SeatScreen
from tui.screens.intake_calls import (
    ConditionsRead,
    EarlierRead,
    FactsRead,
    IntakeCalls,
    PlacesRead,
    Registered,
    SourcesRead,
)
from tui.show import short_number, state_text
from tui.widgets.bars import Banner, KeyLine, TitleLine
from tui.widgets.field_row import FieldRow

Record = dict[str, Any]
NAMES = ("phone", "class", "condition", "place", "description", "reporter", "source")
USUAL_SOURCE = "hotline_12319"


class IntakeScreen(IntakeCalls, SeatScreen):
    """One new case."""

    TITLE_KEY = "screen.intake"
    DEFAULT_CSS = """
    IntakeScreen #fields { height: auto; max-height: 60%; padding: 0 1; }
    IntakeScreen #system { height: 1fr; border-top: solid $surface; padding: 0 1; }
    """
    BINDINGS = [
        Binding("escape", "leave", "key.leave_draft", id="intake.leave"),
        Binding("ctrl+s,f6", "register", "key.register", id="intake.register"),
        Binding("f8", "clear", "key.clear", id="intake.clear"),
        Binding("f7", "take_part", "key.take_part", id="intake.part"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.draft = Draft(once=uuid4().hex)
        self.facts = Facts()
        self._earlier: list[Record] = []
        self._places: dict[str, Record] = {}

    def compose(self) -> ComposeResult:
        reference = self.context.reference
        fields = {
            "source": Field("source", PICK, True, default=USUAL_SOURCE),
            "phone": Field("phone", TEXT),
            "reporter": Field("reporter", TEXT),
            "class": Field("class", PICK, True, finder=reference.class_choices),
            "condition": Field("condition", PICK),
            "place": Field("place", PICK, True, finder=lambda typed: []),
            "description": Field("description", TEXT),
        }
        yield TitleLine()
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
        self.draw_keys(
            [("Enter", labels("key.next")), ("^S", labels("key.register")), ("F7", labels("key.take_part")),
             ("F8", labels("key.clear")), ("Esc", labels("key.leave_draft")), ("F9", labels("key.language"))]
        )  # fmt: skip
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

    @on(FieldRow.Done)
    def _done(self, event: FieldRow.Done) -> None:
        event.stop()
        name = event.row.field.name
        if name == "class":
            self._class_changed()
        if name == "place":
            self._place_changed()
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

    def _place_changed(self) -> None:
        self.find_facts(self.code_class, self.place)

    @property
    def code_class(self) -> CodeClass | None:
        """The class chosen, or the first that fits what is typed."""
        candidate = self.row("class").candidate
        if candidate is None:
            return None
        kind, _, code = candidate.value.partition(":")
        reference = self.context.reference
        return next(
            (reference.book.classes[key] for key in reference.book.classes
             if key == (reference.edition, kind, code)), None,
        )  # fmt: skip

    @property
    def place(self) -> Record | None:
        """The place chosen, or the first that fits what is typed."""
        candidate = self.row("place").candidate
        return self._places.get(candidate.value) if candidate else None

    # What the node told.

    @on(SourcesRead)
    def _sources_read(self, event: SourcesRead) -> None:
        labels = self.context.labels
        row = self.row("source")
        choices = tuple(Choice(item["code"], labels.pick(item["name"], item["english"])) for item in event.items)
        row.field = Field("source", PICK, True, choices, USUAL_SOURCE)
        row.set_value(row.value or USUAL_SOURCE)

    @on(ConditionsRead)
    def _conditions_read(self, event: ConditionsRead) -> None:
        self.facts.limits = event.limits
        choices = condition_choices(event.limits)
        row = self.row("condition")
        row.field = Field("condition", PICK, False, choices)
        row.set_value(choices[0].value if choices else "")
        self._draw_facts()

    @on(PlacesRead)
    def _places_read(self, event: PlacesRead) -> None:
        self._places = {f"{item['lon']},{item['lat']},{at}": item for at, item in enumerate(event.items)}
        row = self.row("place")
        row.offer([Choice(key, _place_text(item)) for key, item in self._places.items()])
        self._place_changed()

    @on(EarlierRead)
    def _earlier_read(self, event: EarlierRead) -> None:
        self._earlier = event.items
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
        self.say(labels("intake.registered", number=number, state=state), good=True)

    def _draw_facts(self) -> None:
        labels, reference = self.context.labels, self.context.reference
        width = max(self.app.size.width - 4, 40)
        limit = self._limit()
        rows = facts_text(self.facts, limit, labels, reference)
        if self._earlier:
            listed = "  ".join(
                f"{short_number(item['number'])} {reference.class_text(item, labels)} "
                f"{state_text(item['state'], labels)}"
                for item in self._earlier[:4]
            )
            rows.insert(0, f"{labels('intake.earlier', count=len(self._earlier))} {listed}")
        lines = [Text(line, no_wrap=True) for row in rows for line in wrap(row, width)]
        self.query_one("#facts", Static).update(Text("\n").join(lines))

    def _limit(self) -> Record | None:
        limits, value = self.facts.limits, self.row("condition").value
        if not limits:
            return None
        return limits[int(value) - 1 if value.isdigit() and 0 < int(value) <= len(limits) else 0]

    # What the operator does.

    def action_register(self) -> None:
        labels = self.context.labels
        found, place = self.code_class, self.place
        for name, missing in (("class", found is None), ("place", place is None)):
            if missing:
                self.say(labels("form.required", field=labels(f"field.{name}")))
                self.row(name).focus_line()
                return
        assert found is not None
        assert place is not None
        self.draft.fill({name: self.row(name).value for name in NAMES}, found, place, self._limit(), self.facts.located)
        self.register(self.draft)

    def action_take_part(self) -> None:
        nearest = self.facts.nearest_part
        if nearest is not None:
            self.draft.part = nearest["code"]
            self.say(self.context.labels("intake.part_taken", part=nearest["code"]), good=True)

    def action_clear(self) -> None:
        self.say("")
        self.clear()

    async def action_leave(self) -> None:
        await self.console.action_go("desk")

    def clear(self) -> None:
        """An empty form for the next caller; the source stays."""
        self.draft = Draft(once=uuid4().hex)
        self.facts, self._earlier, self._places = Facts(), [], {}
        for name in NAMES:
            if name != "source":
                self.row(name).set_value("")
        self.row("phone").focus_line()
        self._draw_facts()

    def put_place(self, lon: float, lat: float) -> None:
        """A position that was found on the map."""
        self.row("place").set_value("")
        self.row("place").line.value = f"{lon:.6f},{lat:.6f}"

    def ring(self, number: str) -> None:
        """A caller's number from the telephone system."""
        self.row("phone").set_value(number)
        if self.context.sees_phones:
            self.find_earlier(number)


def _place_text(item: Record) -> str:
    parts = (item.get("name"), item.get("address"), item.get("type"), item.get("code"))
    return "  ".join(dict.fromkeys(str(part) for part in parts if part))
