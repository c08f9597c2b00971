"""Areas: the county, its streets or townships, its communities or villages; their import and the county's boundary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import shapely
from sqlalchemy import Connection, text

from appliance.places.importing import Problems, Record, TableImporter, required_text, text_of
from appliance.places.shapes import multipolygon_wkb

LEVELS = {4: "prefecture", 6: "county", 9: "street", 12: "community"}
"""Level of an area by the number of digits of its code."""


def area_code(written: str) -> str:
    """A code without the zeros that fill it up to 12 digits."""
    if len(written) == 12:
        for ending in ("00000000", "000000", "000"):
            if written.endswith(ending):
                return written.removesuffix(ending)
    return written


def parent_of(code: str) -> str | None:
    """The code of the area above."""
    return {12: code[:9], 9: code[:6], 6: code[:4]}.get(len(code))


def county_boundary(connection: Connection, county: str) -> Any:
    """The county's boundary as a shapely polygon, None when none was imported."""
    statement = text("SELECT ST_AsBinary(geom) FROM area WHERE code = :code AND geom IS NOT NULL")
    wkb = connection.execute(statement, {"code": county}).scalar_one_or_none()
    return None if wkb is None else shapely.from_wkb(bytes(wkb))


class AreaImporter(TableImporter):
    """Imports boundaries, and the names of areas that have none. Neighbouring counties are taken as well."""

    geometry = "polygon"
    geometry_required = False
    fields: Mapping[str, tuple[str, ...]] = {
        "code": ("区划代码", "代码", "行政区划代码", "标识码", "adcode"),
        "name": ("名称", "区划名称", "行政区划名称"),
        "parent": ("上级", "上级代码", "父级"),
        "level": ("级别", "层级"),
    }
    required = frozenset({"code", "name"})

    table: ClassVar[str] = "area"
    columns: ClassVar[tuple[str, ...]] = ("code", "name", "level", "parent", "attributes")
    feed_type: ClassVar[str | None] = None

    def check(self, row: Mapping[str, Any]) -> Record:
        problems = Problems()
        written = required_text(row, "code", problems)
        code = area_code(written)
        if written and (not code.isascii() or not code.isdigit() or len(code) not in LEVELS):
            problems.add("code", f"“{written}”应为 6、9 或 12 位数字", f"'{written}' must have 6, 9 or 12 digits")
        name = required_text(row, "name", problems)
        problems.raise_any()
        parent = text_of(row, "parent")
        record: Record = {
            "key": code,
            "code": code,
            "name": name,
            "level": LEVELS[len(code)],
            "parent": area_code(parent) if parent else parent_of(code),
            "attributes": row["attributes"],
        }
        if row["geometry"] is not None:
            record["geometry"] = multipolygon_wkb(row["geometry"])
        return record
