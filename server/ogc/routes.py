"""OGC API - Features 1.0 (core, geojson, oas30) and part 2 (crs) under `/ogc`, for QGIS, ogr2ogr and the like.

Wrong and unknown parameters are 400, as the standard says, where the other routes answer 422.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.exceptions import ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from appliance.clock import rfc3339
from appliance.errors import FieldError, Invalid
from appliance.people.actor import Actor
from server import examples
from server.node import CURSOR_AT_MOST, Node, json_bytes, node_of
from server.ogc import documents
from server.ogc.collections import COLLECTIONS, Collection, collection_of
from server.ogc.crs import box_of, system_of
from server.ogc.features import LIMIT, LIMIT_AT_MOST, Features, Question, interval_of
from server.problems import http_error, refusal

PLAIN_PARAMETERS = frozenset(("limit", "bbox", "bbox-crs", "crs", "datetime", "after", "f"))
Crs = Annotated[str | None, Parameter(query="crs", description="Coordinate system of the answer, as a URI")]
SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"basic": []}, {}]


class Link(msgspec.Struct):
    """A link."""

    href: str
    rel: str
    type: str


class FeatureCollection(msgspec.Struct):
    """A page of GeoJSON features."""

    type: str
    features: list[dict[str, Any]]
    links: list[Link]
    numberMatched: int
    numberReturned: int
    timeStamp: str


class Feature(msgspec.Struct):
    """A GeoJSON feature."""

    type: str
    id: str
    geometry: dict[str, Any] | None
    properties: dict[str, Any]
    links: list[Link] = []


PAGE = {200: ResponseSpec(FeatureCollection, description="A page", media_type=documents.GEOJSON)}
ONE = {200: ResponseSpec(Feature, description="The feature", media_type=documents.GEOJSON)}
PLAIN = {200: ResponseSpec(dict[str, Any], description="The document")}
API = {200: ResponseSpec(dict[str, Any], description="An OpenAPI 3.0 document", media_type=documents.OPENAPI)}
REFUSALS = examples.refusals(400, 401, 404)


@get("/", operation_id="ogc_landing", responses={**PLAIN, **examples.refusals(401)})
async def landing(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The landing page of the OGC API."""
    return _json(documents.landing(_root(request), _title(request)))


@get("/conformance", operation_id="ogc_conformance", responses={**PLAIN, **examples.refusals(401)})
async def conformance() -> Response[bytes]:
    """The conformance classes."""
    return _json({"conformsTo": documents.CONFORMANCE})


