"""Going out and looking: verification before filing, check after handling, and who is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from appliance.cases.proof import lacks, odd_photos
from appliance.cases.rules.base import Offer, Rule, add_proof
from appliance.cases.step import Step
from appliance.errors import FieldError, Forbidden, Invalid, UnknownCode
from appliance.people.collectors import draw_collector, last_for, may

if TYPE_CHECKING:
    from appliance.cases.actions import ActionBody
    from appliance.people.actor import Actor

METHODS = ("site", "video", "photo", "phone")
BY_PICTURE = ("video", "photo")
REPEATS_NOTED = 5


class AskCollector(Rule):
    """Send a collector out: the one named, or one drawn from those who may."""

    def __init__(self, *, by_draw: bool) -> None:
        self._by_draw = by_draw

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        connection = step.unit.connection
        if body.collector is not None and not may(connection, body.collector, "collector"):
            raise UnknownCode(
                f"{body.collector} 不是在岗的信息采集员。",
                f"{body.collector} is not an active collector.",
                fields=(FieldError("collector", "不是采集员", "not a collector"),),
            )
        drawn = body.collector is None
        collector = body.collector or self._drawn(connection, step.case)
        if collector is None:
            raise Invalid(
                "没有在岗的信息采集员可派;请先录入采集员或指定一人。",
                "There is no active collector to send; add one or name one.",
                fields=(FieldError("collector", "没有可派的人", "nobody to send"),),
            )
        step.set(collector=collector)
        step.detail |= {"collector": collector, "drawn": drawn}

    def _drawn(self, connection: Connection, case: Mapping[str, Any]) -> str | None:
        """Not who registered the case; a check also not who looked at the department's last one."""
        exclude = [case["registered_by"]]
        if self._by_draw:
            exclude.append(last_for(connection, case["department"], case["id"]))
        return draw_collector(
            connection, duty_grid=case["duty_grid"], street=case["street"], any_of_street=self._by_draw,
            exclude=[account for account in exclude if account],
        )  # fmt: skip


class FieldAnswer(Rule):
    """A verification or check: who may answer, by which method, with which proof of place and time."""

    def offered(self, offer: Offer) -> bool:
        if offer.role != "acceptor":
            return True
        own = offer.case["registered_by"] == offer.actor.account
        return offer.office.settings.desk.acceptor_may_check_by_picture and not own

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        method = body.method or ("site" if step.role == "collector" else None)
        if method not in METHODS:
            raise Invalid(
                f"请说明核实/核查方式: {'、'.join(METHODS)}。",
                f"Say how it was verified or checked: {', '.join(METHODS)}.",
                fields=(FieldError("method", "未知方式", "unknown method", METHODS),),
            )
        if step.role == "acceptor":
            self._check_acceptor(step, method)
        else:
            self._note_proof(step, body)

    @staticmethod
    def _note_proof(step: Step, body: ActionBody) -> None:
        """Before the clock is stopped: proof must be of the time of this task."""
        missing, repeated = lacks(step, body)
        step.detail["proven"] = not missing
        if missing:
            step.detail["lacks"] = missing
        if repeated:
            step.detail["repeats"] = repeated[:REPEATS_NOTED]
        odd = odd_photos(step, body)
        if odd:
            step.detail["photo_odd"] = odd

    @staticmethod
    def _check_acceptor(step: Step, method: str) -> None:
        if method not in BY_PICTURE or not step.office.settings.desk.acceptor_may_check_by_picture:
            raise Forbidden(
                "受理员只能以视频或照片核实/核查,且须设置允许。",
                "An acceptor may verify or check only by video or photo, where the setting allows it.",
            )
        if step.case["registered_by"] == step.actor.account:
            raise Forbidden("登记人不能核实/核查自己登记的案件。", "Who registered a case may not verify or check it.")

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        step.detail["method"] = body.method or "site"
        add_proof(step, body)


class CheckFail(FieldAnswer):
    """Rework: the same department again, with a new handling task."""

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        super().apply(step, body, doer)
        step.set(rework=step.case["rework"] + 1)
        step.start_handling()
        step.detail["department"] = step.case["department"]
