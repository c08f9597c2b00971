"""What a map shows at its scale: places that stay, and open cases that move. Bounded whatever the county holds."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import Parameter
from sqlalchemy import Connection

from appliance.campaigns.on_map import targets_in_view
from appliance.cases.on_map import CasesOut, cases_in_view
from appliance.cases.open_cases import open_cases
from appliance.errors import FieldError, Invalid
from appliance.patrols.on_map import PatrolsOnMap, patrols_in_view
from appliance.places import density, layers, outlines
from appliance.places.outlines import View
from server import answers, examples
from server.campaign_answers import TargetsOnMap
from server.cases.routes import box
from server.node import Node, actor_of_request, json_bytes, node_of
from server.patrols import WATCHERS
from server.sign_in import require

VIEWERS = (
    "collector", "acceptor", "shift_leader", "dispatcher", "department", "leader", "assessor", "admin", "technician",
    "wall",
)  # fmt: skip
CHINA = (73.0, 3.0, 136.0, 54.0)
Box = Annotated[str, Parameter(description="west,south,east,north in EPSG:4490")]
Metres = Annotated[float, Parameter(ge=0.05, le=10_000, description="Metres on the ground for one dot of the map")]
Columns = Annotated[int, Parameter(ge=1, le=500, description="Cells from west to east, for what is counted by cell")]
Rows = Annotated[int, Parameter(ge=1, le=300, description="Cells from north to south")]
Theme = Annotated[str | None, Parameter(max_length=60, description="Code of a thematic layer")]


class ThemeOut(msgspec.Struct):
    """The grids and parts of a thematic layer in the view."""

    code: str
    name: str
    grids: list[dict[str, Any]]
    parts: list[dict[str, Any]]


class ExtentOut(msgspec.Struct):
    """West, south, east, north in EPSG:4490."""

    bbox: list[float]


class PlacesOut(msgspec.Struct, omit_defaults=True):
    """The asked layers as GeoJSON features; what is too small to be told apart is not shown, many parts are counted."""

    bbox: list[float]
    areas: outlines.Outlines | None = None
    duty_grids: outlines.Outlines | None = None
    grids: outlines.Outlines | None = None
    parts: density.PartsOut | None = None
    theme: ThemeOut | None = None


class MapController(Controller):
    """The map."""

    path = "/api/v1/map"
    tags = ["places"]
    guards = [require(*VIEWERS)]

    @get("/extent", operation_id="map_extent", responses={**answers.shows(ExtentOut), **examples.refusals(401, 403)})
    async def extent(self, request: Request[Any, Any, Any]) -> ExtentOut:
        """The box around the county: of its streets, else of its grids, else of its open cases."""
        node = node_of(request)

        def work(connection: Connection) -> ExtentOut:
            found = outlines.extent(connection)
            if found is None:
                cases = open_cases(connection, node.office)
                lons, lats = [case.lon for case in cases], [case.lat for case in cases]
                found = (min(lons), min(lats), max(lons), max(lats)) if cases else CHINA
            return ExtentOut(list(found))

        return await node.read(work)

    @get(
        "/places", operation_id="map_places",
        responses={**answers.shows(PlacesOut), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def places(
        self,
        request: Request[Any, Any, Any],
        bbox: Box,
        metres: Metres,
        columns: Columns = 80,
        rows: Rows = 24,
        wanted: Annotated[
            str, Parameter(query="layers", max_length=100, description="Layers, separated by commas")
        ] = "areas,duty_grids,grids,parts",
        theme: Theme = None,
    ) -> Response[bytes]:
        """Outlines of streets, duty grids and unit grids that are large enough to be seen, and parts."""
        node, view, names = node_of(request), View(*box(bbox), metres, columns, rows), _layers(wanted)
        body = await node.read(
            lambda connection: msgspec.json.encode(_places(connection, node, view, names, theme or None))
        )
        return json_bytes(body)

    @get(
        "/cases", operation_id="map_cases",
        responses={**answers.shows(CasesOut), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def cases(
        self,
        request: Request[Any, Any, Any],
        bbox: Box,
        columns: Columns = 80,
        rows: Rows = 24,
        theme: Theme = None,
    ) -> Response[bytes]:
        """Open cases by light, of those this account may see; by cell where there are hundreds."""
        node, actor, view = node_of(request), actor_of_request(request), View(*box(bbox), 1.0, columns, rows)

        def work(connection: Connection) -> bytes:
            if theme:
                layers.find_layer(connection, theme)
            return msgspec.json.encode(cases_in_view(connection, node.office, actor, view, theme or None))

        return json_bytes(await node.read(work))

    @get(
        "/patrols", operation_id="map_patrols", guards=[require(*WATCHERS)],
        responses={**answers.shows(PatrolsOnMap), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def patrols(
        self, request: Request[Any, Any, Any], bbox: Box, columns: Columns = 80, rows: Rows = 24
    ) -> Response[bytes]:
        """What was walked today: unit grids not passed, passed, passed as planned; cameras that are due."""
        node, view = node_of(request), View(*box(bbox), 1.0, columns, rows)
        node.patrol_count.freshen()
        body = await node.read(
            lambda connection: msgspec.json.encode(patrols_in_view(connection, node.office, node.walked_grids, view))
        )
        return json_bytes(body)

    @get(
        "/campaigns", operation_id="map_campaigns",
        responses={**answers.shows(TargetsOnMap), **examples.refusals(401, 422)},
    )  # fmt: skip
    async def campaigns(self, request: Request[Any, Any, Any], bbox: Box) -> Response[bytes]:
        """The targets of the campaigns that run: done, and still to do."""
        node, (west, south, east, north) = node_of(request), box(bbox)
        now, here = node.office.records.clock.now(), {"west": west, "south": south, "east": east, "north": north}
        return json_bytes(
            msgspec.json.encode(await node.read(lambda connection: targets_in_view(connection, now, here)))
        )


def _places(connection: Connection, node: Node, view: View, names: frozenset[str], theme: str | None) -> PlacesOut:
    found = PlacesOut([view.west, view.south, view.east, view.north])
    if "areas" in names:
        found.areas = outlines.areas(connection, view)
    if "duty_grids" in names:
        found.duty_grids = outlines.duty_grids(connection, view)
    if "grids" in names:
        found.grids = outlines.grids(connection, view)
    if "parts" in names:
        found.parts = density.parts(connection, node.office.lattice, view)
    if theme is not None:
        layer = layers.find_layer(connection, theme)
        found.theme = ThemeOut(
            layer.code, layer.name, outlines.grids_of_layer(connection, view, theme),
            density.parts_of_layer(connection, view, theme),
        )  # fmt: skip
    return found


def _layers(text: str) -> frozenset[str]:
    """The layers of a query parameter.

    Raises:
        Invalid: one that does not exist.
    """
    names = frozenset(part for part in text.split(",") if part)
    if unknown := names - set(outlines.LAYERS):
        known = outlines.LAYERS
        raise Invalid(
            f"没有图层 {'、'.join(sorted(unknown))};可用: {'、'.join(known)}。",
            f"No layer {', '.join(sorted(unknown))}; known: {', '.join(known)}.",
            fields=(FieldError("layers", "未知图层", "unknown layer", known),),
        )
    return names
