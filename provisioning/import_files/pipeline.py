"""The run of an import: read, place, check whole, stage, and only then apply in short slices under one batch number."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from appliance.codes.book import CodeBook
from appliance.errors import Conflict, Invalid, WanmiError
from appliance.places import batches
from appliance.places.areas import county_boundary
from appliance.places.importing import ImportContext
from appliance.records.acts import append_act
from appliance.records.store import Records
from appliance.records.writer import Unit
from provisioning.import_files.bulk import BulkWriter
from provisioning.import_files.columns import Columns, matched, rows, shapes_from_cells, translated
from provisioning.import_files.kinds import Importer, importer, importer_class
from provisioning.import_files.opening import open_table
from provisioning.import_files.placing import Placed, place
from provisioning.import_files.staging import Staging, chunks
from provisioning.import_files.table import Table

CHUNK = 2_000
FIRST_SLICE, SMALLEST_SLICE, LARGEST_SLICE = 200, 50, 2_000
SLICE_SECONDS = 0.08
"""What a slice aims at; the longest allowed is 0.2 s."""

ANYWHERE = frozenset({"boundary"})
ACTOR = "technician"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What the technician said about the file; see `wanmi import --help`."""

    crs: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    make_codes: bool = False
    dry_run: bool = False
    keep_good: bool = False
    repair: bool = False
    layer: str | None = None
    encoding: str | None = None
    zone: ZoneInfo | None = None


@dataclass(slots=True)
class Result:
    """What an import did. `refusals` hold row, field, why and why_en; `batch` is None when nothing changed."""

    read: int = 0
    added: int = 0
    updated: int = 0
    refusals: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    batch: int | None = None
    applied: bool = False
    refused: int = 0
    coded: list[tuple[int, str]] = field(default_factory=list)
    """With `make_codes`: position in the file and code, for the file that is written back."""

    def refuse(self, row: int, name: str, zh: str, en: str) -> None:
        self.refusals.append({"row": row, "field": name, "why": zh, "why_en": en})


def run_import(
    records: Records, kind: str, path: Path, options: Options, progress: Progress | None = None
) -> tuple[Result, Table]:
    """Import a file.

    Raises:
        WanmiError: the file as a whole is refused, or an option is wrong.
    """
    with one_import(records.home):
        take_back_cut_off(records)
        return import_file(records, kind, path, options, progress or silent)


def import_file(records: Records, kind: str, path: Path, options: Options, tell: Progress) -> tuple[Result, Table]:
    """The import of a file, once no other runs."""
    importer_class(kind)
    tell("read", 0, 1)
    table = open_table(path, layer=options.layer, encoding=options.encoding)
    return import_table(records, kind, table, file_digest(path), options, tell), table


def import_table(records: Records, kind: str, table: Table, digest: str, options: Options, tell: Progress) -> Result:
    """Import a table that was read from a file or made by us."""
    context = context_of(records, options)
    chosen = importer(kind, context)
    result = Result(read=len(table) + len(table.broken))
    for broken in table.broken:
        result.refuse(broken.row, broken.field, broken.zh, broken.en)
    with Staging(records.home / "imports") as staging:
        with records.read() as connection:
            chosen.prepare(connection)
            boundary = county_boundary(connection, context.county)
            columns = matched(table, chosen, options.mapping)
            translated(table, columns, options.values)
            columns = shapes_from_cells(table, columns, chosen)
            placed = placed_shapes(table, kind, chosen, options, boundary)
            if placed is not None:
                table.shapes = placed.shapes
            check_rows(connection, table, columns, placed, chosen, staging, result, tell)
        result.refused = len({refusal["row"] for refusal in result.refusals})
        result.warnings = table.warnings + (placed.warnings if placed else []) + context.warnings
        if options.dry_run or (result.refusals and not options.keep_good):
            return result
        apply_staged(records, kind, table.name, digest, chosen, staging, result, tell)
    result.applied = True
    return result


