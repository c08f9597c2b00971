"""Thematic layers: named sets of grids, parts and cases whose new cases carry a flag of their own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import Body
from sqlalchemy import Connection

from appliance.places import layers
from appliance.records.writer import Unit
from server import examples
from server.node import actor_of_request, json_bytes, node_of
from server.sign_in import require

MEMBERS_AT_MOST = 20_000


class LayerBody(msgspec.Struct, forbid_unknown_fields=True):
    """A layer; `case_flag` is one word that its cases carry."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    case_flag: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    note: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class MembersBody(msgspec.Struct, forbid_unknown_fields=True):
    """Codes of grids or parts, or numbers of cases."""

    kind: Literal["grid", "part", "case"]
    codes: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MEMBERS_AT_MOST)]


class LayerOut(msgspec.Struct):
    """A layer and how many grids, parts and cases it holds."""

    code: str
    name: str
    case_flag: str | None
    note: str | None
    members: int


class LayerItems(msgspec.Struct):
    """All layers."""

    items: list[LayerOut]


class MembersOut(msgspec.Struct):
    """What was added."""

    added: int


class LayerController(Controller):
    """Layers."""

    path = "/api/v1/layers"
    tags = ["places"]

    @get(operation_id="layers", responses=examples.refusals(401))
    async def all(self, request: Request[Any, Any, Any]) -> LayerItems:
        """All thematic layers."""
        return await node_of(request).read(_all)

    @put(
        "/{code:str}", operation_id="save_layer", guards=[require("admin", "technician", "shift_leader")],
        responses=examples.refusals(401, 403, 422),
    )  # fmt: skip
    async def save(
        self,
        request: Request[Any, Any, Any],
        code: str,
        data: Annotated[LayerBody, Body(examples=examples.body_example({"name": "赛事保障", "case_flag": "games"}))],
    ) -> LayerOut:
        """Make a layer, or give it other words."""
        node, actor = node_of(request), actor_of_request(request)

        def work(unit: Unit) -> LayerOut:
            layers.save_layer(unit, code, data.name, data.case_flag, data.note, by=actor.account)
            return _out(unit.connection, layers.find_layer(unit.connection, code))

        return await node.office.records.write_async(work)

    @post(
        "/{code:str}/members", operation_id="add_layer_members",
        guards=[require("admin", "technician", "shift_leader")], responses=examples.refusals(401, 403, 404, 422),
    )  # fmt: skip
    async def add(
        self,
        request: Request[Any, Any, Any],
        code: str,
        data: Annotated[
            MembersBody, Body(examples=examples.body_example({"kind": "grid", "codes": ["411081001001001"]}))
        ],
    ) -> MembersOut:
        """Put grids, parts or cases into a layer; refused whole when one does not exist."""
        node = node_of(request)
        added = await node.office.records.write_async(
            lambda unit: layers.add_members(unit, code, data.kind, data.codes)
        )
        return MembersOut(added)

    @get("/{code:str}/members/{kind:str}", operation_id="layer_members", responses=examples.refusals(401, 404))
    async def members(self, request: Request[Any, Any, Any], code: str, kind: str) -> Response[bytes]:
        """The codes of one kind in a layer."""
        found = await node_of(request).read(lambda connection: layers.members(connection, code, kind))
        return json_bytes(msgspec.json.encode({"items": found}))

    @delete(
        "/{code:str}", operation_id="remove_layer", guards=[require("admin", "technician", "shift_leader")],
        responses=examples.refusals(401, 403, 404),
    )  # fmt: skip
    async def remove(self, request: Request[Any, Any, Any], code: str) -> None:
        """Remove a layer; cases keep the flag they have."""
        await node_of(request).office.records.write_async(lambda unit: layers.remove_layer(unit, code))


def _all(connection: Connection) -> LayerItems:
    return LayerItems([_out(connection, layer) for layer in layers.layers(connection)])


def _out(connection: Connection, layer: layers.ThematicLayer) -> LayerOut:
    count = layers.count_members(connection, layer.code)
    return LayerOut(layer.code, layer.name, layer.case_flag, layer.note, count)
