"""Actions on a case: the checks every action shares, in this order, then the action's own rule.

Unknown action, role, sight, version, state, fields; then `rules.RULES[action]`; then clocks, history, record, feed.
All of it in one unit of work: a refusal leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.cases import columns, evidence
from appliance.cases.rules.table import RULES
from appliance.cases.sight import require_sight
from appliance.cases.step import Step
from appliance.cases.workflow import Action
from appliance.errors import FieldError, Forbidden, Invalid, NotAllowed, NotFound, StaleVersion, VersionRequired
from appliance.people.accounts import actor_of
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

ON_BEHALF = frozenset(("acceptor", "dispatcher", "shift_leader"))
TELEPHONED = frozenset(("collector", "department"))
FIELD_ANSWERS = frozenset(("verify_true", "verify_false", "check_pass", "check_fail"))
HANDLING_ENDS = frozenset(("finish", "return", "dispute", "check_fail", "reopen", "dispatch"))
"""After these a waiting request for more time or for a return asks for nothing any more."""

TEXT_AT_MOST = 4000


class ActionBody(msgspec.Struct, kw_only=True):
    """What comes with an action; which fields are needed stands in actions.csv. Times in microseconds."""

    department: str | None = None
    condition: str | int | None = None
    collector: str | None = None
    result: str | None = None
    until: int | None = None
    reason: str | None = None
    into: str | None = None
    method: str | None = None
    answer: str | None = None
    lon: float | None = None
    lat: float | None = None
    at: int | None = None
    evidence: list[dict[str, str]] = []
    note: str | None = None
    basis: str | None = None
    supervision: int | None = None
    instruction: int | None = None
    on_behalf_of: str | None = None
    kind: str | None = None
    code: str | None = None
    part: str | None = None
    address: str | None = None
    description: str | None = None


def act(
    unit: Unit, office: Office, actor: Actor, number: str, action_name: str, body: ActionBody, version: int | None
) -> dict[str, Any]:
    """Take an action on a case and return the case's row.

    Raises:
        NotFound, Forbidden, VersionRequired, StaleVersion, NotAllowed, Invalid, UnknownCode, UnknownPlace.
    """
    office.refresh(unit.connection)
    case = load_case(unit, number)
    require_sight(actor, case)
    action = find_action(office, actor, case, action_name)
    doer = _doer(unit, actor, body)
    require_sight(doer, case)
    role = role_for(doer, action, case, on_behalf=doer is not actor)
    check_version(case, version)
    check_state(office, actor, case, action)
    _check_fields(action, body)
    behalf = doer.account if doer is not actor else None
    step = Step(unit, office, actor, case, role=role, on_behalf_of=behalf, note=_note(body))
    if body.reason and step.note != body.reason:
        step.detail["reason_length"] = len(body.reason)
    return execute(step, action, body, doer)


def execute(step: Step, action: Action, body: ActionBody, doer: Actor) -> dict[str, Any]:
    """Carry out a checked action: attach evidence, stop and start clocks, move, apply its rule, write."""
    if body.evidence:
        files = evidence.attach(step.unit, step.case["id"], body.evidence, doer)
        step.detail["evidence"] = [file["sha256"] for file in files]
    rule = RULES.get(action.name)
    if rule is not None:
        rule.check(step, body, doer)
    step.clocks_of(action)
    if action.target is not None:
        step.move(action.target)
    if action.name in HANDLING_ENDS:
        step.lapse_requests()
    if rule is not None:
        rule.apply(step, body, doer)
    return step.commit(action.name)


def allowed_actions(office: Office, actor: Actor, state: str) -> list[dict[str, Any]]:
    """The key bar: what this account may do from a state, requests included."""
    if state not in office.workflow.states:
        raise Invalid(
            f"没有状态 {state};可用: {'、'.join(office.workflow.states)}。",
            f"No state {state}; known: {', '.join(office.workflow.states)}.",
            fields=(FieldError("state", "未知状态", "unknown state", tuple(office.workflow.states)),),
        )
    return [
        {
            "action": action.name, "chinese": action.chinese, "english": action.english, "key": action.key,
            "needs": list(action.needs), "may": list(action.may), "target": action.target,
        }
        for action in office.workflow.allowed(state, actor.roles)
        if action.called_by == "act"
    ]  # fmt: skip


def load_case(unit: Unit, number: str) -> dict[str, Any]:
    """The row of a case.

    Raises:
        NotFound.
    """
    case = columns.load(unit.connection, number)
    if case is None:
        raise NotFound(f"没有案件 {number}。", f"There is no case {number}.")
    return case


def find_action(office: Office, actor: Actor, case: dict[str, Any], name: str) -> Action:
    """The row of an action that may be called by itself.

    Raises:
        NotAllowed: unknown, or only by an approved request; the allowed ones are named.
    """
    action = office.workflow.actions.get(name)
    allowed = [item["action"] for item in allowed_actions(office, actor, case["state"])]
    if action is None or action.called_by == "create":
        raise NotAllowed(
            f"没有动作 {name};现在可以: {'、'.join(allowed) or '无'}。",
            f"There is no action {name}; possible now: {', '.join(allowed) or 'none'}.",
            allowed=allowed,
        )
    if action.called_by == "request":
        raise NotAllowed(
            f"{action.chinese} 只能通过申请并批准执行;请先提交申请。",
            f"{action.name} happens only by an approved request; ask for it first.",
            allowed=allowed,
        )
    return action


def role_for(actor: Actor, action: Action, case: dict[str, Any], *, on_behalf: bool = False) -> str:
    """The role in which somebody takes an action: the first in the workflow's order that the person has on this case.

    A department acts on its own cases only, a collector answers only the task that was given to this collector. On
    behalf of somebody only what a collector or a department does can be entered.

    Raises:
        Forbidden: none of the person's roles may.
    """
    for role in action.role_order:
        if role in actor.roles and _has_to_do_with(actor, role, action, case) and (not on_behalf or role in TELEPHONED):
            return role
    raise Forbidden(
        f"{actor.name} 的角色不能{action.chinese};需要: {'、'.join(sorted(action.roles))}。",
        f"{actor.name} has no role that may {action.name}; needed: {', '.join(sorted(action.roles))}.",
        needed=sorted(action.roles),
    )


def _has_to_do_with(actor: Actor, role: str, action: Action, case: dict[str, Any]) -> bool:
    if role == "department":
        return case["department"] in actor.subtree or case["sub_unit"] in actor.subtree
    if role == "collector" and action.name in FIELD_ANSWERS:
        return bool(case["collector"] == actor.account)
    return True


def check_state(office: Office, actor: Actor, case: dict[str, Any], action: Action) -> None:
    """Refuse an action that is not possible from this state.

    Raises:
        NotAllowed: the allowed ones are named.
    """
    if action.possible_from(case["state"]):
        return
    allowed = [item["action"] for item in allowed_actions(office, actor, case["state"])]
    state = office.workflow.states[case["state"]]
    raise NotAllowed(
        f"案件 {case['number']} 处于“{state.chinese}”,不能{action.chinese};现在可以: {'、'.join(allowed) or '无'}。",
        f"Case {case['number']} is {state.key}; {action.name} is not possible. Possible now: "
        f"{', '.join(allowed) or 'none'}.",
        allowed=allowed,
        state=state.key,
    )


def _doer(unit: Unit, actor: Actor, body: ActionBody) -> Actor:
    if not body.on_behalf_of or body.on_behalf_of == actor.account:
        return actor
    if ON_BEHALF.isdisjoint(actor.roles):
        raise Forbidden("只有坐席可以代录。", "Only a seat may enter something on behalf of somebody else.")
    if not body.note:
        raise _missing(("note",), "代录必须写明说明", "an entry on behalf of somebody needs a note")
    return actor_of(unit.connection, body.on_behalf_of)


def check_version(case: dict[str, Any], version: int | None) -> None:
    """Refuse who did not see the case as it is.

    Raises:
        VersionRequired, StaleVersion.
    """
    if version is None:
        raise VersionRequired(
            "请在 If-Match 中给出您看到的案件版本。", "Say in If-Match which version of the case you saw."
        )
    if version != case["version"]:
        raise StaleVersion(
            f"案件 {case['number']} 已被他人更新到版本 {case['version']},您看到的是 {version};请刷新后再试。",
            f"Case {case['number']} is at version {case['version']}, you saw {version}; look again and repeat.",
            version=case["version"],
        )


def _check_fields(action: Action, body: ActionBody) -> None:
    missing = tuple(name for name in action.needs if getattr(body, name) in (None, ""))
    if missing:
        raise _missing(missing, f"{action.chinese}缺少", f"{action.name} needs")
    for name in ("note", "reason", "result"):
        if len(getattr(body, name) or "") > TEXT_AT_MOST:
            raise _missing((name,), f"最多 {TEXT_AT_MOST} 字", f"at most {TEXT_AT_MOST} characters fit into")


def _missing(names: Iterable[str], zh: str, en: str) -> Invalid:
    listed = list(names)
    return Invalid(
        f"{zh}: {'、'.join(listed)}。",
        f"{en}: {', '.join(listed)}.",
        fields=tuple(FieldError(name, zh, en) for name in listed),
    )


def _note(body: ActionBody) -> str | None:
    parts = [text for text in (body.reason, body.result, body.note) if text]
    return "\n".join(dict.fromkeys(parts)) or None
