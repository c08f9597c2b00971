"""Cases of bad findings 抽查立案: what an assessor found goes the way of every case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from appliance.cases.report import NewCase, report
from appliance.errors import FieldError, Invalid
from appliance.people.actor import Actor
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office

SOURCE, ROLE = "spot_check", "assessor"
_DRAWN_CASE = text("SELECT kind, code, lon, lat, address, part FROM cases WHERE number = :subject")
_DRAWN_GRID = text("SELECT lon, lat FROM unit_grid WHERE code = :subject AND valid_to IS NULL")


@dataclass(frozen=True, slots=True)
class FoundClass:
    """The class of what was found: part or event, and its code."""

    kind: str
    code: str


def report_finding(
    unit: Unit, office: Office, actor: Actor, of: str, subject: str, note: str, found: FoundClass | None
) -> str:
    """Report what was found at a drawn case or grid; returns the number of the new case.

    At a case it lies where that case lay and is of its class, unless another is named; at a grid in its middle.

    Args:
        of: `case` or `grid`.

    Raises:
        Invalid: a finding in a grid, or in a grid that ended, without its class. UnknownCode: no such class.
    """
    place = _place(unit, of, subject)
    kind, code = (found.kind, found.code) if found else (place.get("kind"), place.get("code"))
    if kind is None or code is None:
        raise Invalid(
            f"{subject} 的不合格须写明类别(kind、code)以便立案,或写明已有案件 number。",
            f"What is bad in {subject} needs its class (kind, code) to become a case, or the number of one there is.",
            fields=(FieldError("code", "缺少类别", "the class is missing"),),
        )
    new = NewCase(
        source=SOURCE, kind=kind, code=code, description=note or f"考核抽查 {subject} 不合格", lon=place["lon"],
        lat=place["lat"], address=place.get("address") or "", part=None if found else place.get("part"),
        note=f"抽查 {subject}",
    )  # fmt: skip
    return str(report(unit, office, replace(actor, roles=frozenset((ROLE,))), new)["number"])


def _place(unit: Unit, of: str, subject: str) -> dict[str, Any]:
    row = unit.connection.execute(_DRAWN_CASE if of == "case" else _DRAWN_GRID, {"subject": subject}).one_or_none()
    if row is None:
        raise Invalid(
            f"单元网格 {subject} 已停用;请写明已有案件 number。",
            f"The unit grid {subject} has ended; name the number of a case there is.",
            fields=(FieldError("number", "缺少", "missing"),),
        )
    return dict(row._mapping)
