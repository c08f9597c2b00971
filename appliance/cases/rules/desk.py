"""The desk: accepting, merging, correcting, calling back, closing, reopening."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from appliance.cases import columns
from appliance.cases.report import check_lengths, check_part, place_of
from appliance.cases.rules.base import Offer, Rule, set_limit
from appliance.cases.step import Step
from appliance.errors import FieldError, Invalid, NotAllowed

if TYPE_CHECKING:
    from appliance.cases.actions import ActionBody
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

_MERGED = text("SELECT id FROM cases WHERE merged_into = :number ORDER BY id")
POSITION = ("lon", "lat")
TEXTS = ("description", "address")
ANSWERS = ("satisfied", "dissatisfied", "unreachable")


class Accept(Rule):
    """Accepting a public case without verification needs a reason and stands in a ledger."""

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        if step.case["channel"] == "public" and not body.reason:
            raise Invalid(
                "公众来源的案件未经核实就受理,必须写明理由。",
                "Accepting a public case without verification needs a reason.",
                fields=(FieldError("reason", "必填", "required"),),
            )

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        if step.case["channel"] == "public":
            step.flag("unverified")


class Merge(Rule):
    """Merge into another open case."""

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        other = columns.load(step.unit.connection, body.into or "")
        if other is None or not other["is_open"] or other["number"] == step.case["number"]:
            raise Invalid(
                f"不能并入 {body.into}:须是另一个未结的案件。",
                f"Cannot merge into {body.into}: it must be another open case.",
                fields=(FieldError("into", "须是未结案件", "must be an open case"),),
            )

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        step.set(merged_into=body.into, before_merge=step.before)
        step.detail["into"] = body.into


class Unmerge(Rule):
    """Back to reported."""

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        step.detail["merged_into"] = step.case["merged_into"]
        step.set(merged_into=None, before_merge=None)


class Callback(Rule):
    """What the reporter said; reporters of cases merged into this one are called back with it."""

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        if body.answer not in ANSWERS:
            raise Invalid(
                f"回访结果须为: {'、'.join(ANSWERS)}。",
                f"The answer must be one of {', '.join(ANSWERS)}.",
                fields=(FieldError("answer", "未知结果", "unknown answer", ANSWERS),),
            )

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        step.set(satisfaction=body.answer)
        step.detail["answer"] = body.answer
        merged = step.unit.connection.execute(_MERGED, {"number": step.case["number"]}).scalars().all()
        for case_id in merged:  # their reporters are called back with this case
            other = Step(
                step.unit, step.office, step.actor, columns.load_by_id(step.unit.connection, case_id), role=step.role
            )
            other.set(satisfaction=body.answer)
            other.detail |= {"answer": body.answer, "with": step.case["number"]}
            other.commit("callback")


class Close(Rule):
    """Where the setting says so, a public case closes only after its call-back."""

    def offered(self, offer: Offer) -> bool:
        return not _waits_for_callback(offer.office, offer.case)

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        if _waits_for_callback(step.office, step.case):
            raise NotAllowed(
                "公众案件须先回访才能结案。", "A public case closes only after the call-back.", allowed=["callback"]
            )


def _waits_for_callback(office: Office, case: Mapping[str, Any]) -> bool:
    first = office.settings.desk.callback_before_close and case["channel"] == "public"
    return bool(first and case["satisfaction"] is None)


class ForceClose(Rule):
    """Closed by a leader, in a ledger of its own."""

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        step.flag("forced")


class Reopen(Rule):
    """Handled once more by the same department."""

    def offered(self, offer: Offer) -> bool:
        return _was_dispatched(offer.case)

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        if not _was_dispatched(step.case):
            raise NotAllowed(
                "这个案件没有派遣过部门,不能重新处置;请重新上报。",
                "This case was never dispatched, so it cannot be reopened; report it anew.",
                allowed=[],
            )

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        step.set(rework=step.case["rework"] + 1, closed_at=None, satisfaction=None)
        step.start_handling()
        step.detail["department"] = step.case["department"]


def _was_dispatched(case: Mapping[str, Any]) -> bool:
    return case["department"] is not None and case["limit_value"] is not None


class Amend(Rule):
    """Correct class, place or text; old and new values stand in the row, the due time is computed anew."""

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        case, new = step.case, _amended(step, body)
        moved = any(name in new and case[name] != new[name] for name in POSITION)
        new = {name: value for name, value in new.items() if case[name] != value or (moved and name in POSITION)}
        if not new:
            raise Invalid("没有要更正的内容。", "Nothing to correct was given.")
        # free text may name people, so it stands in the note, which can be blanked
        step.detail["changed"] = {name: [case[name], value] for name, value in new.items() if name not in TEXTS}
        texts = [f"{name}: {case[name]} → {new[name]}" for name in TEXTS if name in new]
        step.note = "\n".join([*([step.note] if step.note else []), *texts]) or None
        limit = (case["limit_value"], case["limit_unit"])
        step.set(**new)
        if ("code" in new or "condition" in new) and limit[0] is not None:
            set_limit(step, body.condition)
            _grant_anew(step, *limit)


def _grant_anew(step: Step, value: float, unit: str) -> None:
    """The limit changed: what was granted changes with it, and the running due time."""
    case = step.case
    if case["granted"] is None:
        return
    times = 1 + case["extensions"]
    same = unit == case["limit_unit"]
    granted = case["granted"] + (case["limit_value"] - value) * times if same else case["limit_value"] * times
    step.set(granted=granted)
    if case["clock"] == "handle":
        step.set_due(step.due_anew())


def _amended(step: Step, body: ActionBody) -> dict[str, Any]:
    case, office = step.case, step.office
    new: dict[str, Any] = {}
    if body.code is not None or body.kind is not None:
        found = office.code_class(body.kind or case["kind"], body.code or case["code"])
        new |= {"kind": found.kind, "code": found.code, "class_code": found.class_code, "name": found.name}
        new |= {"edition": found.edition, "condition": None}
    if body.condition is not None:
        kind, code = new.get("kind", case["kind"]), new.get("code", case["code"])
        limit = office.book.choose_limit(office.limits(office.settings.edition, kind, code), body.condition)
        new["condition"] = limit.condition_to_open if limit else None
    if (body.lon is None) != (body.lat is None):
        raise Invalid(
            "更正位置须同时给出 lon 和 lat。",
            "To correct the position give both lon and lat.",
            fields=(FieldError("lon", "缺一", "one is missing"),),
        )
    if body.lon is not None and body.lat is not None:
        hit = place_of(step.unit, body.lon, body.lat)
        new |= {"lon": body.lon, "lat": body.lat}
        new |= {name: getattr(hit, name) if hit else None for name in ("grid", "street", "community", "duty_grid")}
    if body.part is not None:
        check_part(step.unit.connection, body.part)
        new["part"] = body.part
    check_lengths(body.description or "", body.address or "")
    new |= {name: getattr(body, name) for name in ("description", "address") if getattr(body, name) is not None}
    return new
