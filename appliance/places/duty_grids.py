"""Duty grids: their import. A duty grid is a group of unit grids that one collector walks; it has no national code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Connection, text

from appliance.places.grids import DutyGridOwners
from appliance.places.importing import Problems, Record, TableImporter, date_of, required_text, text_of
from appliance.places.posts import collectors_of, note_posts
from appliance.places.shapes import multipolygon_wkb
from appliance.records.writer import Unit


class DutyGridImporter(TableImporter):
    """Imports duty grids and then notes on each unit grid whose it is."""

    geometry = "polygon"
    fields: Mapping[str, tuple[str, ...]] = {
        "code": ("标识码", "网格编码", "责任网格编码", "责任网格标识码"),
        "name": ("名称", "网格名称", "责任网格名称"),
        "collector": ("信息采集员", "采集员", "监督员", "账号"),
        "valid_from": ("初始时间", "ORDate"),
        "valid_to": ("终止时间", "DEDate"),
    }
    required = frozenset({"code"})

    table: ClassVar[str] = "duty_grid"
    columns: ClassVar[tuple[str, ...]] = ("code", "name", "collector", "valid_from", "valid_to", "attributes")
    feed_type: ClassVar[str | None] = "duty_grid"
    owners: DutyGridOwners | None = None

    def prepare(self, connection: Connection) -> None:
        """Load the accounts, to tell about collectors that nobody is."""
        self.accounts = set(connection.execute(text("SELECT account FROM account")).scalars())

    def check(self, row: Mapping[str, Any]) -> Record:
        problems = Problems()
        code = required_text(row, "code", problems)
        record: Record = {name: date_of(row, name, problems) for name in ("valid_from", "valid_to") if name in row}
        problems.raise_any()
        if "collector" in row:
            record["collector"] = text_of(row, "collector")
            if record["collector"] and record["collector"] not in self.accounts:
                self.context.warn(
                    "有的采集员还没有账号，请再导入 staff (some collectors have no account yet: import staff)"
                )
        return record | {
            "key": code,
            "code": code,
            "name": text_of(row, "name") or "",
            "attributes": row["attributes"],
            "geometry": multipolygon_wkb(row["geometry"]),
        }

    def apply(self, unit: Unit, batch: int, changes: Sequence[tuple[str, Record]]) -> None:
        codes = [record["key"] for operation, record in changes if operation == "update"]
        before = collectors_of(unit.connection, codes)
        super().apply(unit, batch, changes)
        note_posts(unit, before, codes)

    def restore(self, unit: Unit, changes: Sequence[tuple[str, str | None]]) -> None:
        codes = [key for key, record in changes if record is not None]
        before = collectors_of(unit.connection, codes)
        super().restore(unit, changes)
        note_posts(unit, before, codes)

    def finish(self, unit: Unit, batch: int) -> bool:
        """Unit grids belong to the new duty grids."""
        self.owners = self.owners or DutyGridOwners(unit.connection)
        return self.owners.write(unit)
