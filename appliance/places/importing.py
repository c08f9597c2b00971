"""What every importer shares: the context of an import, small checks of cells, and an importer for plain tables."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, text

from appliance.codes.book import CodeBook
from appliance.errors import FieldError, Invalid
from appliance.places.batches import remember, write_many
from appliance.records.base import SRID
from appliance.records.writer import Unit
from appliance.settings import Settings

Record = dict[str, Any]


@dataclass(slots=True)
class ImportContext:
    """What an importer may know about the run: county, code book, who imports, settings, and where warnings go."""

    county: str
    edition: str
    zone: ZoneInfo
    book: CodeBook
    actor: str
    settings: Settings
    make_codes: bool = False
    warnings: list[str] = field(default_factory=list)

    def warn(self, sentence: str) -> None:
        """Tell the technician something once that is no refusal."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)


class Problems:
    """Collects the wrong fields of one row and raises them together."""

    __slots__ = ("errors",)

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def add(self, name: str, zh: str, en: str, nearest: tuple[str, ...] = ()) -> None:
        self.errors.append(FieldError(name, zh, en, nearest))

    def raise_any(self) -> None:
        """Raise `Invalid` when something was wrong."""
        if self.errors:
            zh = "；".join(f"{error.field}：{error.zh}" for error in self.errors)
            en = "; ".join(f"{error.field}: {error.en}" for error in self.errors)
            raise Invalid(f"{zh}。", f"{en}.", fields=tuple(self.errors))


def text_of(row: Mapping[str, Any], name: str) -> str | None:
    """A cell as text; whole numbers lose the ".0" that spreadsheets give them."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def required_text(row: Mapping[str, Any], name: str, problems: Problems) -> str:
    """A cell that must not be empty."""
    value = text_of(row, name)
    if value is None:
        problems.add(name, "为空", "is empty")
    return value or ""


def date_of(row: Mapping[str, Any], name: str, problems: Problems) -> str | None:
    """A day as ISO text; 2026-10-08, 2026/10/8, 20261008, 2026年10月8日 and timestamps are understood."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    written = str(value).strip().removesuffix(".0")
    plain = written.replace("年", "-").replace("月", "-").replace("日", "").replace("/", "-")[:10].split("T")[0]
    pieces = plain.split("-") if "-" in plain else [plain[:4], plain[4:6], plain[6:8]]
    try:
        return date(*(int(piece) for piece in pieces)).isoformat()
    except (TypeError, ValueError):
        problems.add(name, f"“{written}”不是日期，写作 2026-10-08", f"'{written}' is no date, write 2026-10-08")
        return None