def context_of(records: Records, options: Options) -> ImportContext:
    """What importers may know about this run."""
    settings = records.settings
    zone = options.zone or settings.zone
    book = code_book(records)
    return ImportContext(settings.county, settings.edition, zone, book, ACTOR, settings, options.make_codes)


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@contextmanager
def one_import(home: Path) -> Iterator[None]:
    """Hold the home's import lock, so that a running import is never taken for one that was cut off.

    Raises:
        Conflict: another import is running.
    """
    folder = home / "imports"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            zh = "另一个导入正在进行，请等它结束。"
            raise Conflict(zh, "Another import is running; wait until it has ended.") from None
        yield


def code_book(records: Records) -> CodeBook:
    """The national book with the county's pack."""
    book = CodeBook.national()
    return book.with_county_pack(records.home / records.settings.pack) if records.settings.pack else book


def placed_shapes(table: Table, kind: str, chosen: Importer, options: Options, boundary: Any) -> Placed | None:
    """The shapes in EPSG:4490, None for a table or kind without any."""
    if table.shapes is None or chosen.geometry == "none":
        return None
    return place(
        table,
        crs=options.crs,
        wanted=chosen.geometry,
        boundary=boundary,
        anywhere=kind in ANYWHERE,
        repair=options.repair,
    )


def check_rows(
    connection: Connection,
    table: Table,
    columns: Columns,
    placed: Placed | None,
    chosen: Importer,
    staging: Staging,
    result: Result,
    tell: Progress,
) -> None:
    """Check every row, compare it with what is there, and stage what is to be written."""
    seen: dict[str, int] = {}
    position = 0
    shapes = placed.shapes if placed else None
    for chunk in chunks(rows(table, columns, shapes), CHUNK):
        good: list[dict[str, Any]] = []
        numbers: list[int] = []
        for row in chunk:
            record = checked(row, position, placed, chosen, seen, result)
            if record is not None:
                good.append(record)
                numbers.append(row["row"])
                result.coded.append((position, record["key"]))
            position += 1
        wrong = dict(chosen.complete(good))
        for index, error in wrong.items():
            result.refuse(numbers[index], error.field, error.zh, error.en)
        stage(connection, chosen, staging, [record for index, record in enumerate(good) if index not in wrong], result)
        tell("check", position, len(table))


def checked(
    row: dict[str, Any], position: int, placed: Placed | None, chosen: Importer, seen: dict[str, int], result: Result
) -> dict[str, Any] | None:
    """The record of a row, None when it was refused."""
    number = row["row"]
    if placed is not None and position in placed.refused:
        error = placed.refused[position]
        result.refuse(number, error.field, error.zh, error.en)
        return None
    if row["geometry"] is None and chosen.geometry != "none" and chosen.geometry_required:
        result.refuse(number, "geometry", "没有几何图形或坐标", "has no shape or position")
        return None
    try:
        record = chosen.check(row)
    except Invalid as refusal:
        for error in refusal.fields:
            result.refuse(number, error.field, error.zh, error.en)
        return None
    key = record["key"]
    if chosen.unique and key in seen:
        zh, en = f"“{key}”与第 {seen[key]} 行重复", f"'{key}' is in row {seen[key]} already"
        result.refuse(number, getattr(chosen, "key", "code"), zh, en)
        return None
    seen[key] = number
    if record.get("attributes", False) is None:
        del record["attributes"]
    return record


def stage(
    connection: Connection, chosen: Importer, staging: Staging, good: Sequence[dict[str, Any]], result: Result
) -> None:
    """Stage what is new or different."""
    operations = chosen.compare(connection, good)
    changes = [(operation, record) for operation, record in zip(operations, good, strict=True) if operation != "same"]
    staging.put(changes)
    result.added += sum(operation == "add" for operation, _ in changes)
    result.updated += sum(operation == "update" for operation, _ in changes)


