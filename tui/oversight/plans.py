"""Plans for weather and emergencies on the oversight screen: which run, starting one, ending one."""

from __future__ import annotations

from typing import Any

from textual.message import Message

from tui.fields import Choice, Field, Form
from tui.oversight.calls import FORM_SECONDS, OversightCalls
from tui.work import careful, worker

Record = dict[str, Any]
ROOT = "/api/v1/plans"
STARTERS = frozenset(("shift_leader", "leader", "admin"))
DIGITS = "123456789"
RUNS = {True: "plan.runs", False: "plan.rests"}


class PlansRead(Message):
    """Every plan, and whether it runs."""

    def __init__(self, plans: list[Record]) -> None:
        super().__init__()
        self.plans = plans


class Plans(OversightCalls):
    """One key that is the same on every page."""

    def plan_keys(self) -> list[tuple[str, str]]:
        """What the key line says of it: on the campaigns' page, where there is room."""
        if self.page != "campaigns" or self.context.roles.isdisjoint(STARTERS):
            return []
        return [("p", self.context.labels("key.plans"))]

    def action_plans(self) -> None:
        if self.context.roles.isdisjoint(STARTERS):
            self.say(self.context.labels("oversight.not_yours"))
            return
        self.console.hold_keys(FORM_SECONDS)
        worker(self, self._read_plans, "form")

    @careful
    async def _read_plans(self) -> None:
        self.post_message(PlansRead((await self.context.client.get(ROOT))["plans"]))

    def offer_plans(self, plans: list[Record]) -> None:
        """Which plan: one that rests is started with a reason, one that runs is ended after a second look."""
        labels, known = self.context.labels, {plan["plan"]: plan for plan in plans}
        choices = [
            Choice(plan["plan"], f"{self._plan_name(plan)}  {labels(RUNS[plan['runs']])}", digit)
            for plan, digit in zip(plans, DIGITS, strict=False)
        ]

        def chosen(plan: str) -> None:
            (self._end_plan if known[plan]["runs"] else self._start_plan)(known[plan])

        self.pick("key.plans", choices, chosen)

    def _start_plan(self, plan: Record) -> None:
        labels = self.context.labels
        classes = "、".join(dict.fromkeys(each["name"] for each in plan["classes"]))
        about = f"{plan['advice']}\n{labels('plan.first', classes=classes)}".strip()
        path = f"{ROOT}/{plan['plan']}/start"
        self.ask(Form(self._plan_name(plan), about, path, (Field("reason", required=True),)), "plan.started")

    def _end_plan(self, plan: Record) -> None:
        labels, name = self.context.labels, self._plan_name(plan)
        self.sure(
            "key.plans", labels("plan.keep"), labels("plan.end_it", name=name),
            lambda: self.post(f"{ROOT}/{plan['plan']}/end", {}, labels("plan.ended", name=name)),
        )  # fmt: skip

    def _plan_name(self, plan: Record) -> str:
        return self.context.labels.pick(plan["name"], plan["english"])
