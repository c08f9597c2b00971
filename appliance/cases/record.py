"""The case record as outsiders see it (CONTRACT.md "The case record"), built from the columns of a case.

What is stored beside the case is masked and has no light; `finished` adds the light and, for those who may see it, the
reporter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from appliance.cases.deadlines import light
from appliance.clock import rfc3339

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

PLAIN = (
    "number", "kind", "edition", "code", "class_code", "name", "condition", "source", "channel", "camera",
    "description", "lon", "lat", "address", "grid", "duty_grid", "street", "community", "part", "query_code",
    "state", "clock",
)  # fmt: skip
TIMES = ("reported_at", "accepted_at", "filed_at", "dispatched_at", "handled_at", "checked_at", "closed_at")
NUMBERS_OF_HANDLING = ("department", "sub_unit", "department_suggested", "collector", "rework", "extensions")


def masked_name(name: str | None) -> str | None:
    """张三 → 张*"""
    return f"{name[0]}*" if name else None


def masked_phone(phone: str | None) -> str | None:
    """13812344321 → 138****4321; a short number keeps its last two digits."""
    if not phone:
        return None
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 9 else f"****{phone[-2:]}"


def build(
    case: Mapping[str, Any],
    *,
    reporter: Mapping[str, Any] | None,
    supervisions: Sequence[Mapping[str, Any]] = (),
    requests: Sequence[Mapping[str, Any]] = (),
    evidence: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The masked record as JSON text, from a row of `cases` and the rows around it."""
    record: dict[str, Any] = {name: case[name] for name in PLAIN}
    record["due_at"] = rfc3339(case["due_at"])
    record["handle_due_at"] = rfc3339(case["handle_due_at"])
    record["provisional"] = bool(case["provisional"])
    record["limit"] = (
        None if case["limit_value"] is None else {"value": case["limit_value"], "unit": case["limit_unit"]}
    )
    record["resume_at"] = rfc3339(case["resume_at"])
    for name in NUMBERS_OF_HANDLING:
        record[name] = case[name]
    record["sub_due_at"] = rfc3339(case["sub_due_at"])
    record["external"] = _other_system(case, "external", "system")
    record["upper"] = _other_system(case, "upper", "reply_required")
    record["flags"] = case["flags"].split() if case["flags"] else []
    record["supervisions"] = list(supervisions)
    record["requests"] = list(requests)
    record["merged_into"] = case["merged_into"]
    for name in TIMES:
        record[name] = rfc3339(case[name])
    record["satisfaction"] = case["satisfaction"]
    record["evidence"] = list(evidence)
    record["version"] = case["version"]
    record["reporter"] = None if reporter is None else masked_reporter(reporter)
    return _encode(record).decode()


def masked_reporter(reporter: Mapping[str, Any]) -> dict[str, str | None]:
    """Name and phone as those see them who may not see more."""
    return {"name": masked_name(reporter["name"]), "phone": masked_phone(reporter["phone"])}


def finished(
    masked: str,
    *,
    now: int,
    started: int | None,
    due_at: int | None,
    yellow_at: float,
    reporter: Mapping[str, Any] | None = None,
) -> bytes:
    """The record as it is sent: with its light, and with the reporter's name and phone if they are given."""
    colour = light(now, started, due_at, yellow_at)
    if reporter is None:
        tail = "null" if colour is None else f'"{colour}"'
        return f'{masked[:-1]},"light":{tail}}}'.encode()
    record = _decode(masked)
    record["reporter"] = {"name": reporter["name"], "phone": reporter["phone"]}
    record["light"] = colour
    return _encode(record)


def _other_system(case: Mapping[str, Any], prefix: str, third: str) -> dict[str, Any] | None:
    if case[f"{prefix}_number"] is None:
        return None
    due_at = rfc3339(case[f"{prefix}_due_at"])
    said = case[f"{prefix}_{third}"]
    if third == "reply_required" and said is not None:
        said = bool(said)  # SQLite gives 0 or 1
    return {"number": case[f"{prefix}_number"], "due_at": due_at, third: said}
