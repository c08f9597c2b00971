"""The key bar for one case: what an account may do with it now, without keys that would only be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.cases import columns
from appliance.cases.actions import allowed_actions, role_for
from appliance.cases.rules.base import Offer, Rule
from appliance.cases.rules.table import RULES
from appliance.cases.sight import require_sight
from appliance.errors import Forbidden, NotFound

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

_RUNNING = text("SELECT count(*) FROM supervision WHERE case_id = :case_id AND cleared_at IS NULL")
_DEFAULT = Rule()


def offered_actions(connection: Connection, office: Office, actor: Actor, number: str) -> list[dict[str, Any]]:
    """The actions of the case's state that this account has a role for on this case and that its facts allow.

    Raises:
        NotFound, Forbidden: no such case, or not for this account.
    """
    case = columns.load(connection, number)
    if case is None:
        raise NotFound(f"没有案件 {number}。", f"There is no case {number}.")
    require_sight(actor, case)
    running = int(connection.execute(_RUNNING, {"case_id": case["id"]}).scalar_one())
    found = []
    for item in allowed_actions(office, actor, case["state"]):
        action = office.workflow.actions[item["action"]]
        try:
            role = role_for(actor, action, case)
        except Forbidden:
            continue
        offer = Offer(office, actor, role, case, running)
        if RULES.get(action.name, _DEFAULT).offered(offer):
            found.append(item)
    return found
