"""Open cases on a map: one by one, or by cell with the most urgent light where they are too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, text

from appliance.cases.open_cases import OpenCase, seen_open_cases
from appliance.places.density import cell_size
from appliance.places.outlines import View

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

SINGLE_AT_MOST = 400
LIGHTS = ("red", "yellow", "green", None)
"""The most urgent first."""

_OF_LAYER = text(
    "SELECT c.id FROM layer_member m JOIN cases c ON c.number = m.member WHERE m.layer = :layer AND m.kind = 'case' "
    "UNION SELECT c.id FROM cases c INDEXED BY ix_cases_open WHERE c.is_open AND "
    "' ' || c.flags || ' ' LIKE (SELECT '% ' || case_flag || ' %' FROM layer WHERE code = :layer)"
)


class CaseSpot(msgspec.Struct):
    """An open case on the map."""

    number: str
    kind: str
    edition: str
    code: str
    name: str
    state: str
    department: str | None
    lon: float
    lat: float
    light: str | None
    supervised: bool


class CellOfCases(msgspec.Struct):
    """Several cases in one cell: its middle, how many, and the most urgent light among them."""

    lon: float
    lat: float
    number: int
    light: str | None


class CasesOut(msgspec.Struct):
    """The open cases of a view: `items`, or `cells` where they are too many; `lights` counts all of them."""

    number: int
    lights: dict[str, int]
    items: list[CaseSpot]
    cells: list[CellOfCases]


def cases_in_view(
    connection: Connection, office: Office, actor: Actor, view: View, layer: str | None = None
) -> CasesOut:
    """The open cases in a view that this person may see; of a thematic layer those in it or with its flag."""
    found = [
        case
        for case in seen_open_cases(connection, office, actor)
        if view.west <= case.lon <= view.east and view.south <= case.lat <= view.north
    ]
    if layer is not None:
        members = set(connection.execute(_OF_LAYER, {"layer": layer}).scalars())
        found = [case for case in found if case.id in members]
    lights = {light or "none": 0 for light in LIGHTS}
    for case in found:
        lights[case.light or "none"] += 1
    if len(found) > SINGLE_AT_MOST:
        return CasesOut(len(found), lights, [], _cells(found, view))
    return CasesOut(len(found), lights, [_spot(case) for case in reversed(found)], [])


def _spot(case: OpenCase) -> CaseSpot:
    return CaseSpot(
        case.number, case.kind, case.edition, case.code, case.name, case.state, case.department, case.lon, case.lat,
        case.light, case.supervised,
    )  # fmt: skip


def _cells(found: list[OpenCase], view: View) -> list[CellOfCases]:
    wide, high = cell_size(view)
    cells: dict[tuple[int, int], CellOfCases] = {}
    for case in found:
        x, y = int((case.lon - view.west) / wide), int((view.north - case.lat) / high)
        cell = cells.get((x, y))
        if cell is None:
            lon, lat = view.west + (x + 0.5) * wide, view.north - (y + 0.5) * high
            cells[x, y] = CellOfCases(round(lon, 6), round(lat, 6), 1, case.light)
        else:
            cell.number += 1
            if LIGHTS.index(case.light) < LIGHTS.index(cell.light):
                cell.light = case.light
    return list(cells.values())
