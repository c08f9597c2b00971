"""Campaigns on the oversight screen: making one, giving it targets, ending it."""

from __future__ import annotations

from typing import Any

from tui.fields import Choice
from tui.oversight.calls import OversightCalls
from tui.oversight.campaign_forms import ROOT, making_form, targets_form

Record = dict[str, Any]
PAGE = "campaigns"
MAKERS = frozenset(("assessor", "shift_leader", "leader", "admin"))


class Campaigns(OversightCalls):
    """Keys of the campaigns' page."""

    @property
    def running(self) -> Record | None:
        """The campaign under the cursor, if it was not ended."""
        item = self.selected
        return item if self.page == PAGE and item is not None and item["ended_at"] is None else None

    def campaign_keys(self) -> list[tuple[str, str]]:
        """What the key line says of them."""
        labels = self.context.labels
        if self.page != PAGE or self.context.roles.isdisjoint(MAKERS):
            return []
        keys = [("m", labels("key.make_campaign"))]
        if self.running is not None:
            keys += [("t", labels("key.give_targets")), ("X", labels("key.end_campaign"))]
        return keys

    def campaigns_there(self) -> list[Record]:
        """The campaigns that the page shows."""
        raise TypeError("the screen knows its campaigns")

    def action_make_campaign(self) -> None:
        if self.may_here(PAGE, MAKERS):
            self.ask(making_form(self.context.labels, self.campaigns_there()), "campaign.made")

    def action_targets(self) -> None:
        if not self.may_here(PAGE, MAKERS):
            return
        campaign = self.running
        if campaign is None:
            self.say(self.context.labels("campaign.choose"))
        else:
            self.ask(targets_form(self.context.labels, campaign, self._part_classes), "campaign.has_targets")

    def action_end_campaign(self) -> None:
        if not self.may_here(PAGE, MAKERS):
            return
        labels, campaign = self.context.labels, self.running
        if campaign is None:
            self.say(labels("campaign.choose"))
            return
        path, name = f"{ROOT}/{campaign['code']}/end", campaign["name"]
        self.sure(
            "key.end_campaign", labels("campaign.keep"), labels("campaign.end_it", name=name),
            lambda: self.post(path, {}, labels("campaign.ended_now", name=name)),
        )  # fmt: skip

    def _part_classes(self, typed: str) -> list[Choice]:
        found = self.context.reference.class_choices(typed) if typed.strip() else []
        return [choice for choice in found if choice.value.startswith("part:")]
