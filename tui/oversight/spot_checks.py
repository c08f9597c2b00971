"""Spot checks on the oversight screen: drawing anew, entering what was found, the settlement as a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from tui.fields import Choice, Field, Form
from tui.messages import Told
from tui.oversight import spot_text
from tui.oversight.calls import FORM_SECONDS, FormReady, OversightCalls
from tui.papers.saving import paper_file, whole_file
from tui.screens.form import FormScreen
from tui.work import careful, worker

Record = dict[str, Any]
PAGE = "spot_checks"
ASSESSORS = frozenset(("assessor", "leader", "admin"))
READERS = ASSESSORS | {"shift_leader"}


class SpotChecks(OversightCalls):
    """Keys of the page of spot checks."""

    def spot_keys(self) -> list[tuple[str, str]]:
        """What the key line says of them."""
        labels = self.context.labels
        if self.page != PAGE or self.context.roles.isdisjoint(ASSESSORS):
            return []
        if self.inside is None:
            return [("d", labels("key.draw")), ("s", labels("key.settlement"))]
        check = self.selected_inside
        return [("r", labels("key.finding"))] if check is not None and check["good"] is None else []

    def action_draw(self) -> None:
        if self.may_here(PAGE, ASSESSORS):
            self.ask(spot_text.draw_form(self.context.labels, self.period), "spot.drawn")

    def action_finding(self) -> None:
        if not self.may_here(PAGE, ASSESSORS):
            return
        check = self.selected_inside
        if check is None or check["good"] is not None:
            self.say(self.context.labels("spot.choose"))
            return
        self.console.hold_keys(FORM_SECONDS)
        worker(self, partial(self._build_finding, check), "form")

    @careful
    async def _build_finding(self, check: Record) -> None:
        reference = self.context.reference
        staff = await reference.staff("collector")
        people = tuple(Choice(person["account"], f"{person['name']} {person['account']}") for person in staff)
        chargeable = (*reference.department_choices(), *people)
        form = spot_text.finding_form(self.context.labels, check, chargeable, reference.class_choices)
        self.post_message(FormReady(form, "spot.entered"))

    def action_settlement(self) -> None:
        if not self.may_here(PAGE, ASSESSORS):
            return
        labels, period = self.context.labels, self.period or spot_text.this_month()
        file = paper_file(f"settlement-{period}.csv")
        fields = (Field("period", required=True, default=period), Field("file", required=True, default=str(file)))
        form = Form(labels("key.settlement"), labels("settlement.about"), "", fields)

        def filled(values: Record | None) -> None:
            if values is not None:
                target = Path(values["file"]).expanduser()
                worker(self, partial(self._save_settlement, values["period"].strip(), target), "save")

        self.app.push_screen(FormScreen(self.context, form, None), filled)

    @careful
    async def _save_settlement(self, period: str, target: Path) -> None:
        labels = self.context.labels
        sheet = await self.context.client.get("/api/v1/assessment/settlement", period=period)
        if not sheet["items"]:
            self.post_message(Told(labels("settlement.none")))
            return
        try:
            with whole_file(target) as file:
                file.write(spot_text.settlement_csv(sheet, labels))
        except OSError as error:
            self.post_message(Told(labels("evidence.not_saved", why=f"{error.strerror} {error.filename or ''}")))
        else:
            self.post_message(Told(labels("evidence.saved", path=target), good=True))
