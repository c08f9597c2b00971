"""Surveillance cameras: their import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from appliance.places.importing import Problems, Record, TableImporter, required_text, text_of
from appliance.records.spatial import point_wkb


class CameraImporter(TableImporter):
    """Imports cameras."""

    geometry = "point"
    fields: Mapping[str, tuple[str, ...]] = {
        "code": ("标识码", "编码", "设备编码", "国标编码"),
        "name": ("名称", "点位名称"),
        "street_class": ("街道等级", "道路等级"),
        "url": ("地址", "播放地址", "rtsp"),
    }
    required = frozenset({"code", "name"})

    table: ClassVar[str] = "camera"
    columns: ClassVar[tuple[str, ...]] = ("code", "name", "street_class", "url", "lon", "lat", "attributes")

    def check(self, row: Mapping[str, Any]) -> Record:
        problems = Problems()
        code, name = required_text(row, "code", problems), required_text(row, "name", problems)
        problems.raise_any()
        lon, lat = row["geometry"].x, row["geometry"].y
        record: Record = {field: text_of(row, field) for field in ("street_class", "url") if field in row}
        return record | {
            "key": code,
            "code": code,
            "name": name,
            "lon": lon,
            "lat": lat,
            "attributes": row["attributes"],
            "geometry": point_wkb(lon, lat),
        }
