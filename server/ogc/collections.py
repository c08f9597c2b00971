"""The collections that the OGC API publishes: which table, which key, which properties, which times.

Cases are published without anything personal: no reporter, no query code, and no free text to those who are not signed
in.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.errors import FieldError, NotFound


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection: `key` is the feature's id, `times` the columns that hold microseconds, `documents` JSON columns.

    Attributes:
        current: SQL for "this row is valid now"; empty where rows never end.
        interval: the column that `datetime` asks for.
        signed_in_only: columns that are left out for those who are not signed in.
        points: all features are points, with columns lon and lat.
        filters: indexed columns that may be asked for by a query parameter of the same name.
    """

    name: str
    table: str
    title: str
    description: str
    key: str
    columns: tuple[str, ...]
    filters: tuple[str, ...] = ()
    times: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    current: str = ""
    interval: str | None = None
    signed_in_only: frozenset[str] = frozenset()
    points: bool = False


_ALL = (
    Collection(
        "grids", "unit_grid", "单元网格 Unit grids", "Unit grids of about 10,000 m2.", "code",
        ("code", "name", "street", "community", "duty_grid", "area_m2", "land_use", "grade", "responsible",
         "valid_from", "attributes"),
        filters=("code", "community", "duty_grid"), documents=frozenset(("attributes",)),
        current="valid_to IS NULL",
    ),
    Collection(
        "duty_grids", "duty_grid", "责任网格 Duty grids", "Unit grids that one collector walks.", "code",
        ("code", "name", "collector", "valid_from", "attributes"), filters=("code", "collector"),
        documents=frozenset(("attributes",)), current="valid_to IS NULL", signed_in_only=frozenset(("collector",)),
    ),
    Collection(
        "parts", "part", "部件 Parts", "Components: manhole covers, lamps, signs, trees and the like.", "code",
        ("code", "type", "edition", "name", "state", "department", "owner", "maintainer", "grid", "address",
         "installed_on", "changed_on", "accuracy", "source", "note", "attributes"),
        filters=("code", "type", "department", "grid"), documents=frozenset(("attributes",)), points=True,
    ),
    Collection(
        "places", "place", "地名地址 Place names", "Place names and addresses.", "code",
        ("code", "name", "type", "parent", "address", "attributes"), filters=("code", "name"),
        documents=frozenset(("attributes",)),
    ),
    Collection(
        "cases", "cases", "案件 Cases", "Cases without personal data.", "number",
        ("number", "kind", "edition", "code", "class_code", "name", "condition", "source", "state", "department",
         "description", "address", "grid", "duty_grid", "street", "community", "part", "due_at", "reported_at",
         "filed_at", "dispatched_at", "handled_at", "closed_at", "rework", "version"),
        filters=("number", "code", "state", "department", "part"),
        times=frozenset(("due_at", "reported_at", "filed_at", "dispatched_at", "handled_at", "closed_at")),
        interval="reported_at", signed_in_only=frozenset(("description", "address")), points=True,
    ),
)  # fmt: skip
COLLECTIONS = {collection.name: collection for collection in _ALL}


def collection_of(name: str) -> Collection:
    """A collection by its id.

    Raises:
        NotFound: there is none; all are named.
    """
    found = COLLECTIONS.get(name)
    if found is None:
        known = tuple(COLLECTIONS)
        raise NotFound(
            f"没有图层 {name};可用: {'、'.join(known)}。",
            f"There is no collection {name}; known: {', '.join(known)}.",
            fields=(FieldError("collectionId", "没有这个图层", "no such collection", known),),
        )
    return found
