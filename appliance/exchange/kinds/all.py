"""Every type of the feed, parents before what hangs on them: in this order a replica takes them in."""

from __future__ import annotations

from collections.abc import Iterable

from appliance.errors import FieldError, Invalid
from appliance.exchange.kinds.base import Kind
from appliance.exchange.kinds.case import CaseKind
from appliance.exchange.kinds.process import REQUEST, SUPERVISION, ActionKind
from appliance.exchange.kinds.score import ScoreKind
from appliance.exchange.kinds.tables import DEPARTMENT, DUTY_GRID, GRID, PART, PLACE, TableKind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        TableKind("department", DEPARTMENT), TableKind("grid", GRID), TableKind("duty_grid", DUTY_GRID),
        TableKind("place", PLACE), TableKind("part", PART), CaseKind(), ActionKind(), REQUEST, SUPERVISION,
        ScoreKind(),
    )
}  # fmt: skip


def find_kind(name: str) -> Kind:
    """The type of this name.

    Raises:
        Invalid: there is none.
    """
    kind = KINDS.get(name)
    if kind is None:
        known = "、".join(KINDS)
        raise Invalid(
            f"数据流没有类型 {name[:40]!r};可用: {known}。",
            f"The feed has no type {name[:40]!r}; known: {', '.join(KINDS)}.",
            fields=(FieldError("types", "未知类型", "unknown type", tuple(KINDS)),),
        )
    return kind


def kinds_of(names: Iterable[str]) -> list[Kind]:
    """The types of these names, in the order of `KINDS`."""
    wanted = {find_kind(name).name for name in names}
    return [kind for name, kind in KINDS.items() if name in wanted]
