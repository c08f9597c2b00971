"""The monthly return due by the 10th: a row for each unit and the platform's figures as the last row 合计."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from appliance.clock import rfc3339
from appliance.papers.template import Column, Template, template_of
from appliance.scoring.evaluated import Evaluated
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.runs import PLATFORM

TOTAL = "合计"


def return_document(connection: Connection, evaluation: Evaluation, evaluated: Evaluated) -> dict[str, Any]:
    """The return of a month, without what its filing adds.

    `rows` hold the cells that every format shows, by the names of the columns; `values` beside them the unrounded
    values by code. The same ended month gives the same document.

    Raises:
        BadFile: the county's template is wrong.
    """
    template, settings, period = template_of(evaluation.home), evaluation.settings, evaluated.period
    subjects = evaluated.named["department"]
    rows = [_row(template, key, named.name, named.subject.facts) for key, named in sorted(subjects.items())]
    platform = evaluated.named["platform"].get(PLATFORM)
    rows.append(_row(template, "", TOTAL, platform.subject.facts if platform else {}, total=True))
    pack = evaluated.pack()
    return {
        "county": settings.county, "name": settings.name, "period": period.name, "as_of": rfc3339(period.as_of),
        "pack": {"id": pack.id, "sha256": pack.sha256}, "template": {"id": template.id, "sha256": template.sha256},
        "columns": [
            {"code": each.code, "name": each.chinese, "english": each.english, "unit": each.unit}
            for each in template.columns
        ],
        "rows": [cells for cells, _ in rows], "values": [values for _, values in rows],
    }  # fmt: skip


def digest_of(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a return's content: the same for the same template, pack, cells and values."""
    return hashlib.sha256(encoded(document)).hexdigest()


def encoded(document: Mapping[str, Any]) -> bytes:
    """A document as it is kept."""
    return msgspec.json.encode(document)


def _row(
    template: Template, key: str, name: str, facts: Mapping[str, int], *, total: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Cells by the columns' names, and values by their codes."""
    cells: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for column in template.columns:
        if column.text is not None:
            cells[column.chinese] = values[column.code] = _text(column, key, name)
        elif total or column.departments:
            cells[column.chinese], values[column.code] = column.cell(facts), column.value(facts)
        else:
            cells[column.chinese], values[column.code] = "", None
    return cells, values


def _text(column: Column, key: str, name: str) -> str:
    return key if column.text == "unit_code" else name
