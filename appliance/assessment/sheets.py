"""Sheets of settlement: worked out while the month is open, kept when it is closed and shown as they were from then on.

A sheet is kept by the job `keep-settlements`, or when it is first asked for, whichever comes first after the closing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.assessment.deductions import charged_in
from appliance.assessment.settlement import settlement
from appliance.clock import rfc3339
from appliance.records.acts import append_act
from appliance.records.writer import Unit
from appliance.scoring.evaluated import Evaluated
from appliance.scoring.evaluation import Evaluation

_KEPT = text("SELECT * FROM settlement_sheet WHERE period = :period")
_KEEP = text(
    "INSERT INTO settlement_sheet (period, closed_at, kept_at, contract, lines) "
    "VALUES (:period, :closed_at, :at, :contract, :lines)"
)
_TO_KEEP = text(
    "SELECT name FROM score_period p WHERE kind = 'month' AND closed_at IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM settlement_sheet s WHERE s.period = p.name) ORDER BY name"
)
CLOCK = "clock"


def kept_sheet(connection: Connection, month: str) -> dict[str, Any] | None:
    """The sheet of a closed month as it was kept; None where it was not kept yet."""
    row = connection.execute(_KEPT, {"period": month}).one_or_none()
    if row is None:
        return None
    return {
        "period": row.period, "closed": True, "kept_at": rfc3339(row.kept_at), "contract": _document(row.contract),
        "items": _document(row.lines),
    }  # fmt: skip


def sheet_now(connection: Connection, evaluation: Evaluation, evaluated: Evaluated) -> dict[str, Any]:
    """The sheet of a month as it comes to now, by the contract in `wanmi.toml`."""
    contract, pack = evaluation.settings.scoring.contract, evaluated.pack()
    charged = charged_in(connection, evaluated.period, evaluation.settings.zone)
    lines = settlement(contract, charged, evaluated.scored(pack, "collector"), evaluated.scored(pack, "department"))
    return {
        "period": evaluated.period.name, "closed": evaluated.closed_at is not None, "kept_at": None,
        "contract": contract.model_dump(), "items": [line.as_dict() for line in lines],
    }  # fmt: skip


def keep_sheet(unit: Unit, evaluation: Evaluation, month: str, by: str) -> dict[str, Any]:
    """Keep the sheet of a closed month, once; returns it as it is kept.

    Raises:
        Invalid: no month.
    """
    kept = kept_sheet(unit.connection, month)
    if kept is not None:
        return kept
    evaluated = evaluation.evaluate(unit.connection, evaluation.period(month))
    sheet = sheet_now(unit.connection, evaluation, evaluated)
    unit.connection.execute(
        _KEEP,
        {
            "period": month, "closed_at": evaluated.closed_at, "at": unit.now, "contract": _json(sheet["contract"]),
            "lines": _json(sheet["items"]),
        },
    )  # fmt: skip
    append_act(unit, by, "settlement.keep", month, {"lines": len(sheet["items"])})
    return sheet | {"kept_at": rfc3339(unit.now)}


def months_to_keep(connection: Connection) -> list[str]:
    """The closed months whose sheets are not kept yet."""
    return list(connection.execute(_TO_KEEP).scalars())


def _json(value: Mapping[str, Any] | list[Any]) -> str:
    return msgspec.json.encode(value).decode()


def _document(stored: Any) -> Any:
    return msgspec.json.decode(stored) if isinstance(stored, str) else stored