class TableImporter(ABC):
    """An importer for one table whose rows are known by a unique text column.

    Subclasses give the names and implement `check`; values a file does not have are left as they are.
    """

    geometry: Literal["none", "point", "polygon", "any"] = "none"
    geometry_required: bool = True
    fields: Mapping[str, tuple[str, ...]] = {}
    required: frozenset[str] = frozenset()
    unique: bool = True

    table: ClassVar[str]
    key: ClassVar[str] = "code"
    columns: ClassVar[tuple[str, ...]]
    """All columns an import may write, without the geometry."""
    json_columns: ClassVar[frozenset[str]] = frozenset({"attributes"})
    with_geometry: ClassVar[bool] = True
    defaults: ClassVar[Mapping[str, Any]] = {}
    """Values of added rows for columns that the file does not have."""
    feed_type: ClassVar[str | None] = None
    batch_column: ClassVar[str | None] = "batch"

    def __init__(self, context: ImportContext) -> None:
        self.context = context

    def prepare(self, connection: Connection) -> None:
        """Nothing to load."""
        return

    @abstractmethod
    def check(self, row: Mapping[str, Any]) -> Record:
        """A record with `key`, and the values of the columns that the file has.

        Raises:
            Invalid: with one FieldError for each wrong field.
        """

    def complete(self, records: Sequence[Record]) -> Sequence[tuple[int, FieldError]]:
        """Nothing to complete."""
        return ()

    def compare(self, connection: Connection, records: Sequence[Record]) -> Sequence[Literal["add", "update", "same"]]:
        """Whether each record is new, differs in a value that the file has, or is there already."""
        there = self.stored(connection, [record["key"] for record in records])
        found: list[Literal["add", "update", "same"]] = []
        for record in records:
            old = there.get(record["key"])
            if old is None:
                found.append("add")
            else:
                same = all(old[name] == value for name, value in record.items() if name in old)
                found.append("same" if same else "update")
        return found

    def stored(self, connection: Connection, keys: Sequence[str]) -> dict[str, Record]:
        """The present rows under these keys, as records (geometry as WKB)."""
        shape = ", ST_AsBinary(geom) AS geometry" if self.with_geometry else ""
        columns = ", ".join(quoted(name) for name in self.columns)
        statement = text(
            f"SELECT {quoted(self.key)} AS key, {columns}{shape} "  # noqa: S608  # names of our own tables
            f"FROM {self.table} WHERE {quoted(self.key)} IN :keys"
        ).bindparams(bindparam("keys", expanding=True))
        found: dict[str, Record] = {}
        for start in range(0, len(keys), 500):
            for row in connection.execute(statement, {"keys": list(keys[start : start + 500])}).mappings():
                record = dict(row)
                for name in self.json_columns & record.keys():
                    if isinstance(record[name], str):
                        record[name] = json.loads(record[name])
                if record.get("geometry") is not None:
                    record["geometry"] = bytes(record["geometry"])
                found[record["key"]] = record
        return found

    def apply(self, unit: Unit, batch: int, changes: Sequence[tuple[str, Record]]) -> None:
        """Write one slice, remember it for undo and note it in the feed."""
        updates = [record for operation, record in changes if operation == "update"]
        before = self.stored(unit.connection, [record["key"] for record in updates])
        remember(unit, batch, [(record["key"], None) for operation, record in changes if operation == "add"])
        remember(unit, batch, [(key, packed(record)) for key, record in before.items()])
        adds = [self.bound({**self.defaults, **record}, batch) for operation, record in changes if operation == "add"]
        self.insert(unit, adds)
        self.update(unit, [self.bound(record, batch) for record in updates])
        self.note(unit, [record["key"] for operation, record in changes if operation != "same"], "put")

    def finish(self, unit: Unit, batch: int) -> bool:
        """Nothing depends on all rows together."""
        return False

    def restore(self, unit: Unit, changes: Sequence[tuple[str, str | None]]) -> None:
        """Take back what a batch did: delete what it added, write back what it changed."""
        added = [key for key, before in changes if before is None]
        if added:
            statement = text(f"DELETE FROM {self.table} WHERE {quoted(self.key)} = :key")  # noqa: S608
            unit.connection.execute(statement, [{"key": key} for key in added])
            self.note(unit, added, "delete")
        former = [unpacked(before) for _, before in changes if before is not None]
        self.update(unit, [self.bound(record, record.get("batch")) for record in former])
        self.note(unit, [record["key"] for record in former], "put")

    def bound(self, record: Record, batch: int | None) -> Record:
        """A record as parameters of a statement."""
        values = {name: record[name] for name in (*self.columns, "geometry") if name in record}
        for name in self.json_columns & values.keys():
            values[name] = json.dumps(values[name], ensure_ascii=False) if values[name] is not None else None
        if self.key not in values:
            values[self.key] = record["key"]
        if self.batch_column:
            values[self.batch_column] = batch
        return values

    def insert(self, unit: Unit, rows: list[Record]) -> None:
        for names, same in grouped(rows):
            columns = ", ".join("geom" if name == "geometry" else quoted(name) for name in names)
            values = ", ".join(placeholder(name) for name in names)
            statement = f"INSERT INTO {self.table} ({columns}) VALUES ({values})"  # noqa: S608  # our own tables
            write_many(unit.connection, statement, [tuple(row.values()) for row in same])

    def update(self, unit: Unit, rows: list[Record]) -> None:
        for names, same in grouped(rows):
            values = ", ".join(
                f"{'geom' if name == 'geometry' else quoted(name)} = {placeholder(name)}"
                for name in names
                if name != self.key
            )
            statement = f"UPDATE {self.table} SET {values} WHERE {quoted(self.key)} = ?"  # noqa: S608  # our own tables
            cells = [(*(value for name, value in row.items() if name != self.key), row[self.key]) for row in same]
            write_many(unit.connection, statement, cells)

    def note(self, unit: Unit, keys: Sequence[str], operation: str) -> None:
        if self.feed_type:
            for key in keys:
                unit.changed(self.feed_type, key, operation)


def quoted(name: str) -> str:
    """A column name of ours as SQL (some are words of SQL)."""
    return f'"{name}"'


def placeholder(name: str) -> str:
    """The `?` of a column in a statement."""
    return f"ST_GeomFromWKB(?, {SRID})" if name == "geometry" else "?"


def grouped(rows: list[Record]) -> list[tuple[tuple[str, ...], list[Record]]]:
    """Rows with the same columns together, so that each group is one executemany."""
    groups: dict[tuple[str, ...], list[Record]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    return list(groups.items())


def packed(record: Record) -> str:
    """A former record as JSON text; the geometry in hexadecimal."""
    plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in record.items()}
    return json.dumps(plain, ensure_ascii=False)


def unpacked(before: str) -> Record:
    record: Record = json.loads(before)
    if record.get("geometry") is not None:
        record["geometry"] = bytes.fromhex(record["geometry"])
    return record
