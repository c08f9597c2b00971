"""The default rule of an action, and what several rules share: departments, limits, proof of place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from appliance.cases.step import Step
from appliance.errors import FieldError, UnknownCode
from appliance.nearest import nearest
from appliance.places.plane import Plane

if TYPE_CHECKING:
    from appliance.cases.actions import ActionBody
    from appliance.cases.office import Office
    from appliance.people.actor import Actor


@dataclass(frozen=True, slots=True)
class Offer:
    """Whom an action is offered to, and on which case: `role` is the one it would be taken in.

    `supervisions` counts those of the case that still run.
    """

    office: Office
    actor: Actor
    role: str
    case: Mapping[str, Any]
    supervisions: int


class Rule:
    """The default rule: nothing beyond the workflow's row."""

    def offered(self, offer: Offer) -> bool:
        """Whether the facts of the case leave a way for it; what only the answer shows is refused in `check`."""
        return True

    def check(self, step: Step, body: ActionBody, doer: Actor) -> None:
        """Refuse what the row alone does not see."""

    def apply(self, step: Step, body: ActionBody, doer: Actor) -> None:
        """Effects beyond state and clocks."""


def add_proof(step: Step, body: ActionBody) -> None:
    """Note where and when an answer was given, and how far that is from the case."""
    if body.lon is not None and body.lat is not None:
        metres = Plane.at(step.case["lon"], step.case["lat"]).metres(body.lon, body.lat)
        step.detail |= {"lon": body.lon, "lat": body.lat, "metres": round(metres, 1)}
    if body.at is not None:
        step.detail["proof_at"] = body.at


def require_department(step: Step, code: str | None) -> None:
    """Make sure that a department is on record.

    Raises:
        UnknownCode: with the nearest codes and names.
    """
    known = step.office.departments
    if code in known:
        return
    near = nearest(code or "", [f"{key} {name}" for key, name in known.items()])
    raise UnknownCode(
        f"没有部门 {code}。" + (f"最接近的: {'、'.join(near)}。" if near else "请先导入部门。"),
        f"There is no department {code}." + (f" Nearest: {', '.join(near)}." if near else " Import departments first."),
        fields=(FieldError("department", f"没有部门 {code}", f"no department {code}", tuple(near)),),
    )


def is_below(step: Step, code: str, above: str) -> bool:
    """Whether a department lies below another in the tree."""
    parents = step.office.department_parents
    seen: set[str] = set()
    current = parents.get(code)
    while current is not None and current not in seen:
        if current == above:
            return True
        seen.add(current)
        current = parents.get(current)
    return False


def set_limit(step: Step, condition: str | int | None) -> None:
    """Choose the handling limit of a case from its class and condition; the county's default where none is known.

    Raises:
        Invalid: the class has several conditions and none was chosen; they are named.
    """
    case, office = step.case, step.office
    limits = office.limits(case["edition"], case["kind"], case["code"])
    limit = office.book.choose_limit(limits, condition if condition is not None else case["condition"])
    if limit is not None and limit.value is not None:
        step.set(condition=limit.condition_to_open, limit_value=limit.value, limit_unit=limit.unit)
        step.unflag("default_limit")
        return
    default = office.book.default_limit
    step.set(limit_value=default.value, limit_unit=default.unit)
    step.flag("default_limit")
