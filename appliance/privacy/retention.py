"""The job: reporters are forgotten when the county's term after closing is over (`[privacy] keep_reporters_days`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from appliance.cases import columns
from appliance.cases.step import rewrite_record
from appliance.clock import DAY
from appliance.privacy.copies import forget_copies
from appliance.privacy.deleting import forget_reporter
from appliance.records.acts import append_act
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office

SLICE = 50
"""So many cases in one unit of work, so that no operator waits."""

_DUE = text(
    "SELECT c.id FROM reporter r JOIN cases c ON c.id = r.id "
    "WHERE (r.name IS NOT NULL OR r.phone IS NOT NULL OR r.email IS NOT NULL) "
    "AND NOT c.is_open "
    "AND coalesce(c.closed_at, (SELECT max(a.at) FROM case_action a WHERE a.case_id = c.id)) < :before ORDER BY c.id"
)
"""A case that was voided, merged or withdrawn is over and was never closed."""


def anonymise_reporters(office: Office) -> dict[str, Any]:
    """Forget the reporters whose term is over, and their name and number in the words about their cases."""
    days = office.settings.privacy.keep_reporters_days
    if not days:
        return {"anonymised": 0}
    with office.records.read() as connection:
        due = list(connection.execute(_DUE, {"before": office.records.clock.now() - days * DAY}).scalars())
    for start in range(0, len(due), SLICE):
        keys = due[start : start + SLICE]
        office.records.write(lambda unit, keys=keys: _forget(unit, keys))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    if due:
        forget_copies(office.records.home)
    return {"anonymised": len(due)}


def _forget(unit: Unit, keys: list[int]) -> None:
    for key in keys:
        forget_reporter(unit, key)
        rewrite_record(unit, columns.load_by_id(unit.connection, key))
    append_act(unit, "clock", "personal.anonymise", "reporters", {"cases": len(keys)})
