"""Unit grids: their codes, their import, and which duty grid each belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import shapely
from sqlalchemy import Connection, text

from appliance.places.batches import write_many
from appliance.places.importing import Problems, Record, TableImporter, date_of, text_of
from appliance.places.shapes import area_m2, label_point, multipolygon_wkb
from appliance.records.writer import Unit

CODE_LENGTHS = (14, 15)
MADE_STREET = "900"
"""Street part of codes made for grids that come without one; its communities count up from 901."""


class GridImporter(TableImporter):
    """Imports unit grids; street and community are the first 9 and 12 digits of the code."""

    geometry = "polygon"
    fields: Mapping[str, tuple[str, ...]] = {
        "code": ("标识码", "网格编码", "单元网格标识码", "单元网格编码", "网格代码", "BGCode", "BGID"),
        "name": ("名称", "网格名称"),
        "area_m2": ("面积", "area"),
        "land_use": ("用地类别",),
        "grade": ("管理等级", "等级"),
        "responsible": ("责任主体",),
        "note": ("备注", "Note"),
        "valid_from": ("初始时间", "初始日期", "ORDate"),
        "valid_to": ("终止时间", "终止日期", "DEDate"),
    }
    required = frozenset({"code"})

    table: ClassVar[str] = "unit_grid"
    columns: ClassVar[tuple[str, ...]] = (
        "code", "name", "street", "community", "area_m2", "land_use", "grade", "responsible", "note", "valid_from",
        "valid_to", "attributes", "lon", "lat",
    )  # fmt: skip
    feed_type: ClassVar[str | None] = "grid"
    owners: DutyGridOwners | None = None
    parts: PartGrids | None = None

    def prepare(self, connection: Connection) -> None:
        """With `make_codes`: which codes are taken, and which grid had which shape, so the same file finds them."""
        if not self.context.make_codes:
            return
        self.required = frozenset()
        rows = connection.execute(text("SELECT code, ST_AsBinary(geom) FROM unit_grid ORDER BY code")).all()
        self.taken = {row[0] for row in rows}
        self.known: dict[bytes, list[str]] = {}
        for code, wkb in rows:
            self.known.setdefault(bytes(wkb), []).append(code)
        self.serial = 0

    def check(self, row: Mapping[str, Any]) -> Record:
        problems = Problems()
        wkb = multipolygon_wkb(row["geometry"])
        code = text_of(row, "code")
        if code is None and self.context.make_codes:
            code = self.made_code(wkb)
        self.check_code(code, problems)
        record: Record = {
            name: text_of(row, name) for name in ("land_use", "grade", "responsible", "note") if name in row
        }
        record |= {name: date_of(row, name, problems) for name in ("valid_from", "valid_to") if name in row}
        problems.raise_any()
        assert code is not None
        lon, lat = label_point(row["geometry"])
        return record | {
            "key": code,
            "code": code,
            "name": text_of(row, "name") or "",
            "street": code[:9],
            "community": code[:12],
            "area_m2": area_m2(row["geometry"]),
            "attributes": row["attributes"],
            "lon": lon,
            "lat": lat,
            "geometry": wkb,
        }

    def check_code(self, code: str | None, problems: Problems) -> None:
        county = self.context.county
        if code is None:
            problems.add("code", "为空，可用 --make-codes 自动编码", "is empty; --make-codes numbers such grids")
        elif not (code.isascii() and code.isdigit() and len(code) in CODE_LENGTHS):
            problems.add("code", f"“{code}”应为 14 或 15 位数字", f"'{code}' must have 14 or 15 digits")
        elif code[:6] != county:
            problems.add("code", f"“{code}”不属于本县 {county}", f"'{code}' is not of this county {county}", (county,))

    def made_code(self, wkb: bytes) -> str:
        """The code a grid of this shape has already, or the next free one: county, 900, community, serial."""
        known = self.known.get(wkb)
        if known:
            return known.pop(0)
        while True:
            self.serial += 1
            community, number = divmod(self.serial - 1, 999)
            code = f"{self.context.county}{MADE_STREET}{901 + community:03d}{number + 1:03d}"
            if code not in self.taken:
                return code

    def finish(self, unit: Unit, batch: int) -> bool:
        """New grids belong to the duty grid they lie in, and parts that were there before to the new grids."""
        self.owners = self.owners or DutyGridOwners(unit.connection)
        if self.owners.write(unit):
            return True
        if self.parts is None:
            self.parts = PartGrids(unit.connection)
            return True
        return self.parts.write(unit)


class DutyGridOwners:
    """The duty grid that the middle of each unit grid lies in, where another one is noted so far.

    Made once and written in slices, so that no transaction is long.
    """

    SLICE = 1_500

    def __init__(self, connection: Connection) -> None:
        duties = connection.execute(
            text("SELECT code, ST_AsBinary(geom) FROM duty_grid WHERE valid_to IS NULL ORDER BY code")
        ).all()
        grids = connection.execute(text("SELECT id, code, lon, lat, duty_grid FROM unit_grid")).all()
        owner: dict[int, str] = {}
        if grids and duties:
            tree = shapely.STRtree(shapely.from_wkb([bytes(duty[1]) for duty in duties]))
            points = shapely.points([(grid.lon, grid.lat) for grid in grids])
            pairs = zip(*tree.query(points, predicate="intersects").tolist(), strict=True)
            for position, duty in sorted(pairs, reverse=True):
                owner[position] = duties[duty][0]
        self.waiting = [
            (owner.get(position), grid.id, grid.code)
            for position, grid in enumerate(grids)
            if owner.get(position) != grid.duty_grid
        ]

    def write(self, unit: Unit) -> bool:
        """Write the next slice; True while there is more."""
        rows, self.waiting = self.waiting[: self.SLICE], self.waiting[self.SLICE :]
        if rows:
            pairs = [(duty, number) for duty, number, _ in rows]
            write_many(unit.connection, "UPDATE unit_grid SET duty_grid = ? WHERE id = ?", pairs)
            for _, _, code in rows:
                unit.changed("grid", code)
        return bool(self.waiting)


class GridIndex:
    """Finds the unit grid of many points at once, for imports."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute(
            text("SELECT code, ST_AsBinary(geom) FROM unit_grid WHERE valid_to IS NULL ORDER BY id")
        ).all()
        self.codes: list[str] = [row[0] for row in rows]
        self.tree = shapely.STRtree(shapely.from_wkb([bytes(row[1]) for row in rows]))

    def find(self, positions: Sequence[tuple[float, float]]) -> list[str | None]:
        """The code of the grid at each position, None where there is none."""
        found: list[str | None] = [None] * len(positions)
        if self.codes and positions:
            pairs = self.tree.query(shapely.points(positions), predicate="intersects").tolist()
            # of two grids that share a border the older one, as `locate_grid` does
            for point, grid in sorted(zip(*pairs, strict=True), reverse=True):
                found[point] = self.codes[grid]
        return found


