"""Who sees which targets of a campaign: the office all, a department those of its subtree, a collector the own ones.

A target's answer may hold what a shopkeeper told, so it is not for everybody.
"""

from __future__ import annotations

from typing import Any

from appliance.people.actor import Actor

OFFICE = ("acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin", "technician")
"""Who sees every target and takes the results out."""
SEEN = "(:sees_all OR {0}department IN :units OR {0}collector = :sees)"
"""SQL for the targets that somebody sees, with the values of `values_of`; `units` is an expanding parameter."""


def values_of(actor: Actor) -> dict[str, Any]:
    """The values of `SEEN`."""
    units = sorted(actor.subtree) if "department" in actor.roles else []
    sees = actor.account if "collector" in actor.roles else None
    return {"sees_all": not actor.roles.isdisjoint(OFFICE), "units": units, "sees": sees}
