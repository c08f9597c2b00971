"""Jobs of the cases: what the clock does, to be run by hand or by a scheduler."""

from __future__ import annotations

from typing import Any

from appliance.cases.office import Office
from appliance.cases.resume import recompute_provisional, resume_due


def resume(office: Office) -> dict[str, Any]:
    """Resume every suspended case whose end date has come."""
    total = 0
    while count := office.records.write(lambda unit: resume_due(unit, office)):
        total += count
    return {"resumed": total}


def recompute_due_times(office: Office) -> dict[str, Any]:
    """Compute provisional due times anew, after a year's calendar was loaded."""
    after: int | None = 0
    slices = 0
    while after is not None:
        start = after
        after = office.records.write(lambda unit, start=start: recompute_provisional(unit, office, start))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        slices += 1
    return {"slices": slices}