def apply_staged(
    records: Records,
    kind: str,
    name: str,
    digest: str,
    chosen: Importer,
    staging: Staging,
    result: Result,
    tell: Progress,
) -> None:
    """Write what is staged in short transactions, then close the batch; one that changed nothing leaves no trace."""
    staging.sort()
    with BulkWriter(records) as writer:
        batch = writer.write(lambda unit: batches.start(unit, kind, name, digest, ACTOR, result.read))
        done, size = 0, FIRST_SLICE
        while changes := staging.read(size, done):
            started = perf_counter()
            writer.write(partial(chosen.apply, batch=batch, changes=changes))
            done += len(changes)
            size = next_size(len(changes), perf_counter() - started)
            tell("apply", done, staging.count)
        while writer.write(partial(chosen.finish, batch=batch)):
            tell("apply", done, staging.count)
        result.batch = writer.write(lambda unit: closed(unit, batch, kind, name, result))


def next_size(size: int, seconds: float) -> int:
    """How many rows the next slice may have, by how long this one took."""
    return max(SMALLEST_SLICE, min(LARGEST_SLICE, int(size * SLICE_SECONDS / max(seconds, 1e-4))))


def closed(unit: Unit, batch: int, kind: str, name: str, result: Result) -> int | None:
    """Close a batch; one that changed nothing is forgotten."""
    changed = unit.connection.execute(
        text("SELECT 1 FROM import_change WHERE batch = :batch LIMIT 1"), {"batch": batch}
    ).first()
    if changed is None:
        unit.connection.execute(text("DELETE FROM import_batch WHERE id = :batch"), {"batch": batch})
        return None
    batches.close(unit, batch, result.added, result.updated, result.refused)
    counts = {"file": name, "batch": batch, "added": result.added, "updated": result.updated}
    append_act(unit, ACTOR, "import", kind, counts)
    return batch


def undo(records: Records, batch: int, progress: Progress | None = None) -> int:
    """Take back a batch and return how many records that touched.

    Raises:
        NotFound: no such batch.
        Conflict: undone before, or changed by a newer batch.
    """
    with one_import(records.home):
        with records.read() as connection:
            found = batches.check_undo(connection, batch)
        return take_back(records, found, progress or silent)


def take_back(records: Records, found: batches.Batch, tell: Progress) -> int:
    """Restore what a batch changed, newest first, in slices."""
    chosen = importer(found.kind, context_of(records, Options()))
    done, size = 0, FIRST_SLICE

    def restore(unit: Unit, remembered: list[tuple[int, str, str | None]]) -> None:
        chosen.restore(unit, [(key, before) for _, key, before in remembered])
        batches.forget(unit, found.id, [number for number, _, _ in remembered])

    def end(unit: Unit) -> None:
        batches.mark_undone(unit, found.id)
        append_act(unit, ACTOR, "import.undo", found.kind, {"batch": found.id, "records": done})

    with BulkWriter(records) as writer:
        while True:
            with records.read() as connection:
                remembered = batches.changes(connection, found.id, size)
            if not remembered:
                break
            started = perf_counter()
            writer.write(partial(restore, remembered=remembered))
            done += len(remembered)
            size = next_size(len(remembered), perf_counter() - started)
            tell("undo", done, found.added + found.updated)
        while writer.write(partial(chosen.finish, batch=found.id)):
            tell("undo", done, done)
        writer.write(end)
    return done


def take_back_cut_off(records: Records) -> None:
    """Take back what an import left that was killed half way.

    What cannot be taken back (history is never deleted) stays; the same file again completes it.
    """
    with records.read() as connection:
        left = batches.cut_off(connection)
    for batch in left:
        try:
            take_back(records, batch, silent)
        except WanmiError:
            records.write(partial(batches.close, batch=batch.id, added=batch.added, updated=batch.updated, refused=0))


def file_digest(path: Path) -> str:
    """SHA-256 of a file; of a folder, of the names and sizes in it."""
    digest = sha256()
    if path.is_dir():
        for item in sorted(path.iterdir()):
            digest.update(f"{item.name}\0{item.stat().st_size}\0".encode())
        return digest.hexdigest()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
