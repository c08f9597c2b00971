"""Parts: their identity codes, states, and their import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Connection, text

from appliance.codes.values import CodeClass
from appliance.errors import FieldError, UnknownCode
from appliance.places.grids import GridIndex
from appliance.places.importing import Problems, Record, TableImporter, date_of, text_of
from appliance.records.spatial import point_wkb

STATES = ("完好", "破损", "丢失", "废弃", "移除")
EDITION_OF_LENGTH = {17: "2026", 16: "2013"}
"""Identity codes of 2026 have 17 digits; 16 digits are of 2013 or 2007."""

TEXTS = (
    "department", "owner", "owner_department", "maintainer", "maintainer_department", "address", "accuracy", "source",
    "note",
)  # fmt: skip
DATES = ("installed_on", "changed_on")


class PartImporter(TableImporter):
    """Imports parts; each gets the unit grid it stands in."""

    geometry = "point"
    fields: Mapping[str, tuple[str, ...]] = {
        "code": ("标识码", "管理部件标识码", "部件标识码", "部件编码", "部件代码", "GLBJBSM", "ObjID"),
        "type": ("部件类型", "类别代码", "小类代码", "部件类别"),
        "name": ("名称", "管理部件名称", "部件名称", "GLBJMC", "ObjName"),
        "state": ("状态", "管理部件状态", "部件状态", "GLBJZT", "ObjState"),
        "department": ("主管部门代码", "ZGBMDM", "DeptCode1"),
        "owner": ("权属单位名称", "权属单位", "QSDWMC", "DeptName2"),
        "owner_department": ("权属单位代码", "QSDWDM", "DeptCode2"),
        "maintainer": ("养护单位名称", "养护单位", "YHDWMC", "DeptName3"),
        "maintainer_department": ("养护单位代码", "YHDWDM", "DeptCode3"),
        "grid": ("所在单元网格", "所在单元网格标识码", "SZDYWGBSM", "BGID"),
        "address": ("地址", "位置", "所在位置"),
        "accuracy": ("精度",),
        "source": ("数据来源", "SJLY", "DataSource"),
        "installed_on": ("初始日期", "初始时间", "CSRQ", "ORDate"),
        "changed_on": ("变更日期", "变更时间", "BGRQ", "CHDate"),
        "note": ("备注", "BZ", "Note"),
    }
    required = frozenset({"code"})

    table: ClassVar[str] = "part"
    columns: ClassVar[tuple[str, ...]] = (
        "code", "type", "edition", "name", "state", *TEXTS, *DATES, "grid", "lon", "lat", "attributes",
    )  # fmt: skip
    defaults: ClassVar[Mapping[str, Any]] = {"state": STATES[0]}
    feed_type: ClassVar[str | None] = "part"

    def prepare(self, connection: Connection) -> None:
        """Load the unit grids; with `make_codes` also which numbers are taken and where known parts stand."""
        self.grids = GridIndex(connection)
        if not self.grids.codes:
            self.context.warn("还没有单元网格，部件不带网格 (no unit grids yet: parts get no grid)")
        self.classes: dict[tuple[str, str], CodeClass | FieldError] = {}
        self.by_name: dict[tuple[str, str], str] = {
            (item.edition, item.name): item.code for item in self.context.book.classes.values() if item.kind == "part"
        }
        if self.context.make_codes:
            self.required = frozenset({"type"})
            self.load_numbers(connection)

    def load_numbers(self, connection: Connection) -> None:
        self.last: dict[str, int] = {}
        self.known: dict[tuple[str, float, float], list[str]] = {}
        for code, type_, lon, lat in connection.execute(text("SELECT code, type, lon, lat FROM part ORDER BY code")):
            self.last[code[:-6]] = max(self.last.get(code[:-6], 0), int(code[-6:]))
            self.known.setdefault((type_, lon, lat), []).append(code)

    def check(self, row: Mapping[str, Any]) -> Record:
        problems = Problems()
        code, type_ = text_of(row, "code"), text_of(row, "type")
        lon, lat = row["geometry"].x, row["geometry"].y
        if code is not None:
            self.check_code(code, problems)
        elif not self.context.make_codes:
            problems.add("code", "为空，可用 --make-codes 自动编码", "is empty; --make-codes numbers such parts")
        edition = self.edition(code, type_)
        if type_ is None and code is not None and not problems.errors:
            type_ = code[6:-6]
        item = self.code_class(edition, type_, problems)
        if code is None and item is not None and self.context.make_codes:
            code = self.made_code(item, lon, lat)
        elif code is not None and item is not None and not problems.errors and code[6:-6] != item.code:
            zh, en = f"与标识码中的 {code[6:-6]} 不符", f"is not the {code[6:-6]} of the identity code"
            problems.add("type", f"“{item.code}”{zh}", f"'{item.code}' {en}", (code[6:-6],))
        record = self.values(row, problems)
        problems.raise_any()
        assert code is not None
        assert item is not None
        return record | {
            "key": code,
            "code": code,
            "type": item.code,
            "edition": item.edition,
            "name": text_of(row, "name") or item.name,
            "attributes": row["attributes"],
            "lon": lon,
            "lat": lat,
            "geometry": point_wkb(lon, lat),
        }

    def values(self, row: Mapping[str, Any], problems: Problems) -> Record:
        """The plain values that the file has."""
        record: Record = {name: text_of(row, name) for name in (*TEXTS, "grid") if name in row}
        record |= {name: date_of(row, name, problems) for name in DATES if name in row}
        if "state" in row:
            record["state"] = text_of(row, "state") or STATES[0]
            if record["state"] not in STATES:
                states = "、".join(STATES)
                zh, en = f"“{record['state']}”应为 {states} 之一", f"'{record['state']}' must be one of {states}"
                problems.add("state", f"{zh}，可用 --values 翻译", f"{en}; translate it with --values", STATES)
        return record

    def check_code(self, code: str, problems: Problems) -> None:
        county = self.context.county
        if not (code.isascii() and code.isdigit() and len(code) in EDITION_OF_LENGTH):
            problems.add("code", f"“{code}”应为 16 或 17 位数字", f"'{code}' must have 16 or 17 digits")
        elif code[:6] != county:
            problems.add("code", f"“{code}”不属于本县 {county}", f"'{code}' is not of this county {county}", (county,))

    def edition(self, code: str | None, type_: str | None) -> str:
        """The edition of a part, by the length of its codes; a name is looked up in the county's own edition."""
        own = self.context.edition
        digits = len(code) - 12 if code else len(type_) if type_ and type_.isdigit() else 0
        if digits == 5:
            return "2026"
        if digits == 4:
            return own if own != "2026" else "2013"
        return own

    def code_class(self, edition: str, type_: str | None, problems: Problems) -> CodeClass | None:
        """The class of a type, by code or exact name; looked up once for each."""
        if type_ is None:
            if not problems.errors:
                problems.add("type", "为空", "is empty")
            return None
        key = (edition, type_)
        if key not in self.classes:
            try:
                self.classes[key] = self.context.book.find(edition, "part", self.by_name.get(key, type_))
            except UnknownCode as unknown:
                hint_zh, hint_en = unknown.zh.rstrip("。"), unknown.en.rstrip(".")
                self.classes[key] = FieldError("type", hint_zh, hint_en, unknown.fields[0].nearest)
        found = self.classes[key]
        if isinstance(found, FieldError):
            problems.errors.append(found)
            return None
        return found

    def made_code(self, item: CodeClass, lon: float, lat: float) -> str:
        """The code that a part of this type at this place has already, or county, class and the next serial."""
        known = self.known.get((item.code, lon, lat))
        if known:
            return known.pop(0)
        prefix = self.context.county + item.code
        self.last[prefix] = self.last.get(prefix, 0) + 1
        return f"{prefix}{self.last[prefix]:06d}"

    def complete(self, records: Sequence[Record]) -> Sequence[tuple[int, FieldError]]:
        """The unit grid of each part; what the file says counts only where there is none."""
        missing = 0
        found = self.grids.find([(record["lon"], record["lat"]) for record in records])
        for record, grid in zip(records, found, strict=True):
            if grid is not None:
                record["grid"] = grid
            elif self.grids.codes:
                missing += 1
        if missing:
            self.context.warn("有的部件不在任何单元网格内 (some parts stand in no unit grid)")
        return ()