@get("/api", operation_id="ogc_api", responses={**API, **examples.refusals(401)})
async def api(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The OpenAPI 3.0 description of the OGC API."""
    body = msgspec.json.encode(documents.api_document(_root(request), _title(request)))
    return Response(body, media_type=documents.OPENAPI)


@get("/collections", operation_id="ogc_collections", responses={**PLAIN, **examples.refusals(401)})
async def collections(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The collections: grids, duty_grids, parts, places, cases."""
    features = _features(request)
    extents = await node_of(request).read(
        lambda connection: {name: features.extent(connection, found) for name, found in COLLECTIONS.items()}
    )
    return _json(documents.collections_document(_root(request), extents))


@get("/collections/{name:str}", operation_id="ogc_collection", responses={**PLAIN, **REFUSALS})
async def collection(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    """One collection."""
    wanted = collection_of(name)
    features = _features(request)
    extent = await node_of(request).read(lambda connection: features.extent(connection, wanted))
    return _json(documents.collection_document(_root(request), wanted, extent))


@get("/collections/{name:str}/items", operation_id="ogc_items", responses={**PAGE, **REFUSALS})
async def items(
    request: Request[Any, Any, Any],
    name: str,
    limit: Annotated[int, Parameter(ge=1, description=f"Features in a page, at most {LIMIT_AT_MOST}")] = LIMIT,
    bbox: str | None = None,
    bbox_crs: Annotated[str | None, Parameter(query="bbox-crs", description="Coordinate system of bbox")] = None,
    crs: Crs = None,
    datetime: Annotated[str | None, Parameter(description="Time or start/end, for cases by the report")] = None,
    after: Annotated[int, Parameter(ge=0, le=CURSOR_AT_MOST, description="Comes in the next link")] = 0,
) -> Response[bytes]:
    """Features in pages; properties named in the API description filter by equality."""
    wanted, node = collection_of(name), node_of(request)
    question = Question(
        wanted, _actor(request), system_of("crs", crs),
        None if not bbox else box_of(bbox, system_of("bbox-crs", bbox_crs)),
        interval_of(datetime), _filters(request, wanted), after, min(limit, LIMIT_AT_MOST),
    )  # fmt: skip
    features = _features(request)
    answer = await node.read(lambda connection: features.page(connection, question))
    links = [documents.link(_address(request, after), "self", documents.GEOJSON)]
    if answer.next is not None:
        links.append(documents.link(_address(request, answer.next), "next", documents.GEOJSON))
    tail = {
        "links": links, "numberMatched": answer.matched, "numberReturned": len(answer.features),
        "timeStamp": _now(node),
    }  # fmt: skip
    head = b'{"type":"FeatureCollection","features":[' + b",".join(answer.features) + b"],"
    return _geojson(head + msgspec.json.encode(tail)[1:], question.system)


@get("/collections/{name:str}/items/{feature_id:str}", operation_id="ogc_item", responses={**ONE, **REFUSALS})
async def item(request: Request[Any, Any, Any], name: str, feature_id: str, crs: Crs = None) -> Response[bytes]:
    """One feature."""
    wanted = collection_of(name)
    _filters(request, wanted, only=frozenset(("crs", "f")))
    question = Question(wanted, _actor(request), system_of("crs", crs))
    features = _features(request)
    body = await node_of(request).read(lambda connection: features.one(connection, question, feature_id))
    parent = f"{_root(request)}/collections/{wanted.name}"
    links = [
        documents.link(f"{parent}/items/{feature_id}", "self", documents.GEOJSON),
        documents.link(parent, "collection"),
    ]
    return _geojson(body[:-1] + b',"links":' + msgspec.json.encode(links) + b"}", question.system)


def wrong(request: Request[Any, Any, Any], error: Any) -> Response[bytes]:
    """The problem of a wrong parameter, with the status that the standard wants."""
    made = refusal(request, error) if isinstance(error, Invalid) else http_error(request, error)
    body = msgspec.json.decode(made.content)
    body |= {"status": 400, "title": "Bad Request"}
    return Response(msgspec.json.encode(body), status_code=400, media_type=made.media_type)


def _features(request: Request[Any, Any, Any]) -> Features:
    """The node's reader, with its counts and extents."""
    features: Features | None = request.app.state.get("features")
    if features is None:
        features = request.app.state["features"] = Features()
    return features


def _json(value: Any) -> Response[bytes]:
    return json_bytes(msgspec.json.encode(value))


def _geojson(body: bytes, system: str) -> Response[bytes]:
    return Response(body, media_type=documents.GEOJSON, headers={"Content-Crs": f"<{system}>"})


def _actor(request: Request[Any, Any, Any]) -> Actor | None:
    actor: Actor | None = request.scope.get("user")
    return actor


def _root(request: Request[Any, Any, Any]) -> str:
    return f"{str(request.base_url).rstrip('/')}/ogc"


def _address(request: Request[Any, Any, Any], after: int) -> str:
    query = [(key, value) for key, value in request.query_params.multi_items() if key != "after"]
    query += [("after", str(after))] if after else []
    path = f"{str(request.base_url).rstrip('/')}{request.url.path}"
    return f"{path}?{urlencode(query)}" if query else path


def _title(request: Request[Any, Any, Any]) -> str:
    settings = node_of(request).office.settings
    return f"万米 Wanmi {settings.name or settings.county}"


def _now(node: Node) -> str:
    return str(rfc3339(node.office.records.clock.now()))


def _filters(request: Request[Any, Any, Any], wanted: Collection, only: frozenset[str] | None = None) -> dict[str, str]:
    """The filters by property in the query.

    Raises:
        Invalid: a parameter that the API description does not name.
    """
    plain = PLAIN_PARAMETERS if only is None else only
    filters = wanted.filters if only is None else ()
    known = (*sorted(plain), *filters)
    for name in request.query_params:
        if name not in known:
            raise Invalid(
                f"没有参数 {name};可用: {'、'.join(known)}。",
                f"There is no parameter {name}; known: {', '.join(known)}.",
                fields=(FieldError(name, "没有这个参数", "no such parameter", known),),
            )
    return {name: request.query_params[name] for name in filters if name in request.query_params}


ROUTES = [
    Router(
        path="/ogc",
        route_handlers=[landing, conformance, api, collections, collection, items, item],
        exception_handlers={Invalid: wrong, ValidationException: wrong},
        security=SECURITY,
        tags=["ogc"],
    )
]
