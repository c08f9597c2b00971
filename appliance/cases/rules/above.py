"""From above: supervision, instructions, and cases that the prefecture sent down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from appliance.cases.instructions import INSTRUCTION
from appliance.cases.rules.base import Offer, Rule
from appliance.cases.step import Step
from appliance.errors import FieldError, Invalid, NotAllowed

if TYPE_CHECKING:
    from appliance.cases.actions import ActionBody
    from appliance.people.actor import Actor

_NEW_SUPERVISION = text(
    "INSERT INTO supervision (case_id, number, supervisor, role, note, at, due_at) "
    "VALUES (:case_id, :number, :supervisor, :role, :note, :at, :due_at) RETURNING id"
)
_OPEN_SUPERVISIONS = text("SELECT id FROM supervision WHERE case_id = :case_id AND cleared_at IS NULL ORDER BY id")
ANSWER_SUPERVISION = text("UPDATE supervision SET answered_at = :now WHERE id = :id")
CLEAR_SUPERVISION = text("UPDATE supervision SET cleared_at = :now WHERE id = :id")


class Supervise(Rule):
    """A supervision with its own id and due time."""

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        row = {
            "case_id": step.case["id"], "number": step.case["number"], "supervisor": step.actor.name, "role": step.role,
            "note": body.note or "", "at": step.now, "due_at": body.until,
        }  # fmt: skip
        key = step.unit.connection.execute(_NEW_SUPERVISION, row).scalar_one()
        step.unit.changed("supervision", str(key))
        step.detail |= {"supervision": key, "until": body.until}


class SupervisionStep(Rule):
    """Answer or strike off a supervision: the one named, else the oldest open one."""

    def __init__(self, statement: Any) -> None:
        self._statement = statement

    def offered(self, offer: Offer) -> bool:
        return offer.supervisions > 0

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        connection = step.unit.connection
        running = list(connection.execute(_OPEN_SUPERVISIONS, {"case_id": step.case["id"]}).scalars())
        if not running or (body.supervision is not None and body.supervision not in running):
            raise Invalid(
                "这个案件没有这样的在办督办。",
                "This case has no such running supervision.",
                fields=(FieldError("supervision", "没有", "none", tuple(str(key) for key in running)),),
            )
        key = body.supervision or running[0]
        connection.execute(self._statement, {"now": step.now, "id": key})
        step.unit.changed("supervision", str(key))
        step.detail["supervision"] = key


class Instruct(Rule):
    """A leader's instruction; the reply is due where it says so."""

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        step.flag("instructed")
        step.detail["until"] = body.until


class Note(Rule):
    """A note; one that names an instruction of this case by its number in the history is the reply to it."""

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        if body.instruction is None:
            return
        key = {"case_id": step.case["id"], "seq": body.instruction}
        if step.unit.connection.execute(INSTRUCTION, key).one_or_none() is None:
            raise Invalid(
                f"案件 {step.case['number']} 的第 {body.instruction} 条历史不是批示。",
                f"Row {body.instruction} in the history of case {step.case['number']} is no instruction.",
                fields=(FieldError("instruction", "不是批示", "not an instruction"),),
            )

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        if body.instruction is not None:
            step.detail["instruction"] = body.instruction


class FromAbove(Rule):
    """Only for cases sent down from above."""

    def offered(self, offer: Offer) -> bool:
        return offer.case["upper_number"] is not None

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        if step.case["upper_number"] is None:
            raise NotAllowed(
                "只有上级下发的案件才能退回或撤回。",
                "Only a case that was sent down from above can go back there.",
                allowed=[],
            )
