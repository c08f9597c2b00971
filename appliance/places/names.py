"""Place names and addresses (地理编码): their types and their import."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, ClassVar

from appliance.places.importing import Problems, Record, TableImporter, required_text, text_of
from appliance.places.shapes import label_point, plain_wkb
from appliance.places.words import initials, search_words

TYPES = ("区域", "地片", "区片", "街巷", "门牌", "兴趣点")
TYPE_NAMES = {"门（楼）牌": "门牌", "门(楼)牌": "门牌", "门楼牌": "门牌", "楼牌": "门牌", "poi": "兴趣点"}


class PlaceImporter(TableImporter):
    """Imports place names of any shape; a name without a code gets one from what it is and where it lies."""

    geometry = "any"
    fields: Mapping[str, tuple[str, ...]] = {
        "code": ("标识码", "地名代码", "编码"),
        "name": ("名称", "地名", "标准名称"),
        "type": ("类型", "类别", "地点类型"),
        "parent": ("上级", "上级代码", "所属街巷"),
        "address": ("地址", "详细地址"),
    }
    required = frozenset({"name", "type"})

    table: ClassVar[str] = "place"
    columns: ClassVar[tuple[str, ...]] = (
        "code", "name", "type", "parent", "address", "initials", "search", "lon", "lat", "attributes",
    )  # fmt: skip
    feed_type: ClassVar[str | None] = "place"

    def check(self, row: Mapping[str, Any]) -> Record:
        problems = Problems()
        name = required_text(row, "name", problems)
        written = required_text(row, "type", problems)
        type_ = TYPE_NAMES.get(written.lower(), written)
        if written and type_ not in TYPES:
            types = "、".join(TYPES)
            zh, en = f"“{written}”应为 {types} 之一", f"'{written}' must be one of {types}"
            problems.add("type", f"{zh}，可用 --values 翻译", f"{en}; translate it with --values", TYPES)
        problems.raise_any()
        parent, address, shape = text_of(row, "parent"), text_of(row, "address"), plain_wkb(row["geometry"])
        lon, lat = label_point(row["geometry"])
        code = text_of(row, "code") or made_code(name, type_, parent, shape)
        record: Record = {name_: value for name_, value in (("parent", parent), ("address", address)) if name_ in row}
        return record | {
            "key": code,
            "code": code,
            "name": name,
            "type": type_,
            **derived(name, type_, parent, address),
            "lon": lon,
            "lat": lat,
            "attributes": row["attributes"],
            "geometry": shape,
        }


def derived(name: str, type_: str, parent: str | None, address: str | None) -> dict[str, str]:
    """The columns that follow from the others: `initials` and `search`."""
    # 药城路 + 18号: a number plate is looked for together with its road
    road = parent if type_ == "门牌" and parent and not parent.isdigit() and parent not in name else None
    return {"initials": initials(name), "search": search_words((road or "") + name, address)}


def made_code(name: str, type_: str, parent: str | None, shape: bytes) -> str:
    """A code that is the same whenever the same name at the same place comes again."""
    digest = sha256("\x1f".join((name, type_, parent or "")).encode() + shape).hexdigest()
    return f"P{digest[:15]}"
