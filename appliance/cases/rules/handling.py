"""Handling: dispatch, second-level dispatch, finishing, return, coordination, suspension, extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from appliance.cases import evidence
from appliance.cases.duties import remember
from appliance.cases.rules.base import Offer, Rule, add_proof, is_below, require_department, set_limit
from appliance.cases.step import Step
from appliance.clock import DAY, local
from appliance.errors import FieldError, Forbidden, Invalid
from appliance.records.acts import append_act

if TYPE_CHECKING:
    from appliance.cases.actions import ActionBody
    from appliance.people.actor import Actor

_NEW_DUTY = text(
    "INSERT INTO duty (class, area, department, basis, starts_on) VALUES (:code, :area, :department, :basis, :day)"
)


class Dispatch(Rule):
    """Send to a department; the handling limit comes from the condition chosen."""

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        require_department(step, body.department)

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        case = step.case
        set_limit(step, body.condition)
        step.set(department=body.department, sub_unit=None, sub_due_at=None)
        step.start_handling()
        step.detail |= {"department": body.department, "condition": case["condition"]}
        remember(step.unit.connection, code=case["code"], street=case["street"], department=str(body.department))


class Assign(Rule):
    """Second-level dispatch to a unit below, due not after the case itself."""

    def offered(self, offer: Offer) -> bool:
        return offer.case["department"] in offer.office.department_parents.values()

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        require_department(step, body.department)
        if step.case["department"] not in doer.subtree:
            raise Forbidden(
                "二级派遣由案件的承办部门进行。", "Second-level dispatch is for the department that has the case."
            )
        if not is_below(step, str(body.department), step.case["department"]):
            raise Invalid(
                f"{body.department} 不是 {step.case['department']} 的下级单位。",
                f"{body.department} is not a unit below {step.case['department']}.",
                fields=(FieldError("department", "不是下级单位", "not a unit below"),),
            )
        if body.until is not None and not step.now < body.until <= (step.case["due_at"] or body.until):
            raise Invalid(
                "下级期限必须在现在之后,且不晚于案件期限。",
                "The unit's due time must be after now and not after the case's.",
                fields=(FieldError("until", "晚于案件期限", "after the case's due time"),),
            )

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        until = body.until or step.case["due_at"]
        step.set(sub_unit=body.department, sub_due_at=until)
        step.detail |= {"sub_unit": body.department, "until": until}


class Finish(Rule):
    """Handling is done: with result, and with a photo where the code pack says so."""

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        if step.case["code"] in step.office.book.photo_required:
            since = step.case["handle_started_at"] or 0
            if "after" not in evidence.stages_of(step.unit.connection, step.case["id"], since):
                evidence.require_stages((), ("after",))

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        step.detail["department"] = step.case["department"]
        add_proof(step, body)


class Resume(Rule):
    """Go on with what was left of the limit."""

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        case = step.case
        due = step.office.deadlines.after(step.now, case["paused_remaining"], case["limit_unit"])
        step.start_clock("handle", due)
        step.set(granted=case["paused_remaining"], paused_remaining=None, paused_clock=None, resume_at=None)


class Return(Rule):
    """Not theirs: back to the dispatcher, without a department."""

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        step.detail["department"] = step.case["department"]
        step.set(department=None, sub_unit=None, sub_due_at=None, handle_due_at=None)


class Dispute(Return):
    """Coordination between units."""


class Settle(Rule):
    """The finding: the unit named and the basis; a named basis becomes a row of the responsibility table."""

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        if body.department is not None:
            require_department(step, body.department)

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        if body.department is None:
            return
        step.set(department_suggested=body.department)
        step.detail["department"] = body.department
        if body.basis:
            day = local(step.now, step.office.settings.zone).date().isoformat()
            area = step.case["community"] or step.case["street"] or "*"
            row = {"code": step.case["code"], "area": area, "department": body.department}
            step.unit.connection.execute(_NEW_DUTY, {**row, "basis": body.basis, "day": day})
            append_act(step.unit, step.actor.account, "duty.add", step.case["number"], row)


class Extend(Rule):
    """Add the original limit to the due time."""

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        case, started = step.case, step.case["handle_started_at"]
        step.set(clock="handle", clock_started_at=started, extensions=case["extensions"] + 1)
        step.set(granted=(case["granted"] or case["limit_value"]) + case["limit_value"])
        step.started = "handle"
        step.set_due(step.due_anew())


class Suspend(Rule):
    """Stop the handling clock until an end date; what was left when it was asked for is kept."""

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        most = step.office.settings.desk.suspension_days_at_most
        if body.until is None or not step.now < body.until <= step.now + most * DAY:
            raise Invalid(
                f"挂账须有结束日期,在现在之后且不超过 {most} 天。",
                f"A suspension needs an end after now and within {most} days.",
                fields=(FieldError("until", "日期不对", "wrong date"),),
            )
        asked = body.at or step.now
        remaining = step.office.deadlines.remaining(asked, step.case["due_at"], step.case["limit_unit"])
        step.set(paused_remaining=remaining, paused_clock="handle", resume_at=body.until)
        step.detail |= {"until": body.until, "due_at_then": step.case["due_at"]}
