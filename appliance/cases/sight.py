"""Who sees which case: a department its own subtree, a collector own tasks and duty grids, the others all.

The reporter's name and phone, and search by phone, are for acceptor, shift leader and dispatcher.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from appliance.errors import Forbidden

if TYPE_CHECKING:
    from appliance.people.actor import Actor

SEES_ALL = frozenset(
    ("acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin", "technician", "clock", "prefecture")
)
SEES_REPORTER = frozenset(("acceptor", "shift_leader", "dispatcher"))


def sees_all(actor: Actor) -> bool:
    """Whether no case is hidden from this person."""
    return not SEES_ALL.isdisjoint(actor.roles)


def sees_reporter(actor: Actor) -> bool:
    """Whether this person may read a reporter's name and phone."""
    return not SEES_REPORTER.isdisjoint(actor.roles)


def sees_case(actor: Actor, case: Mapping[str, Any]) -> bool:
    """Whether this person may see this case."""
    if sees_all(actor):
        return True
    if "department" in actor.roles and (case["department"] in actor.subtree or case["sub_unit"] in actor.subtree):
        return True
    return "collector" in actor.roles and (
        case["collector"] == actor.account
        or case["registered_by"] == actor.account
        or (case["duty_grid"] is not None and case["duty_grid"] in actor.duty_grids)
    )


def require_sight(actor: Actor, case: Mapping[str, Any]) -> None:
    """Refuse a case that this person may not see.

    Raises:
        Forbidden.
    """
    if not sees_case(actor, case):
        raise Forbidden(
            f"案件 {case['number']} 不在 {actor.name} 的权限范围内。",
            f"Case {case['number']} is outside what {actor.name} may see.",
        )
