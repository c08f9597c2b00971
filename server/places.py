"""Where something is, what is there, and what to draw on a map."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import Parameter
from sqlalchemy import Connection, text

from appliance.cases.duplicates import likely_duplicates
from appliance.cases.duties import suggest
from appliance.cases.report import check_part
from appliance.clock import local
from appliance.places.address import propose_address
from appliance.places.geocode import geocode
from appliance.records.spatial import geojson, within_box
from server import answers, examples
from server.cases.routes import box
from server.node import Node, actor_of_request, json_bytes, node_of

Degrees = Annotated[float, Parameter(ge=-180, le=180, description="Degrees, EPSG:4490")]
SHAPES_AT_MOST = 5000


class PlaceController(Controller):
    """Places."""

    path = "/api/v1"
    tags = ["places"]

    @get(
        "/locate", operation_id="locate", responses={**answers.shows(answers.LocatedOut), **examples.refusals(401, 422)}
    )
    async def locate(self, request: Request[Any, Any, Any], lon: Degrees, lat: Degrees) -> Response[bytes]:
        """Grid, community, street, duty grid, collector, nearest parts and places of a position; an address text."""

        def work(connection: Connection) -> bytes:
            proposed = propose_address(connection, lon, lat)
            return msgspec.json.encode({**msgspec.to_builtins(proposed.located), "address": proposed.text})

        return json_bytes(await node_of(request).read(work))

    @get(
        "/geocode",
        operation_id="geocode",
        responses={**answers.shows(answers.Candidates), **examples.refusals(401, 422)},
    )
    async def geocode(
        self, request: Request[Any, Any, Any], q: Annotated[str, Parameter(max_length=200)], limit: int = 10
    ) -> Response[bytes]:
        """Places for a text: Chinese, pinyin, part code, road and number, or "lon,lat"."""
        found = await node_of(request).read(lambda connection: geocode(connection, q, limit=min(max(limit, 1), 50)))
        return json_bytes(msgspec.json.encode({"items": found}))

    @get(
        "/duplicates",
        operation_id="likely_duplicates",
        responses={**answers.shows(answers.Duplicates), **examples.refusals(401, 422)},
    )
    async def duplicates(
        self, request: Request[Any, Any, Any], code: str, lon: Degrees, lat: Degrees, part: str | None = None
    ) -> Response[bytes]:
        """Cases that may be the same thing, of those this account may see."""
        node, actor = node_of(request), actor_of_request(request)
        found = await node.read(
            lambda connection: likely_duplicates(connection, node.office, actor, code=code, lon=lon, lat=lat, part=part)
        )
        return json_bytes(msgspec.json.encode({"items": found}))

    @get(
        "/suggestion",
        operation_id="suggest_department",
        responses={**answers.shows(answers.Suggestion), **examples.refusals(401, 422)},
    )
    async def suggestion(
        self, request: Request[Any, Any, Any], code: str, grid: str | None = None, part: str | None = None
    ) -> Response[bytes]:
        """The department that probably answers for a class in a grid."""
        node = node_of(request)
        found = await node.read(lambda connection: _suggestion(connection, node, code, grid, part))
        return json_bytes(msgspec.json.encode(found))

    @get(
        "/shapes/{layer:str}",
        operation_id="shapes",
        responses={**answers.shows(answers.Shapes), **examples.refusals(401, 404, 422)},
    )
    async def shapes(
        self,
        request: Request[Any, Any, Any],
        layer: Literal["grids", "duty_grids", "areas", "parts", "places"],
        bbox: str,
        limit: int = 1000,
    ) -> Response[bytes]:
        """GeoJSON of what lies in a box, for a map."""
        values = dict(zip(("west", "south", "east", "north"), box(bbox), strict=True))
        size = min(max(limit, 1), SHAPES_AT_MOST)
        body = await node_of(request).read(lambda connection: shapes_in_box(connection, layer, values, size))
        return json_bytes(body)


TABLES = {
    "grids": ("unit_grid", "code, street, community, duty_grid"),
    "duty_grids": ("duty_grid", "code, name, collector"),
    "areas": ("area", "code, name, level"),
    "parts": ("part", "code, type, name, state"),
    "places": ("place", "code, name, type"),
}


def shapes_in_box(connection: Connection, layer: str, values: dict[str, float], limit: int) -> bytes:
    """The GeoJSON of one layer of `TABLES` in a box of west, south, east, north."""
    table, columns = TABLES[layer]
    dialect = connection.dialect.name
    statement = text(
        f"SELECT {columns}, {geojson(dialect, 'geom', 6)} AS shape FROM {table} "  # noqa: S608  # our own names
        f"WHERE {within_box(dialect, table)} LIMIT :limit"
    )
    features = [
        {
            "type": "Feature",
            "geometry": msgspec.Raw(row.shape.encode()) if row.shape else None,
            "properties": {key: value for key, value in row._mapping.items() if key != "shape"},
        }
        for row in connection.execute(statement, {**values, "limit": limit})
    ]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def _suggestion(connection: Connection, node: Node, code: str, grid: str | None, part: str | None) -> dict[str, Any]:
    if part:
        check_part(connection, part)
    office = node.office
    day = local(office.records.clock.now(), office.settings.zone).date().isoformat()
    found = suggest(connection, office.duties, code=code, grid=grid, part=part, day=day)
    return {"department": found, "name": office.departments.get(found or "")}
