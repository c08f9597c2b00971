"""The forms by which campaigns are made and given targets, and the tables that they may be read from."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache, partial
from io import StringIO
from math import isfinite, nan
from pathlib import Path
from typing import Any

from appliance.i18n.labels import Labels
from tui.fields import MOMENT, PICK, TEXT, Choice, Field, FieldProblem, Finder, Form

Record = dict[str, Any]
ROOT = "/api/v1/campaigns"
KINDS = ("survey", "shop_register", "check_list")
ABOUT = ("grids", "parts", "list")
READY = Path(__file__).with_name("ready_forms.csv")
"""Forms to begin with, of the columns that a form of one's own has too."""
FORM_COLUMNS = ("field", "name", "type", "needed", "choices", "points")
TARGET_COLUMNS = ("subject", "name", "lon", "lat", "department")
BYTES_AT_MOST = 8 * 1024 * 1024


@cache
def ready_forms() -> dict[str, list[Record]]:
    """The forms that come with the console, by name."""
    found: dict[str, list[Record]] = {}
    for row in _ready_rows():
        found.setdefault(row["form"], []).append(_form_field(row))
    return found


def making_form(labels: Labels, campaigns: Sequence[Record]) -> Form:
    """The form of a new campaign; its own form is one of the ready ones, that of an earlier campaign, or a table."""
    names = {row["form"]: labels.pick(row["chinese"], row["english"]) for row in _ready_rows()}
    earlier = tuple(Choice(item["code"], labels("campaign.as", name=item["name"])) for item in campaigns)
    forms = ready_forms() | {item["code"]: item["form"] for item in campaigns}
    fields = (
        Field("code", required=True), Field("name", required=True),
        Field("kind", PICK, True, _choices(labels, KINDS), label=labels("column.kind")),
        Field("about", PICK, True, _choices(labels, ABOUT)),
        Field("form", TEXT, True, (*(Choice(name, text) for name, text in names.items()), *earlier)),
        Field("starts_at", MOMENT, True, default="+0h"), Field("ends_at", MOMENT, True, default="+30"), Field("note"),
    )  # fmt: skip
    about = labels("campaign.form_hint", columns=",".join(FORM_COLUMNS))
    return Form(labels("key.make_campaign"), about, ROOT, fields, shape=partial(_made, forms))


def targets_form(labels: Labels, campaign: Record, part_classes: Finder) -> Form:
    """The form that gives a campaign its targets: by area, by area and class, or by a table."""
    fields: dict[str, tuple[Field, ...]] = {
        "grids": (Field("area"),), "parts": (Field("type", finder=part_classes), Field("area")),
        "list": (Field("file", required=True),),
    }  # fmt: skip
    about = f"{campaign['name']} {labels('campaign.' + campaign['about'])}\n"
    about += labels(f"campaign.targets_of_{campaign['about']}", columns=",".join(TARGET_COLUMNS))
    path = f"{ROOT}/{campaign['code']}/targets"
    return Form(labels("key.give_targets"), about, path, fields[campaign["about"]], shape=_given)


def _choices(labels: Labels, values: Sequence[str]) -> tuple[Choice, ...]:
    return tuple(Choice(value, labels(f"campaign.{value}")) for value in values)


def _made(forms: dict[str, list[Record]], body: Record) -> Record:
    """The body with its form; a name that no form has is that of a table."""
    form = forms.get(body["form"])
    if form is None:
        form = [_form_field(row) for row in _table("form", body["form"], FORM_COLUMNS)]
    return body | {"form": form}


def _given(body: Record) -> Record:
    """A class is sent by its code; a table as the objects in it."""
    if "file" in body:
        return {"targets": [_target(at, row) for at, row in enumerate(_table("file", body["file"], TARGET_COLUMNS), 2)]}
    return body | ({"type": body["type"].rpartition(":")[2]} if "type" in body else {})


def _form_field(row: Record) -> Record:
    made: Record = {"field": row["field"], "name": row["name"], "type": row["type"], "needed": row["needed"] == "yes"}
    if row["choices"]:
        made["choices"] = row["choices"].split("|")
    if row["points"]:
        made["points"] = _number("form", row["field"], row["points"])
    return made


def _target(at: int, row: Record) -> Record:
    made: Record = {"subject": row["subject"], "name": row["name"]}
    made |= {name: _number("file", f"{at} {name}", row[name]) for name in ("lon", "lat")}
    return made | ({"department": row["department"]} if row["department"] else {})


def _number(field: str, where: str, written: str) -> float:
    try:
        number = float(written)
    except ValueError:
        number = nan
    if not isfinite(number):
        raise FieldProblem(field, "form.bad_table", f"{where}: {written!r}")
    return number


def _table(field: str, name: str, columns: Sequence[str]) -> list[Record]:
    """The rows of a CSV file in UTF-8, or in GB 18030 as spreadsheets write it here.

    Raises:
        FieldProblem: it cannot be read, is too large, or has other columns.
    """
    path = Path(name).expanduser()
    try:
        if path.stat().st_size > BYTES_AT_MOST:
            raise FieldProblem(field, "form.bad_table", f"> {BYTES_AT_MOST // 1024 // 1024} MB")
        content = path.read_bytes()
    except OSError as error:
        raise FieldProblem(field, "form.bad_table", f"{name}: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    rows = list(csv.DictReader(StringIO(text, newline="")))
    missing = [column for column in columns if not rows or column not in rows[0]]
    if missing:
        raise FieldProblem(field, "form.bad_table", f"{path.name}: {','.join(missing)}?")
    return [{column: (row[column] or "").strip() for column in columns} for row in rows]


@cache
def _ready_rows() -> tuple[Record, ...]:
    with READY.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
