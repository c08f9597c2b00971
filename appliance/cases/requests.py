"""Requests of a department and their decisions: extension, suspension, return, void, appeal.

Asked by the case's department (void also by acceptor or dispatcher), decided by the role in the workflow, never by
the asker. Approval carries out the action in the same unit of work, with the approver as actor. Asked in time counts,
decided late or not. An appeal takes two decisions, dispatcher and then acceptor; it never changes a fact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import text

from appliance.cases.actions import ActionBody, execute, load_case
from appliance.cases.sight import require_sight
from appliance.cases.step import Step
from appliance.clock import DAY, rfc3339
from appliance.errors import Conflict, FieldError, Forbidden, Invalid, NotAllowed, NotFound
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: the action an approval carries out (None for an appeal), who may ask, who decides in turn."""

    name: str
    action: str | None
    askers: frozenset[str]
    deciders: tuple[frozenset[str], ...]
    chinese: str


DEPARTMENT = frozenset(("department",))
KINDS = {
    kind.name: kind
    for kind in (
        Kind("extension", "extend", DEPARTMENT, (frozenset(("dispatcher", "shift_leader")),), "延期"),
        Kind("suspension", "suspend", DEPARTMENT, (frozenset(("dispatcher",)),), "挂账"),
        Kind("return", "return", DEPARTMENT, (frozenset(("dispatcher",)),), "回退"),
        Kind("void", "void", DEPARTMENT | {"acceptor", "dispatcher"}, (frozenset(("shift_leader",)),), "作废"),
        Kind("appeal", None, DEPARTMENT, (frozenset(("dispatcher",)), frozenset(("acceptor",))), "申诉"),
    )
}

ABOVE = frozenset(("prefecture",))
"""Who decides on a case from above that asks for the reply (`upper.reply_required`): the platform that sent it."""

_INSERT = text(
    "INSERT INTO request (case_id, number, kind, reason, until, asked_by, asked_at, in_time, waiting_for, decisions) "
    "VALUES (:case_id, :number, :kind, :reason, :until, :asked_by, :asked_at, :in_time, :waiting_for, '[]') "
    "RETURNING id"
)
_OF_CASE = text("SELECT * FROM request WHERE case_id = :case_id ORDER BY id")
_DECIDE = text(
    "UPDATE request SET waiting_for = :waiting_for, approved = :approved, decided_at = :decided_at, "
    "decisions = :decisions WHERE id = :id"
)


def ask(
    unit: Unit, office: Office, actor: Actor, number: str, kind_name: str, reason: str, until: int | None = None
) -> dict[str, Any]:
    """Ask for something on a case; returns the case's row.

    Raises:
        NotFound, Forbidden, Invalid, NotAllowed (not from this state), Conflict (one like it waits already).
    """
    office.refresh(unit.connection)
    case = load_case(unit, number)
    kind = _kind(kind_name)
    role = _asker(actor, case, kind)
    require_sight(actor, case)
    if not reason or not reason.strip():
        raise Invalid(
            "申请必须写明理由。",
            "A request needs a reason.",
            fields=(FieldError("reason", "必填", "required"),),
        )
    earlier = [dict(row._mapping) for row in unit.connection.execute(_OF_CASE, {"case_id": case["id"]})]
    _check_possible(office, unit, case, kind, until, earlier)
    in_time = case["due_at"] is None or unit.now <= case["due_at"]
    key = unit.connection.execute(
        _INSERT,
        {
            "case_id": case["id"], "number": number, "kind": kind.name, "reason": reason, "until": until,
            "asked_by": actor.account, "asked_at": unit.now, "in_time": in_time,
            "waiting_for": "|".join(sorted(deciders_of(kind, case)[0])),
        },
    ).scalar_one()  # fmt: skip
    unit.changed("request", str(key))
    step = Step(unit, office, actor, case, role=role, note=reason)
    step.detail |= {"request": key, "kind": kind.name, "until": until, "in_time": in_time}
    return step.commit("request")


def decide(
    unit: Unit, office: Office, actor: Actor, number: str, request_id: int, approve: bool, note: str | None = None
) -> dict[str, Any]:
    """Approve or refuse a waiting request; returns the case's row.

    Raises:
        NotFound, Forbidden (wrong role, or one's own request), Conflict (decided already), NotAllowed.
    """
    office.refresh(unit.connection)
    case = load_case(unit, number)
    rows = unit.connection.execute(_OF_CASE, {"case_id": case["id"]}).all()
    request = next((dict(row._mapping) for row in rows if row.id == request_id), None)
    if request is None:
        raise NotFound(f"案件 {number} 没有申请 {request_id}。", f"Case {number} has no request {request_id}.")
    kind = KINDS[request["kind"]]
    deciders = deciders_of(kind, case)
    role = _decider(actor, case, request)
    decisions = msgspec.json.decode(request["decisions"])
    decisions.append({"by": actor.account, "role": role, "approve": approve, "at": rfc3339(unit.now)})
    final = not approve or len(decisions) == len(deciders)
    unit.connection.execute(
        _DECIDE,
        {
            "id": request_id, "decisions": msgspec.json.encode(decisions).decode(),
            "waiting_for": None if final else "|".join(sorted(deciders[len(decisions)])),
            "approved": approve if final else None, "decided_at": unit.now if final else None,
        },
    )  # fmt: skip
    unit.changed("request", str(request_id))
    return _carry_out(unit, office, actor, case, request, kind, role=role, approve=approve, final=final, note=note)


def deciders_of(kind: Kind, case: dict[str, Any]) -> tuple[frozenset[str], ...]:
    """Who decides on a request of a case, one after the other."""
    return (ABOVE,) if kind.action is not None and case["upper_reply_required"] else kind.deciders


