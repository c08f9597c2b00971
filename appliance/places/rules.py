"""Imports of rules that are tables: working days and time limits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Connection, text

from appliance.codes.read import LIMIT_HEADER, LIMIT_TABLES, limit_of
from appliance.codes.values import CODE_LENGTH, LOCAL_NUMBERS, Edition
from appliance.errors import UnknownCode
from appliance.places.batches import remember
from appliance.places.importing import Problems, Record, TableImporter, date_of, packed, text_of
from appliance.records.writer import Unit

YES = frozenset({"1", "true", "yes", "y", "t", "是", "班", "上班", "工作日"})
NO = frozenset({"0", "false", "no", "n", "f", "否", "休", "休息", "放假", "节假日"})


class CalendarImporter(TableImporter):
    """Imports days that are worked or not, from a table or the public `holiday-cn` JSON."""

    fields: Mapping[str, tuple[str, ...]] = {
        "date": ("日期", "day"),
        "is_workday": ("是否工作日", "工作日", "isWorkday"),
        "name": ("名称", "节日"),
    }
    required = frozenset({"date", "is_workday"})

    table: ClassVar[str] = "calendar_day"
    key: ClassVar[str] = "day"
    columns: ClassVar[tuple[str, ...]] = ("day", "is_workday", "name")
    json_columns: ClassVar[frozenset[str]] = frozenset()
    with_geometry: ClassVar[bool] = False
    batch_column: ClassVar[str | None] = None

    def check(self, row: Mapping[str, Any]) -> Record:
        problems = Problems()
        day = date_of(row, "date", problems)
        if row.get("date") is None:
            problems.add("date", "为空", "is empty")
        written = (text_of(row, "is_workday") or "").lower()
        if written not in YES | NO:
            problems.add("is_workday", f"“{written}”应为 1 或 0", f"'{written}' must be 1 or 0", ("1", "0"))
        problems.raise_any()
        return {"key": day, "day": day, "is_workday": written in YES, "name": text_of(row, "name") or ""}


class LimitImporter(TableImporter):
    """Imports time limits. All limits of a code that the file names are replaced by those in the file."""

    fields: Mapping[str, tuple[str, ...]] = {
        "kind": ("类别",),
        "code": ("编码", "小类代码"),
        "name": ("名称", "小类名称"),
        "condition_to_open": ("立案条件",),
        "condition_to_close": ("结案条件",),
        "limit_value": ("时限", "处置时限"),
        "limit_unit": ("时限单位", "单位"),
        "urgency": ("紧急程度",),
        "provenance": ("来源", "依据"),
    }
    required = frozenset(LIMIT_HEADER[:7])

    table: ClassVar[str] = "case_limit"
    key: ClassVar[str] = "id"
    columns: ClassVar[tuple[str, ...]] = LIMIT_HEADER
    json_columns: ClassVar[frozenset[str]] = frozenset()
    with_geometry: ClassVar[bool] = False
    batch_column: ClassVar[str | None] = None

    def prepare(self, connection: Connection) -> None:
        """Count the conditions of each code: the n-th in the file takes the place of the n-th that is there."""
        self.counts: Counter[tuple[str, str]] = Counter()

    def check(self, row: Mapping[str, Any]) -> Record:
        cells = {name: text_of(row, name) or "" for name in LIMIT_HEADER}
        limit = limit_of(Path("limits"), int(row["row"]), cells)
        problems = Problems()
        edition, kind = LIMIT_TABLES[limit.kind]
        try:
            self.context.book.find(edition, kind, limit.code)
        except UnknownCode as unknown:
            # a table may come before the county pack with its own subclasses: those numbers are left to towns
            if not self.is_local(edition, limit.code):
                problems.add("code", unknown.zh.rstrip("。"), unknown.en.rstrip("."), unknown.fields[0].nearest)
        problems.raise_any()
        self.counts[limit.kind, limit.code] += 1
        values = dict(zip(LIMIT_HEADER, (cells[name] for name in LIMIT_HEADER), strict=True))
        key = f"{limit.kind}/{limit.code}/{self.counts[limit.kind, limit.code]}"
        return {**values, "key": key, "limit_value": limit.value, "urgency": limit.urgency}

    def is_local(self, edition: Edition, code: str) -> bool:
        """Whether a number is one that the edition leaves to towns."""
        written = code.isascii() and code.isdigit() and len(code) == CODE_LENGTH[edition]
        return written and int(code[2:]) >= LOCAL_NUMBERS[edition][0]

    def stored(self, connection: Connection, keys: Sequence[str]) -> dict[str, Record]:
        """The present limits of the codes in `keys`, numbered within each code."""
        codes = {tuple(key.split("/")[:2]) for key in keys}
        found: dict[str, Record] = {}
        columns = ", ".join(self.columns)
        statement = text(f"SELECT id, {columns} FROM case_limit WHERE kind = :kind AND code = :code ORDER BY id")  # noqa: S608
        for kind, code in sorted(codes):
            rows = connection.execute(statement, {"kind": kind, "code": code}).mappings()
            for number, row in enumerate(rows, 1):
                found[f"{kind}/{code}/{number}"] = {**row, "key": f"{kind}/{code}/{number}"}
        return found

    def apply(self, unit: Unit, batch: int, changes: Sequence[tuple[str, Record]]) -> None:
        """Write one slice; a changed limit keeps its place in the order."""
        there = self.stored(unit.connection, [record["key"] for _, record in changes])
        updates = [record for operation, record in changes if operation == "update"]
        remember(unit, batch, [(record["key"], None) for operation, record in changes if operation == "add"])
        remember(unit, batch, [(record["key"], packed(there[record["key"]])) for record in updates])
        self.insert(unit, [self.row(record) for operation, record in changes if operation == "add"])
        self.update(unit, [self.row(record) | {"id": there[record["key"]]["id"]} for record in updates])

    def row(self, record: Record) -> Record:
        return {name: record[name] for name in self.columns}

    def finish(self, unit: Unit, batch: int) -> bool:
        """Take away what the file no longer has for the codes it names."""
        if not hasattr(self, "counts"):
            return False
        keys = [f"{kind}/{code}/1" for kind, code in self.counts]
        surplus = [
            record
            for record in self.stored(unit.connection, keys).values()
            if int(record["key"].split("/")[2]) > self.counts[record["kind"], record["code"]]
        ]
        remember(unit, batch, [(record["key"], packed(record)) for record in surplus])
        if surplus:
            statement = text("DELETE FROM case_limit WHERE id = :id")
            unit.connection.execute(statement, [{"id": record["id"]} for record in surplus])
        return False

    def restore(self, unit: Unit, changes: Sequence[tuple[str, str | None]]) -> None:
        """Take back a batch: added limits go, changed and removed ones come back under their old number."""
        added = [key for key, before in changes if before is None]
        gone = [self.stored(unit.connection, [key]).get(key) for key in sorted(added, key=place_in_code, reverse=True)]
        statement = text("DELETE FROM case_limit WHERE id = :id")
        for record in gone:
            if record is not None:
                unit.connection.execute(statement, {"id": record["id"]})
        columns = ("id", *self.columns)
        values = ", ".join(f":{name}" for name in columns)
        again = ", ".join(f"{name} = excluded.{name}" for name in self.columns)
        write = text(
            f"INSERT INTO case_limit ({', '.join(columns)}) VALUES ({values}) "  # noqa: S608  # our own columns
            f"ON CONFLICT (id) DO UPDATE SET {again}"
        )
        for _, before in changes:
            if before is not None:
                unit.connection.execute(write, {name: json.loads(before)[name] for name in columns})


def place_in_code(key: str) -> int:
    """The number of a limit within its code."""
    return int(key.rsplit("/", 1)[1])