class PartGrids:
    """Parts whose unit grid is unknown or gone get the one they stand in, a slice of all parts at a time."""

    SLICE = 10_000

    def __init__(self, connection: Connection) -> None:
        self.index = GridIndex(connection)
        self.after = 0

    def write(self, unit: Unit) -> bool:
        """Look at the next slice; True while there is more."""
        last = unit.connection.execute(
            text("SELECT max(id) FROM (SELECT id FROM part WHERE id > :after ORDER BY id LIMIT :slice) AS next"),
            {"after": self.after, "slice": self.SLICE},
        ).scalar_one()
        if last is None:
            return False
        rows = unit.connection.execute(
            text(
                "SELECT p.id, p.code, p.lon, p.lat, p.grid FROM part p LEFT JOIN unit_grid g ON g.code = p.grid "
                "WHERE p.id > :after AND p.id <= :last AND g.code IS NULL"
            ),
            {"after": self.after, "last": last},
        ).all()
        self.after = last
        found = self.index.find([(row.lon, row.lat) for row in rows])
        changed = [(grid, row.id, row.code) for grid, row in zip(found, rows, strict=True) if grid != row.grid]
        if changed:
            pairs = [(grid, number) for grid, number, _ in changed]
            write_many(unit.connection, "UPDATE part SET grid = ? WHERE id = ?", pairs)
            for _, _, code in changed:
                unit.changed("part", code)
        return True
