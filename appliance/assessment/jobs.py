"""The job `keep-settlements`: the sheets of months that were closed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from appliance.assessment.sheets import CLOCK, keep_sheet, months_to_keep
from appliance.scoring.evaluation import Evaluation

if TYPE_CHECKING:
    from appliance.cases.office import Office


def keep_settlements(office: Office) -> dict[str, Any]:
    """Keep the sheet of every closed month that has none yet."""
    evaluation = Evaluation(office.records)
    with office.records.read() as connection:
        months = months_to_keep(connection)
    for month in months:
        office.records.write(partial(keep_sheet, evaluation=evaluation, month=month, by=CLOCK))
    return {"kept": months}
