"""The documents around the features: landing page, conformance, collections, and the OpenAPI 3.0 description."""

from __future__ import annotations

from typing import Any

from server.ogc.collections import COLLECTIONS, Collection
from server.ogc.crs import CRS84, EPSG_4490, SYSTEMS, Box
from server.ogc.features import LIMIT, LIMIT_AT_MOST

GEOJSON = "application/geo+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
CONFORMANCE = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
]


def link(href: str, rel: str, kind: str = "application/json", title: str = "") -> dict[str, str]:
    """A link of a document."""
    return {"href": href, "rel": rel, "type": kind, **({"title": title} if title else {})}


def landing(root: str, title: str) -> dict[str, Any]:
    """The landing page."""
    return {
        "title": title,
        "description": "网格、部件、地名、案件 Grids, parts, place names and cases of a county (OGC API - Features).",
        "links": [
            link(root, "self", title="This document"),
            link(f"{root}/api", "service-desc", OPENAPI, "The API definition"),
            link(f"{root}/conformance", "conformance", title="Conformance classes"),
            link(f"{root}/collections", "data", title="Collections"),
        ],
    }


def collections_document(root: str, extents: dict[str, Box | None]) -> dict[str, Any]:
    """The list of collections."""
    return {
        "links": [link(f"{root}/collections", "self")],
        "crs": list(SYSTEMS),
        "collections": [
            collection_document(root, collection, extents[name]) for name, collection in COLLECTIONS.items()
        ],
    }


def collection_document(root: str, collection: Collection, extent: Box | None) -> dict[str, Any]:
    """One collection."""
    address = f"{root}/collections/{collection.name}"
    found: dict[str, Any] = {
        "id": collection.name,
        "title": collection.title,
        "description": collection.description,
        "itemType": "feature",
        "crs": list(SYSTEMS),
        "storageCrs": EPSG_4490,
        "links": [
            link(address, "self"),
            link(f"{address}/items", "items", GEOJSON, collection.title),
        ],
    }
    if extent is not None:
        found["extent"] = {"spatial": {"bbox": [list(extent)], "crs": CRS84}}
        if collection.interval is not None:
            gregorian = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
            found["extent"]["temporal"] = {"interval": [[None, None]], "trs": gregorian}
    return found


def api_document(root: str, title: str) -> dict[str, Any]:
    """The OpenAPI 3.0 description that the oas30 class asks for."""
    paths: dict[str, Any] = {
        "/": _path("getLandingPage", "The landing page"),
        "/conformance": _path("getConformance", "Conformance classes"),
        "/api": _path("getApi", "This definition", OPENAPI),
        "/collections": _path("getCollections", "All collections"),
    }
    for collection in COLLECTIONS.values():
        name = collection.name
        paths[f"/collections/{name}"] = _path(f"describe_{name}", f"About {name}")
        paths[f"/collections/{name}/items"] = _path(
            f"get_{name}", collection.description, GEOJSON, _item_parameters(collection)
        )
        identity = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}
        paths[f"/collections/{name}/items/{{featureId}}"] = _path(
            f"get_one_of_{name}", f"One of {name}", GEOJSON, [identity, _text("crs", "Coordinate system of the answer")]
        )
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": "1.0.0"},
        "servers": [{"url": root}],
        "security": [{"bearer": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            }
        },
    }


def _path(identity: str, summary: str, media: str = "application/json", parameters: Any = ()) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"type": "object"}}}
    return {
        "get": {
            "operationId": identity,
            "summary": summary,
            "parameters": list(parameters),
            "responses": {
                "200": {"description": summary, "content": {media: {"schema": {"type": "object"}}}},
                "400": {"description": "A parameter is wrong or unknown", "content": problem},
                "401": {"description": "Not signed in", "content": problem},
                "404": {"description": "Not there", "content": problem},
            },
        }
    }


def _item_parameters(collection: Collection) -> list[dict[str, Any]]:
    numbers = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
    limit = {"type": "integer", "minimum": 1, "maximum": LIMIT_AT_MOST, "default": LIMIT}
    found: list[dict[str, Any]] = [
        {"name": "limit", "in": "query", "schema": limit, "description": "Features in a page"},
        {"name": "bbox", "in": "query", "schema": numbers, "style": "form", "explode": False},
        _text("bbox-crs", "Coordinate system of bbox"),
        _text("crs", "Coordinate system of the answer"),
        _text("datetime", "Time or interval"),
        _text("after", "Where the page begins; comes in the next link"),
    ]
    return found + [_text(name, f"Only features with this {name}") for name in collection.filters]


def _text(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": {"type": "string"}}
