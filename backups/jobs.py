"""The scheduler's part of backups: a snapshot every night, a drill every week."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from appliance.errors import Broken, Conflict
from backups.drilling import drill
from backups.snapshot import back_up, repository_of

if TYPE_CHECKING:
    from appliance.cases.office import Office

CLOCK = "clock"
NOTHING = {"skipped": "没有设置备份目标 / no target in [backup]"}


def backup_now(office: Office) -> dict[str, Any]:
    """Make a snapshot.

    Raises:
        Conflict: the target is away or full. Broken: it failed.
    """
    if not office.settings.backup.to:
        return dict(NOTHING)
    return back_up(office.records.home, by=CLOCK).as_dict()


def backup_drill(office: Office) -> dict[str, Any]:
    """Prove that the newest snapshot restores.

    Raises:
        Broken: it does not; why is told.
    """
    if not office.settings.backup.to:
        return dict(NOTHING)
    home = office.records.home
    repository = repository_of(home, office.settings)
    if not repository.holds_any:
        return {"skipped": "还没有快照 / no snapshot yet"}
    result = drill(home, repository, CLOCK)
    if not result.ok:
        raise Broken(f"演练失败: {result.zh}", f"The drill failed: {result.en}")
    with suppress(Conflict):  # somebody else uses the repository, or it is full; the room comes back next week
        repository.prune()
    return {"snapshot": result.snapshot, "seconds": result.seconds, "rows": result.rows}