def _carry_out(
    unit: Unit,
    office: Office,
    actor: Actor,
    case: dict[str, Any],
    request: dict[str, Any],
    kind: Kind,
    *,
    role: str,
    approve: bool,
    final: bool,
    note: str | None,
) -> dict[str, Any]:
    """One history row for the decision and, when it approves, one for the action."""
    step = Step(unit, office, actor, case, role=role, note=note)
    step.detail |= {"request": request["id"], "kind": kind.name, "approve": approve, "final": final}
    if kind.name == "appeal" and approve and final:
        step.flag("appeal_granted")
    case = step.commit("decide")
    if not (approve and final) or kind.action is None:
        return case
    action = office.workflow.actions[kind.action]
    if not action.possible_from(case["state"]):
        raise NotAllowed(
            f"案件已变为“{office.workflow.states[case['state']].chinese}”,不能再批准{kind.chinese};只能不同意。",
            f"The case is {case['state']} now; this {kind.name} can only be refused.",
            allowed=["refuse"],
        )
    carry = Step(unit, office, actor, case, role=role, note=request["reason"])
    carry.keep_request = request["id"]
    carry.detail["request"] = request["id"]
    return execute(carry, action, ActionBody(until=request["until"], at=request["asked_at"]), actor)


def _kind(name: str) -> Kind:
    kind = KINDS.get(name)
    if kind is None:
        raise Invalid(
            f"没有申请种类 {name};可用: {'、'.join(KINDS)}。",
            f"There is no request kind {name}; known: {', '.join(KINDS)}.",
            fields=(FieldError("kind", "未知种类", "unknown kind", tuple(KINDS)),),
        )
    return kind


def _asker(actor: Actor, case: dict[str, Any], kind: Kind) -> str:
    for role in sorted(kind.askers & actor.roles):
        if role != "department" or case["department"] in actor.subtree:
            return role
    raise Forbidden(
        f"{kind.chinese}只能由案件的承办部门申请。" if kind.name != "void" else "作废由承办部门、受理员或派遣员申请。",
        f"A {kind.name} is asked for by {', '.join(sorted(kind.askers))}; a department only for its own case.",
        needed=sorted(kind.askers),
    )


def _decider(actor: Actor, case: dict[str, Any], request: dict[str, Any]) -> str:
    if request["waiting_for"] is None:
        raise Conflict(f"申请 {request['id']} 已经处理过了。", f"Request {request['id']} was decided already.")
    roles = frozenset(request["waiting_for"].split("|"))
    if actor.account == request["asked_by"]:
        raise Forbidden("不能审批自己的申请。", "Nobody decides on an own request.")
    for role in sorted(roles & actor.roles):
        return str(role)
    raise Forbidden(
        f"这个申请等待 {'、'.join(sorted(roles))} 审批。",
        f"This request waits for {', '.join(sorted(roles))}.",
        needed=sorted(roles),
    )


def _check_possible(
    office: Office, unit: Unit, case: dict[str, Any], kind: Kind, until: int | None, earlier: list[dict[str, Any]]
) -> None:
    if any(row["kind"] == kind.name and row["waiting_for"] is not None for row in earlier):
        raise Conflict(
            f"案件 {case['number']} 已有一个{kind.chinese}申请在等待审批。",
            f"A {kind.name} request of case {case['number']} waits already.",
        )
    if kind.action is None:
        _check_appeal(case, kind, earlier)
        return
    action = office.workflow.actions[kind.action]
    if not action.possible_from(case["state"]):
        allowed = [
            other.name
            for other in KINDS.values()
            if other.action and office.workflow.actions[other.action].possible_from(case["state"])
        ]
        raise NotAllowed(
            f"案件处于“{office.workflow.states[case['state']].chinese}”,不能申请{kind.chinese}。",
            f"The case is {case['state']}; a {kind.name} cannot be asked for.",
            allowed=allowed,
        )
    if kind.name == "extension":
        _check_extension(office, unit, case)
    if kind.name == "suspension":
        _check_suspension(office, unit, until, earlier)


def _check_extension(office: Office, unit: Unit, case: dict[str, Any]) -> None:
    most = office.settings.desk.extensions_at_most
    if case["due_at"] is not None and unit.now > case["due_at"]:
        raise NotAllowed("已超期,不能再申请延期。", "It is overdue; no extension can be asked for.", allowed=[])
    if case["extensions"] >= most:
        raise NotAllowed(
            f"这次处置已延期 {most} 次,不能再延。", f"This handling was extended {most} times already.", allowed=[]
        )


def _check_suspension(office: Office, unit: Unit, until: int | None, earlier: list[dict[str, Any]]) -> None:
    most = office.settings.desk.suspension_days_at_most
    if until is None or not unit.now < until <= unit.now + most * DAY:
        raise Invalid(
            f"挂账须有结束日期 until,在现在之后且不超过 {most} 天。",
            f"A suspension needs an end `until`, after now and within {most} days.",
            fields=(FieldError("until", "日期不对", "wrong date"),),
        )
    if any(row["kind"] == "suspension" and row["approved"] for row in earlier):
        raise NotAllowed("一个案件只能挂账一次。", "A case can be suspended only once.", allowed=[])


def _check_appeal(case: dict[str, Any], kind: Kind, earlier: list[dict[str, Any]]) -> None:
    if case["state"] != "closed":
        raise NotAllowed("结案后才能申诉。", "An appeal is possible only after closing.", allowed=[])
    if any(row["kind"] == kind.name for row in earlier):
        raise NotAllowed("一个案件只能申诉一次。", "A case can be appealed only once.", allowed=[])
