"""What the platform above sends down: cases, supervisions, a withdrawal, a decision. Each can be sent twice.

A case from above has the platform's own number; a second one with that number from the same link is the same case.
Only the link that sent a case may withdraw it or decide on its requests; every link may supervise.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import text

from appliance.cases import columns
from appliance.cases.actions import ActionBody, act, load_case
from appliance.cases.report import NewCase, report
from appliance.cases.requests import decide
from appliance.cases.step import supervision_view
from appliance.errors import FieldError, Forbidden, Invalid
from appliance.exchange.kinds.base import Sight
from appliance.records.answered import answered, remember
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

_SUPERVISION = text("SELECT * FROM supervision WHERE id = :id")
_NEWEST = text("SELECT max(id) FROM supervision WHERE case_id = :case_id")
_WITHDRAWN = text("SELECT actor FROM case_action WHERE case_id = :case_id AND action = 'withdraw'")
_DECIDED = text("SELECT decisions FROM request WHERE id = :id AND number = :number")


def link_of(account: str | None) -> str:
    """The link in a platform's account, `prefecture:<client>@<link>`."""
    return (account or "").partition("@")[2]


def digest_of(body: Any) -> str:
    """What tells two bodies apart."""
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()


def take_case(
    unit: Unit, office: Office, actor: Actor, new: NewCase, key: str | None, areas: tuple[str, ...] = ()
) -> tuple[dict[str, Any], bool]:
    """Take in a case from above; returns its row, and whether it was made now.

    Args:
        key: the Idempotency-Key, if there is one. areas: where this client may write; empty for the county.

    Raises:
        Invalid: no number of the platform's own. Conflict: the number or the key came with another case. Forbidden: it
        lies outside of the areas. And what `report` raises.
    """
    if not new.upper_number:
        raise Invalid(
            "下发的案件必须带上级编号 upper.number。",
            "A case from above needs its number there, upper.number.",
            fields=(FieldError("upper.number", "必填", "required"),),
        )
    digest, link = digest_of(new), f"prefecture@{link_of(actor.account)}"
    keys = [(link, f"case:{new.upper_number}")] + ([(actor.account, key)] if key else [])
    for account, each in keys:
        number = answered(unit.connection, account, each, digest)
        if number is not None:
            found = columns.load(unit.connection, number)
            assert found is not None
            return found, False
    case = report(unit, office, actor, new)
    _require_area(case, areas)
    for account, each in keys:
        remember(unit, account, each, digest, case["number"])
    return case, True


@dataclass(frozen=True, slots=True)
class NewSupervision:
    """A supervision from above: its note, when it is due (microseconds), and who supervises if not the platform."""

    note: str
    due_at: int | None = None
    by: str | None = None


def supervise(
    unit: Unit,
    office: Office,
    actor: Actor,
    number: str,
    new: NewSupervision,
    key: str | None,
    areas: tuple[str, ...] = (),
) -> tuple[dict[str, Any], bool]:
    """Supervise a case; returns the supervision, and whether it was made now.

    Raises:
        NotFound, NotAllowed: no such open case. Forbidden: it lies outside of the areas. Conflict: the key came with
        another supervision.
    """
    digest = digest_of((number, new.note, new.due_at, new.by))
    there = answered(unit.connection, actor.account, key, digest) if key else None
    if there is None:
        case = load_case(unit, number)
        _require_area(case, areas)
        doer = replace(actor, name=new.by) if new.by else actor
        body = ActionBody(note=new.note, until=new.due_at)
        act(unit, office, doer, number, "supervise", body, case["version"])
        made = str(unit.connection.execute(_NEWEST, {"case_id": case["id"]}).scalar_one())
        if key:
            remember(unit, actor.account, key, digest, made)
    row = unit.connection.execute(_SUPERVISION, {"id": int(there or made)}).one()
    return supervision_view(dict(row._mapping)), there is None


def clear_supervision(
    unit: Unit, office: Office, actor: Actor, number: str, supervision: int, areas: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Strike off a supervision; returns it. One that is struck off already is returned as it is.

    Raises:
        NotFound, Invalid: the case has no such supervision. Forbidden: it lies outside of the areas.
    """
    case = load_case(unit, number)
    _require_area(case, areas)
    there = unit.connection.execute(_SUPERVISION, {"id": supervision}).one_or_none()
    if there is None or there.case_id != case["id"] or there.cleared_at is None:
        act(unit, office, actor, number, "clear_supervision", ActionBody(supervision=supervision), case["version"])
    row = unit.connection.execute(_SUPERVISION, {"id": supervision}).one()
    return supervision_view(dict(row._mapping))


def withdraw(
    unit: Unit, office: Office, actor: Actor, number: str, reason: str, areas: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Take a case back that this platform sent; returns its row. A second time it is taken back already.

    Raises:
        Forbidden: another platform sent it, or it lies outside of the areas. NotAllowed: it was not sent from above, or
            is closed.
    """
    case = load_case(unit, number)
    _require_sender(case, actor)
    _require_area(case, areas)
    if case["state"] == "void" and unit.connection.execute(_WITHDRAWN, {"case_id": case["id"]}).first() is not None:
        return case
    return act(unit, office, actor, number, "withdraw", ActionBody(reason=reason), case["version"])


def decide_above(
    unit: Unit,
    office: Office,
    actor: Actor,
    number: str,
    request: int,
    *,
    approve: bool,
    note: str | None,
    areas: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Decide on a request that waits for the decision above; the same decision again changes nothing.

    Raises:
        Forbidden: another platform sent the case, it lies outside of the areas, or the request waits for nobody above.
    """
    case = load_case(unit, number)
    _require_sender(case, actor)
    _require_area(case, areas)
    stored = unit.connection.execute(_DECIDED, {"id": request, "number": number}).scalar_one_or_none()
    decisions = msgspec.json.decode(stored) if isinstance(stored, str) else stored or []
    if any(item["by"] == actor.account and item["approve"] == approve for item in decisions):
        return case
    return decide(unit, office, actor, number, request, approve, note)


def _require_area(case: dict[str, Any], areas: tuple[str, ...]) -> None:
    if not Sight(areas=areas).holds(case["grid"], case["community"], case["street"]):
        raise Forbidden(
            f"案件不在贵平台获准的区域 {'、'.join(areas)} 内。",
            f"The case lies outside of the areas granted, {', '.join(areas)}.",
        )


def _require_sender(case: dict[str, Any], actor: Actor) -> None:
    if case["upper_number"] is not None and link_of(case["registered_by"]) != link_of(actor.account):
        raise Forbidden(
            f"案件 {case['number']} 不是由贵平台下发的。", f"Case {case['number']} was not sent down by this platform."
        )
