"""`wanmi export`: all records of a kind, in code order, in any format that can be imported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import shapely
from sqlalchemy import text

from appliance.clock import rfc3339
from appliance.errors import FieldError, Invalid
from appliance.records.store import Records
from provisioning.import_files.pipeline import Progress
from provisioning.import_files.writing import ending, write_table

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Exported:
    """Where the records of a kind stand: table, columns (SQL → name in the file), times in microseconds, shapes."""

    table: str
    columns: dict[str, str]
    order: str = "code"
    times: frozenset[str] = frozenset()
    shapes: bool = True


def same(*names: str) -> dict[str, str]:
    return {f'"{name}"': name for name in names}


KINDS: dict[str, Exported] = {
    "boundary": Exported("area", same("code", "name", "level", "parent", "attributes")),
    "grids": Exported(
        "unit_grid",
        same(
            "code", "name", "area_m2", "land_use", "grade", "responsible", "note", "valid_from", "valid_to",
            "attributes",
        ),
    ),
    "duty-grids": Exported(
        "duty_grid", same("code", "name", "collector", "valid_from", "valid_to", "attributes")
    ),
    "parts": Exported(
        "part",
        same(
            "code", "type", "name", "state", "department", "owner", "owner_department", "maintainer",
            "maintainer_department", "grid", "address", "accuracy", "source", "installed_on", "changed_on", "note",
            "lon", "lat", "attributes",
        ),
    ),
    "places": Exported("place", same("code", "name", "type", "parent", "address", "lon", "lat", "attributes")),
    "cameras": Exported("camera", same("code", "name", "street_class", "url", "lon", "lat", "attributes")),
    "departments": Exported(
        "department",
        same("code", "name", "parent", "phone") | {"duty_group": "group"} | same("area", "upper_code"),
        shapes=False,
    ),
    "staff": Exported(
        "account", same("account", "name", "roles", "department", "phone"), order="account", shapes=False
    ),
    "roster": Exported(
        "roster", same("account") | {"day": "date", "turn": "shift"}, order="key", shapes=False
    ),
    "duties": Exported(
        "duty",
        same("class", "area", "department", "supervising_department", "basis")
        | {"starts_on": "from", "ends_on": "to"},
        order="id",
        shapes=False,
    ),
    "limits": Exported(
        "case_limit",
        same(
            "kind", "code", "name", "condition_to_open", "condition_to_close", "limit_value", "limit_unit", "urgency",
            "provenance",
        ),
        order="id",
        shapes=False,
    ),
    "calendar": Exported("calendar_day", {"day": "date"} | same("is_workday", "name"), order="day", shapes=False),
    "cases": Exported(
        "cases",
        same(
            "number", "source", "kind", "code", "description", "lon", "lat", "address", "state", "department",
            "reported_at", "due_at", "closed_at", "grid", "duty_grid", "street", "community", "part", "limit_value",
            "limit_unit", "accepted_at", "filed_at", "dispatched_at", "handled_at", "checked_at", "rework",
            "satisfaction",
        ),
        order="id",
        times=frozenset(
            {
                "reported_at", "due_at", "closed_at", "accepted_at", "filed_at", "dispatched_at", "handled_at",
                "checked_at",
            }
        ),
    ),
    "history": Exported(
        "case_action",
        same("number", "seq", "action", "actor", "role", "at", "from_state", "to_state", "due_at"),
        order="id",
        times=frozenset({"at", "due_at"}),
        shapes=False,
    ),
}  # fmt: skip
"""What can be exported. Reporters are never in an export."""


def export_kind(records: Records, kind: str, path: Path, progress: Progress | None = None) -> int:
    """Write all records of a kind to a file and return their number.

    Raises:
        Invalid: no such kind.
        BadFile: unknown ending, or the file cannot be written.
    """
    if kind not in KINDS:
        known = tuple(KINDS)
        error = FieldError("kind", f"没有导出类别“{kind}”", f"no kind '{kind}'", known)
        zh = f"没有导出类别“{kind}”，可用：{'、'.join(known)}。"
        raise Invalid(zh, f"There is no kind '{kind}'; use {', '.join(known)}.", fields=(error,))
    ending(path)
    what = KINDS[kind]
    rows, shapes = read_rows(records, what, progress)
    names = list(what.columns.values())
    write_table(path, names, rows, shapes)
    return len(rows)


def read_rows(records: Records, what: Exported, progress: Progress | None) -> tuple[list[list[Any]], Any]:
    """All rows and their shapes, read in one transaction so that they belong together."""
    shape = ", ST_AsBinary(geom)" if what.shapes else ""
    statement = text(
        f"SELECT {', '.join(what.columns)}{shape} FROM {what.table} ORDER BY {what.order}"  # noqa: S608  # our own tables
    )
    rows: list[list[Any]] = []
    blobs: list[bytes | None] = []
    times = [position for position, name in enumerate(what.columns.values()) if name in what.times]
    kept = [position for position, name in enumerate(what.columns.values()) if name == "attributes"]
    with records.read() as connection:
        total = connection.execute(text(f"SELECT count(*) FROM {what.table}")).scalar_one()  # noqa: S608
        for batch in connection.execute(statement).partitions(BATCH):
            for row in batch:
                cells = list(row)
                if what.shapes:
                    blobs.append(cells.pop())
                for position in times:
                    cells[position] = rfc3339(cells[position])
                for position in kept:
                    # one JSON value: names that differ in case and types would not survive as columns
                    cells[position] = json.loads(cells[position]) if cells[position] else None
                rows.append(cells)
            if progress:
                progress("export", len(rows), total)
    if not what.shapes or not any(blobs):
        return rows, None
    shapes = numpy.empty(len(blobs), dtype=object)
    shapes[:] = shapely.from_wkb([None if blob is None else bytes(blob) for blob in blobs])
    return rows, shapes
