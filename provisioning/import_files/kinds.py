"""What can be imported, and what an importer of a kind is.

Reading a file (format, encoding, CRS, `--map`, `--values`) is the same for all kinds and lives in this folder. What a
row must be, and how it is written, is the subject's own business: each kind names an importer class by dotted name,
which is loaded when it is needed and made as `Importer(context)` with an `appliance.places.importing.ImportContext`.

The run of an import:

1.  `prepare(connection)` once: load whatever checking needs (codes, grids, accounts).
2.  `check(row)` for each row: returns a record, a plain dict with `"key"` (a text that is the same when the same thing
    comes again) and the values to store. A wrong row raises `Invalid` with one `FieldError` for each wrong field.
    `row` holds the fields of the file under our names (text, number, bool or None, text stripped, "" already None),
    and besides: `row["geometry"]` a valid shapely geometry in EPSG:4490 or None, `row["attributes"]` a dict of all
    columns that are no field of the kind, `row["row"]` the row number in the file. A field that the file lacks is
    absent from the dict, so an import may leave it as it is.
3.  `complete(records)` for each chunk of good records: fill in what is faster for many at once (grid of each part).
    Returns `(position in the chunk, FieldError)` for records that are refused after all.
4.  The records are staged. When nothing was refused (or with `--keep-good`) they are applied:
    `compare(connection, records)` says for each "add", "update" or "same";
    `apply(unit, batch, changes)` writes the adds and updates of one slice (`changes`: list of (operation, record))
    inside the writer's transaction, notes them in the change feed (`unit.changed`) and remembers each with
    `appliance.places.batches.remember`. Slices are cut so that a transaction stays under 200 ms.
5.  `finish(unit, batch)` for what depends on all rows together, in transactions of its own; again while it is True.
6.  `wanmi import undo BATCH` calls `restore(unit, changes)` with the remembered (key, before) pairs, newest first;
    before is the JSON text that was remembered, None where the batch added the record.

Keys twice in one file are refused before `apply` for every kind whose `unique` is true.
Records must be values that msgpack holds: text, numbers, bool, None, bytes (WKB), dicts and lists of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Literal, Protocol

from sqlalchemy import Connection

from appliance.errors import FieldError, Invalid
from appliance.places.importing import ImportContext
from appliance.records.writer import Unit

Geometry = Literal["none", "point", "polygon", "any"]
Operation = Literal["add", "update", "same"]
Record = dict[str, Any]


class Importer(Protocol):
    """The importer of one kind; see the module's text for when each method is called."""

    geometry: Geometry
    """What the kind needs: "point" also comes from lon and lat columns, "any" may be a line too."""

    geometry_required: bool
    """False: rows without a shape are taken (an area that is known by name only)."""

    fields: Mapping[str, tuple[str, ...]]
    """Our field names, each with other header names that mean the same (Chinese, older editions). Case is ignored."""

    required: frozenset[str]
    """Fields that a file must have, after `--map`; whether a cell may be empty is for `check`."""

    unique: bool

    def prepare(self, connection: Connection) -> None: ...

    def check(self, row: Mapping[str, Any]) -> Record: ...

    def complete(self, records: Sequence[Record]) -> Sequence[tuple[int, FieldError]]: ...

    def compare(self, connection: Connection, records: Sequence[Record]) -> Sequence[Operation]: ...

    def apply(self, unit: Unit, batch: int, changes: Sequence[tuple[str, Record]]) -> None: ...

    def finish(self, unit: Unit, batch: int) -> bool | None: ...

    def restore(self, unit: Unit, changes: Sequence[tuple[str, str | None]]) -> None: ...


KINDS: dict[str, str] = {
    "boundary": "appliance.places.areas:AreaImporter",
    "grids": "appliance.places.grids:GridImporter",
    "duty-grids": "appliance.places.duty_grids:DutyGridImporter",
    "parts": "appliance.places.parts:PartImporter",
    "places": "appliance.places.names:PlaceImporter",
    "cameras": "appliance.places.cameras:CameraImporter",
    "calendar": "appliance.places.rules:CalendarImporter",
    "limits": "appliance.places.rules:LimitImporter",
    "departments": "appliance.people.importing:DepartmentImporter",
    "staff": "appliance.people.importing:StaffImporter",
    "roster": "appliance.people.roster:RosterImporter",
    "duties": "appliance.cases.importing:DutyImporter",
    "cases": "appliance.cases.importing:CaseImporter",
    "history": "appliance.cases.importing:HistoryImporter",
}
"""Kind → importer class."""


def importer(kind: str, context: ImportContext) -> Importer:
    """A fresh importer of a kind; see `importer_class` for what it raises."""
    made: Importer = importer_class(kind)(context)
    return made


def importer_class(kind: str) -> Callable[[ImportContext], Importer]:
    """The class of a kind's importer.

    Raises:
        Invalid: there is no such kind; all are named.
    """
    if kind not in KINDS:
        kinds = tuple(KINDS)
        error = FieldError("kind", f"没有导入类别“{kind}”", f"no kind '{kind}'", kinds)
        raise Invalid(
            f"没有导入类别“{kind}”，可用：{'、'.join(kinds)}。",
            f"There is no kind '{kind}' to import; use one of {', '.join(kinds)}.",
            fields=(error,),
        )
    module, name = KINDS[kind].split(":")
    found: Callable[[ImportContext], Importer] = getattr(import_module(module), name)
    return found
